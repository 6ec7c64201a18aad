"""Broken rules for one VM: each fails on a short history that is written down here, and the rules pass on the same history."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from fencer.ha import vm_machine
from fencer.ha.vm_record import VmRecord
from tests.ha_vm_history import AnyHistory

REAL = {name: getattr(vm_machine, name) for name in ("start_ended", "stop_ended", "listed", "absent", "host_fenced")}


def a_refusal_frees_it_whatever_was_before(vm: VmRecord, *rest: object) -> object:
    return REAL["start_ended"](replace(vm, maybe_started=False), *rest)


def any_answer_counts(vm: VmRecord, number: int, *rest: object) -> object:
    return REAL["start_ended"](vm, vm.starts, *rest)


def a_lost_try_is_forgotten(vm: VmRecord) -> VmRecord:
    return replace(vm, in_flight=False, retry_at=0.0)


def a_failed_stop_counts(vm: VmRecord, number: int, error: str | None, *rest: object) -> object:
    return REAL["stop_ended"](vm, number, None, *rest)


def old_lists_count(vm: VmRecord, host: str, boot: str, asked_at: float, *rest: object) -> object:
    return REAL["listed"](vm, host, boot, 1e9, *rest)


def nobody_else_is_asked(vm: VmRecord, host: str, boot: str, at: float, others: float | None, *rest: object) -> object:
    return REAL["absent"](vm, host, boot, at, 1e9, *rest)


def a_second_host_is_forgotten(vm: VmRecord, host: str, *rest: object) -> object:
    return REAL["host_fenced"](replace(vm, seen_on=None), host, *rest)


def it_is_never_freed(vm: VmRecord, *rest: object) -> VmRecord:
    return vm


Step = tuple[str | bool, ...]
"""The name of a step of `AnyHistory`, and its arguments."""

FENCED: Step = ("begin", True)
WORKS: Step = ("a_manager_works",)
LATE_ARRIVES: Step = ("a_late_request_arrives", False)
ALL_HEARD: Step = ("all_agents_are_asked_and_heard",)


def request(fate: str) -> Step:
    return ("a_request", fate)


def heard(name: str) -> tuple[Step, Step]:
    return ("an_agent_is_asked", name), ("a_list_arrives", True)


MANAGER_CHANGED = (
    FENCED, ("another_manager_takes_the_host",), WORKS, request("refused"), WORKS, request("works"), LATE_ARRIVES,
)  # fmt: skip
"""The first start on b is still on its way. The second one is refused, which proves nothing about the first one."""

ANSWER_OF_BEFORE = (
    FENCED, request("late"),
    ("a_host_dies", "b"), ("a_dead_host_is_fenced", "b"), WORKS, ("a_late_request_arrives", True), request("works"),
    ("a_host_boots", "a"), ("a_returned_host_stops_what_left", "a", True, True), ("a_returned_host_is_let_in", "a"),
    WORKS, request("works"),
)  # fmt: skip
"""The refusal of a start on b is heard while the start on c is under way."""

STOP_REFUSED = (("begin", False), ("a_drain",), WORKS, request("refused"), WORKS, request("refused"), WORKS, request("works"))
"""The stop on a is refused. The start on a after it would be refused too, so the next one would go to b."""

LIST_OF_BEFORE = (
    ("begin", False), ("an_agent_is_asked", "a"), ("a_drain",), WORKS, request("works"), WORKS, request("late"),
    ("a_list_arrives", False), ALL_HEARD, ALL_HEARD, WORKS, request("refused"), WORKS, request("works"), LATE_ARRIVES,
)  # fmt: skip
"""The list of a was made before the VM was stopped there. It arrives while a second start on a is on its way."""

MOVED_BY_HAND = (
    ("begin", False), ALL_HEARD, ("an_operator_moves_it_by_hand", "b"), *heard("a"), *heard("a"), WORKS, request("works"),
)  # fmt: skip
"""a does not list the VM any more, and b has not been asked since."""

MOVED_AND_FENCED = (
    ("begin", False), ("an_operator_moves_it_by_hand", "c"), *heard("c"), ("a_host_dies", "a"), ("a_dead_host_is_fenced", "a"),
    WORKS, request("works"),
)  # fmt: skip
"""c lists the VM, and then the host that it belongs to is fenced."""

TWICE = "it runs twice"


@dataclass(frozen=True)
class Mutant:
    """`rule` of `vm_machine` is replaced by `broken`; on `history` that breaks `promise`."""

    rule: str
    broken: Callable[..., object]
    history: tuple[Step, ...]
    promise: str = TWICE


MUTANTS = {
    "a refusal frees it whatever was before": Mutant("start_ended", a_refusal_frees_it_whatever_was_before, MANAGER_CHANGED),
    "any answer counts": Mutant("start_ended", any_answer_counts, ANSWER_OF_BEFORE),
    "a lost try is forgotten": Mutant("owner_changed", a_lost_try_is_forgotten, MANAGER_CHANGED),
    "a failed stop counts": Mutant("stop_ended", a_failed_stop_counts, STOP_REFUSED),
    "old lists count": Mutant("listed", old_lists_count, LIST_OF_BEFORE),
    "nobody else is asked": Mutant("absent", nobody_else_is_asked, MOVED_BY_HAND),
    "a second host is forgotten": Mutant("host_fenced", a_second_host_is_forgotten, MOVED_AND_FENCED),
    "it is never freed": Mutant("host_fenced", it_is_never_freed, (FENCED,), "it stays on a host that is off"),
}


def play(history: tuple[Step, ...]) -> None:
    """Takes the steps, with the promises after each. A request that the rules did not send is left out."""
    played = AnyHistory()
    waiting = {"a_request": played.flying, "a_late_request_arrives": played.late}
    for name, *arguments in history:
        if waiting.get(str(name), [True]):
            getattr(played, str(name))(*arguments)
        played.it_runs_at_most_once()
        played.it_is_bound_or_it_waits()
    played.teardown()


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_broken_rule_is_caught_on_a_history_on_which_the_rules_keep_every_promise(
    mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    play(mutant.history)
    monkeypatch.setattr(vm_machine, mutant.rule, mutant.broken)
    with pytest.raises(AssertionError, match=mutant.promise):
        play(mutant.history)
