"""The fence procedure: which command it chooses, reads that fail, tasks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.events_effects import CommandAnswered, TaskStatus
from fencer.outcome import Cause, FenceVerdict, PowerCommand, Reading
from fencer.target import Limits
from tests.fencer_bmc import (
    LIMITS,
    OFF,
    ON,
    Bmc,
    Clock,
    cause_of,
    how,
    listed,
    play,
    refused,
    trouble,
)


@pytest.fixture
def bmc() -> Bmc:
    return Bmc(Clock())


# --- which command --------------------------------------------------------------------------------------------------


def test_a_polite_shutdown_first_if_wanted_and_force_after_its_budget(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is OFF else None
    outcome = play(bmc, limits=replace(LIMITS, graceful=4.0))
    assert (how(outcome), bmc.sent) == ("powered-off", [PowerCommand.GRACEFUL_SHUTDOWN, OFF])
    assert 4.0 <= bmc.commands[1][0] - bmc.commands[0][0] <= 5.5


def test_a_refused_polite_shutdown_escalates_at_once(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.CONFLICT)]
    play(bmc, limits=replace(LIMITS, graceful=4.0))
    assert bmc.sent == [PowerCommand.GRACEFUL_SHUTDOWN, OFF]
    assert bmc.commands[1][0] - bmc.commands[0][0] < 1


def test_an_unknown_polite_shutdown_gives_way_to_force(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.UNSUPPORTED)]
    assert how(play(bmc, limits=replace(LIMITS, graceful=4.0))) == "powered-off"
    assert bmc.sent == [PowerCommand.GRACEFUL_SHUTDOWN, OFF]


def test_with_one_command_to_spend_force_is_not_put_at_risk(bmc: Bmc) -> None:
    play(bmc, limits=replace(LIMITS, graceful=4.0, max_commands=1))
    assert bmc.sent == [OFF]


def test_the_best_of_a_list_without_force(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON, ON)
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is PowerCommand.PUSH_POWER_BUTTON else None
    assert how(play(bmc)) == "powered-off"
    assert bmc.sent == [PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON]


def test_a_list_without_any_off_is_unsupported(bmc: Bmc) -> None:
    bmc.offered = listed(ON, PowerCommand.NMI)
    outcome = play(bmc)
    assert (cause_of(outcome), bmc.sent) == (Cause.UNSUPPORTED, [])


@pytest.mark.parametrize("word", ["Off", None, "PoweringOff"])
def test_a_button_is_never_pushed_on_a_host_that_is_not_known_on(bmc: Bmc, word: str | None) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.up = word != "Off"
    bmc.says = lambda it: word
    play(bmc)
    assert bmc.sent == []


def test_a_button_whose_answer_was_lost_is_not_pushed_again(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.answers = [refused(Cause.TIMEOUT)]
    play(bmc)
    assert len(bmc.sent) == 1


def test_a_button_that_was_refused_may_be_pushed_again(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.answers = [refused(Cause.CONFLICT)]
    assert how(play(bmc)) == "powered-off"


def test_a_button_is_not_pushed_again_after_busy(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.answers = [refused(Cause.BUSY)]
    assert cause_of(play(bmc)) is Cause.BUSY
    assert len(bmc.sent) == 1


# --- reads that fail ------------------------------------------------------------------------------------------------


def test_a_failure_that_cannot_change_ends_at_once(bmc: Bmc) -> None:
    bmc.misses = [trouble(Cause.CONFIG)] * 9
    assert cause_of(play(bmc)) is Cause.CONFIG
    assert (bmc.reads, bmc.sent) == (1, [])


LASTING = [(Cause.TLS, 3), (Cause.LOCKED, 3), (Cause.NOT_FOUND, 3), (Cause.PRIVILEGE, 3), (Cause.UNSUPPORTED, 3)]


@pytest.mark.parametrize(("cause", "seconds"), [*LASTING, (Cause.UNREACHABLE, 5)])
def test_a_bmc_that_never_could_be_read_is_reported_before_the_deadline(bmc: Bmc, cause: Cause, seconds: float) -> None:
    bmc.misses = [trouble(cause)] * 99
    began = bmc.clock.at
    outcome = play(bmc)
    assert (cause_of(outcome), outcome.verdict) == (cause, FenceVerdict.UNKNOWN)
    assert bmc.reads >= 3
    assert seconds <= bmc.clock.at - began < seconds + 1.5


@pytest.mark.parametrize("cause", [cause for cause in Cause if cause is not Cause.CONFIG])
@pytest.mark.parametrize("at", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("up", [True, False])
def test_one_failed_read_never_ends_a_fence(bmc: Bmc, cause: Cause, at: int, up: bool) -> None:
    bmc.up = up
    read = bmc.read

    def fail_once(timeout: float) -> Reading:
        if bmc.reads == at and not bmc.misses:
            bmc.misses = [trouble(cause)]
        return read(timeout)

    bmc.read = fail_once  # type: ignore[method-assign]
    assert how(play(bmc)) == ("powered-off" if up else "already-off")


def test_a_bmc_that_boots_is_waited_for(bmc: Bmc) -> None:
    bmc.misses = [trouble(Cause.BUSY)] * 4
    bmc.retry_after = 1.0
    assert how(play(bmc)) == "powered-off"


def test_a_bmc_that_goes_away_after_the_command_is_polled_to_the_deadline(bmc: Bmc) -> None:
    command = bmc.command

    def then_gone(wanted: PowerCommand, timeout: float) -> CommandAnswered:
        bmc.misses = [trouble(Cause.UNREACHABLE), trouble(Cause.NOT_FOUND)] * 3
        return command(wanted, timeout)

    bmc.command = then_gone  # type: ignore[method-assign]
    assert how(play(bmc)) == "powered-off"


def test_garbage_for_ever_is_a_bad_response(bmc: Bmc) -> None:
    bmc.misses = [trouble(Cause.BAD_RESPONSE)] * 99
    assert cause_of(play(bmc)) is Cause.BAD_RESPONSE


def test_one_read_cut_by_the_deadline_does_not_hide_the_refusal(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.CONFLICT)] * 3
    bmc.says = lambda it: it.misses.extend([trouble(Cause.TIMEOUT)] if it.clock.at > 113.5 else []) or "On"  # type: ignore[func-returns-value]
    assert cause_of(play(bmc)) is Cause.CONFLICT


def test_slow_answers_count_against_the_deadline(bmc: Bmc) -> None:
    bmc.cost = 4.0
    assert cause_of(play(bmc)) is Cause.TIMEOUT


def test_expensive_reads_slow_the_polling_down(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.requests = 5
    play(bmc)
    assert bmc.reads * 5 <= 10 + 5 + 2.5 * 15


@pytest.mark.parametrize("falls_after", [quarter / 4 for quarter in range(45)])
def test_traffic_is_bounded_whenever_the_power_falls(bmc: Bmc, falls_after: float) -> None:
    """Ten requests and two per second (G4), with discovery, an early Off and a chassis that is read each time."""
    total = 0

    def chassis(it: Bmc) -> str | None:
        nonlocal total
        it.up = not it.commands or it.clock.at - it.commands[0][0] < falls_after
        it.requests = 3 if it.reads == 1 else 2 if it.commands else 1
        total += it.requests
        return "On" if it.up else "Off"

    bmc.says = lambda it: "Off" if it.commands else "On"
    bmc.chassis = chassis
    bmc.obeys = lambda it, command: None
    began = bmc.clock.at
    assert how(play(bmc)) == "powered-off"
    assert total + 1 <= 10 + 2 * (bmc.clock.at - began)


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_a_completed_task_is_no_proof(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.answers = [CommandAnswered(task="/t/1")]
    bmc.tasks = [TaskStatus(ended=True)]
    assert cause_of(play(bmc)) is Cause.TIMEOUT
    assert bmc.followed == 1


def test_a_task_that_never_ends_does_not_keep_a_true_off_from_being_seen(bmc: Bmc) -> None:
    bmc.answers = [CommandAnswered(task="/t/1")]

    def late(it: Bmc, command: PowerCommand) -> None: ...

    bmc.obeys = late
    bmc.says = lambda it: "Off" if it.reads > 6 and not setattr(it, "up", False) else "On"  # type: ignore[func-returns-value]
    assert how(play(bmc)) == "powered-off"
    assert bmc.followed >= 1


def test_failed_tasks_end_early_once_no_command_is_left(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.answers = [CommandAnswered(task=f"/t/{n}") for n in range(3)]
    bmc.tasks = [TaskStatus(ended=True, failure=trouble(Cause.TASK_FAILED))] * 3
    began = bmc.clock.at
    outcome = play(bmc, limits=Limits(deadline=60))
    assert (cause_of(outcome), len(bmc.sent)) == (Cause.TASK_FAILED, 3)
    assert bmc.clock.at - began < 30


def test_a_failed_task_of_a_polite_shutdown_escalates(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is OFF else None
    bmc.answers = [CommandAnswered(task="/t/1")]
    bmc.tasks = [TaskStatus(ended=True, failure=trouble(Cause.TASK_FAILED))]
    assert how(play(bmc, limits=replace(LIMITS, graceful=8.0))) == "powered-off"
    assert bmc.commands[1][0] - bmc.commands[0][0] < 4
