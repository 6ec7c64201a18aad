"""A short run of `tests/ha_chaos.py`, and its controls: each rule that is taken out is found. tests/nightly has the long run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.ha_chaos import FENCE_HA, Chaos, broken
from tests.ha_chaos_troubles import gone, kill

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("ha-chaos")]


def test_managers_that_are_killed_stopped_and_robbed_of_their_store_keep_their_promises(memory_path: Path) -> None:
    with closing(Chaos(memory_path, seed=1)) as chaos:
        chaos.play(dies=1, troubles=2, hung=0.0)
        chaos.play(dies=1, troubles=2, hung=1.0)
        chaos.lose_contact(2.0, troubles=1)
        chaos.watch()


def _a_hung_host_dies(chaos: Chaos) -> None:
    chaos.cluster.power_takes_s = 3.0
    chaos.play(dies=1, troubles=0, hung=1.0)


def _answers_are_lost(chaos: Chaos) -> None:
    chaos.cluster.loses_starts = True
    chaos.play(dies=1, troubles=0, hung=0.0)


def _a_host_dies(chaos: Chaos) -> None:
    chaos.play(dies=1, troubles=1, hung=0.0, of=(kill,))


def _the_store_is_gone(chaos: Chaos) -> None:
    chaos.play(dies=1, troubles=1, of=(gone,))


def _a_switch_hides_all(chaos: Chaos) -> None:
    chaos.lose_contact(4.0)


CONTROLS: dict[str, tuple[Callable[[Chaos], None], str]] = {
    "accepted-is-off": (_a_hung_host_dies, "while it runs on|and has power|its VMs write"),
    "no-limits": (_a_switch_hides_all, "hosts were healthy without it"),
    "a-lost-start-moves-on": (_answers_are_lost, "while it runs on"),
    "the-store-ends-it": (_the_store_is_gone, "a manager ended with"),
    "nothing-is-ever-proved": (_a_host_dies, "not: .* are Down"),
    "vms-are-forgotten": (_a_host_dies, "not: every VM runs once"),
}


@pytest.mark.parametrize("rule", CONTROLS)
def test_a_rule_that_is_taken_out_is_found(memory_path: Path, rule: str) -> None:
    what, promise = CONTROLS[rule]
    with closing(Chaos(memory_path, seed=2, program=broken(rule))) as chaos:
        chaos.all_are_well()
        if promise.startswith("not: "):
            chaos.bound_s = 15.0  # what will never happen is not waited for longer
        with pytest.raises(AssertionError, match=promise):
            what(chaos)


@pytest.mark.parametrize("what", dict.fromkeys(what for what, _ in CONTROLS.values()), ids=lambda what: what.__name__[1:])
def test_the_same_with_all_rules_breaks_no_promise(memory_path: Path, what: Callable[[Chaos], None]) -> None:
    with closing(Chaos(memory_path, seed=2, program=FENCE_HA)) as chaos:
        what(chaos)
