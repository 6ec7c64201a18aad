"""`fencer.fence` against seeded adversaries over real sockets: 2,000 hosts that stay on, and 2,000 that are off or go off, over
Redfish and over IPMI.

A host that is off must be confirmed within a deadline of the wall clock, while many runs share the machine. So a run that was
stuck is played once more alone: what an adversary answers is drawn from its seed, and what was only starved is confirmed then.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from fencer.transport import ipmi_session, refused_logins
from tests import fence_adversary, ipmi_adversary
from tests.fence_adversary import Run
from tests.fence_explorer import EVERYTHING, explore

PORTION = 250


def faults_of(wrong: list[Run], play: Callable[[int], Run]) -> list[Run]:
    """The runs that went wrong, and of those that were stuck the ones that are stuck alone too."""
    again = [run if run.trouble else play(run.seed) for run in wrong]
    return [run for run in again if run.trouble or run.stuck]


@pytest.mark.parametrize("hostile", [True, False])
@pytest.mark.parametrize("first", range(1_000, 3_000, PORTION))
@pytest.mark.timeout(600)
def test_no_false_claim_no_exception_nothing_past_the_deadline_nothing_stuck(first: int, hostile: bool) -> None:
    wrong, _ = fence_adversary.play_all(range(first, first + PORTION), hostile=hostile)
    assert not (faults := faults_of(wrong, partial(fence_adversary.play, hostile=hostile))), faults[0]


@pytest.mark.parametrize("hostile", [True, False])
@pytest.mark.parametrize("first", range(1_000, 3_000, PORTION))
@pytest.mark.timeout(600)
def test_the_same_over_ipmi(first: int, hostile: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ipmi_session, "RESEND_INTERVAL_S", 0.1)
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.3)
    wrong, _ = ipmi_adversary.play_all(range(first, first + PORTION), hostile=hostile)
    assert not (faults := faults_of(wrong, partial(ipmi_adversary.play, hostile=hostile))), faults[0]


@pytest.mark.timeout(900)
def test_no_order_of_answers_to_reads_and_commands_leads_to_a_false_claim() -> None:
    situations, trail = explore(EVERYTHING)
    assert trail is None, " > ".join(trail)
    assert situations > 100_000
