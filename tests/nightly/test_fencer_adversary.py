"""`fencer.fence` against a seeded adversary over real sockets: 2,000 hosts that stay on, and 2,000 that are off or go off."""

from __future__ import annotations

import pytest

from tests.fence_adversary import play_all
from tests.fence_explorer import EVERYTHING, explore


@pytest.mark.parametrize("hostile", [True, False])
@pytest.mark.parametrize("first", range(1_000, 3_000, 500))
@pytest.mark.timeout(600)
def test_no_false_claim_no_exception_nothing_past_the_deadline_nothing_stuck(first: int, hostile: bool) -> None:
    wrong, _ = play_all(range(first, first + 500), hostile=hostile)
    assert not wrong, wrong[0]


@pytest.mark.timeout(900)
def test_no_order_of_answers_to_reads_and_commands_leads_to_a_false_claim() -> None:
    situations, trail = explore(EVERYTHING)
    assert trail is None, " > ".join(trail)
    assert situations > 100_000
