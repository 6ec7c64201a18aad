"""The fence procedure: on, reboot and status, and the table itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer import procedure
from fencer.events_effects import (
    AllowedCommands,
    CommandAnswered,
    DeadlinePassed,
    Finish,
    ReadFailed,
    ReadOk,
    TaskStatus,
    TimerFired,
)
from fencer.outcome import Action, Cause, FenceVerdict, Power, PowerCommand, Reading
from fencer.procedure_state import EventMeaning, ProcedurePhase
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


# --- on, reboot, status ---------------------------------------------------------------------------------------------


def test_on_is_idempotent(bmc: Bmc) -> None:
    assert (how(play(bmc, Action.ON)), bmc.sent) == ("already-on", [])


def test_on_powers_on(bmc: Bmc) -> None:
    bmc.up = False
    assert (how(play(bmc, Action.ON)), bmc.sent) == ("on", [ON])


def test_on_that_is_refused_because_it_is_on_by_then(bmc: Bmc) -> None:
    bmc.up = False
    bmc.answers = [refused(Cause.CONFLICT)]
    bmc.says = lambda it: "Off" if it.reads < 2 else "On"
    assert how(play(bmc, Action.ON)) == "on"


def test_on_by_another_word_where_the_list_has_no_on(bmc: Bmc) -> None:
    bmc.up = False
    bmc.offered = listed(PowerCommand.FORCE_ON, PowerCommand.PUSH_POWER_BUTTON)
    assert how(play(bmc, Action.ON)) == "on"
    assert bmc.sent == [PowerCommand.FORCE_ON]


def test_on_without_any_allowed_word_is_unsupported(bmc: Bmc) -> None:
    bmc.up = False
    bmc.offered = listed(OFF)
    assert cause_of(play(bmc, Action.ON)) is Cause.UNSUPPORTED


def test_reboot_is_a_confirmed_off_and_then_on(bmc: Bmc) -> None:
    outcome = play(bmc, Action.REBOOT)
    assert (how(outcome), bmc.sent, outcome.commands_sent) == ("restarted", [OFF, ON], 2)
    assert bmc.up


def test_reboot_of_a_host_that_is_off_only_powers_on(bmc: Bmc) -> None:
    bmc.up = False
    assert (how(play(bmc, Action.REBOOT)), bmc.sent) == ("restarted", [ON])


def test_reboot_retries_an_on_that_is_refused_for_a_while(bmc: Bmc) -> None:
    bmc.up = False
    bmc.answers = [refused(Cause.CONFLICT), refused(Cause.CONFLICT)]
    assert how(play(bmc, Action.REBOOT)) == "restarted"


def test_a_failed_on_half_is_a_note_and_no_failure(bmc: Bmc) -> None:
    bmc.answers = [CommandAnswered(), *[refused(Cause.CONFLICT)] * 9]
    outcome = play(bmc, Action.REBOOT)
    assert (outcome.verdict, how(outcome)) == (FenceVerdict.CONFIRMED, "powered-off")
    assert "switching it on again failed" in outcome.notes[0]


def test_a_failed_off_half_fails_the_reboot(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    assert cause_of(play(bmc, Action.REBOOT)) is Cause.TIMEOUT
    assert set(bmc.sent) == {OFF}


@pytest.mark.parametrize("action", [Action.STATUS, Action.MONITOR])
@pytest.mark.parametrize("up", [True, False])
def test_status_reads_once_and_sends_nothing(bmc: Bmc, action: Action, up: bool) -> None:
    bmc.up = up
    outcome = play(bmc, action)
    assert (how(outcome), bmc.reads, bmc.sent) == ("read", 1, [])
    assert outcome.readings[0].power is (Power.ON if up else Power.OFF)


def test_status_of_an_unclear_word_is_a_failure(bmc: Bmc) -> None:
    bmc.says = lambda it: "PoweringOff"
    assert cause_of(play(bmc, Action.STATUS)) is Cause.BAD_RESPONSE


# --- the table ------------------------------------------------------------------------------------------------------


def test_an_event_out_of_order_is_refused() -> None:
    state, _ = procedure.begin(Action.OFF, LIMITS, 0.0)
    for event in (TimerFired(), AllowedCommands(), CommandAnswered(), TaskStatus(ended=True)):
        with pytest.raises(procedure.UnexpectedEvent):
            procedure.step(state, event, 0.0)


def test_nothing_happens_after_the_end() -> None:
    state, _ = procedure.begin(Action.STATUS, LIMITS, 0.0)
    state, effect = procedure.step(state, DeadlinePassed(), 15.0)
    assert isinstance(effect, Finish)
    assert state.phase is ProcedurePhase.DONE
    with pytest.raises(procedure.UnexpectedEvent):
        procedure.step(state, DeadlinePassed(), 15.0)


def test_the_deadline_ends_every_phase() -> None:
    state, _ = procedure.begin(Action.OFF, LIMITS, 0.0)
    for phase in set(ProcedurePhase) - {ProcedurePhase.DONE}:
        _, effect = procedure.step(replace(state, phase=phase), DeadlinePassed(), 15.0)
        assert isinstance(effect, Finish)
        assert effect.outcome.failure is not None
        assert "never read" in effect.outcome.failure.text


def test_every_input_has_a_row() -> None:
    assert {meaning for _, meaning in procedure.STEPS} | set(procedure.IN_EVERY_PHASE) == set(EventMeaning)


def test_actions_without_a_power_state_are_refused() -> None:
    with pytest.raises(KeyError):
        procedure.begin(Action.METADATA, LIMITS, 0.0)


def test_a_missed_read_after_the_last_one_leaves_the_verdict_unknown() -> None:
    state, _ = procedure.begin(Action.OFF, LIMITS, 0.0)
    on = Reading(power=Power.ON, word="On", at=0.0, path="test")
    state, _ = procedure.step(state, ReadOk(on), 0.0)
    state, _ = procedure.step(state, AllowedCommands(), 0.0)
    state, _ = procedure.step(state, CommandAnswered(), 0.1)
    state, _ = procedure.step(state, TimerFired(), 1.0)
    state, _ = procedure.step(state, ReadFailed(trouble(Cause.TIMEOUT)), 2.0)
    _, effect = procedure.step(state, DeadlinePassed(), 15.0)
    assert isinstance(effect, Finish)
    assert effect.outcome.verdict is FenceVerdict.UNKNOWN
