"""The fence procedure: decides after each event what to do next, until the power state is proved or the deadline passes.

`fencer.run` calls `begin` and `step` and performs the effect that they return. Times are seconds of the caller's
monotonic clock.

Rules
  1. Only reads say what state the host is in. The answer to a power command decides only what to try next.
  2. Off needs at least two reads of exactly Off, from one machine, `stable_for` seconds or more from first to last, and no
     other reading between them. A failed read ends the series, because its result is unknown.
  3. Read before every command. A host that is off already gets no command. PushPowerButton is sent only if the last read
     shows the opposite state, because it toggles the power.
  4. This file has no clock and no socket. `now` comes in with each event; one effect is returned.

Theory
  Fencing needs a *state*, but power commands request a *transition*. A BMC may refuse a transition because the host is in
  that state already, may accept one and never perform it, or may perform one although its answer is lost. So there are
  three kinds of answer: *accepted* (read the state), *ambiguous* (read the state, perhaps send again) and *denied* (read
  the state once more, then stop: another try would be denied too, and a second wrong password may lock the account).

  A reboot has two goals: Off, then On. When Off is proved, the purpose of the reboot is reached. If the host then stays
  off, the outcome has a note and is still a success (FenceAgentAPI, reboot).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from fencer import failure_text
from fencer.events_effects import (
    AllowedCommands,
    CommandAnswered,
    Finish,
    Pause,
    ProcedureEffect,
    ProcedureEvent,
    Read,
    ReadAllowedCommands,
    ReadFailed,
    ReadOk,
    ReadTask,
    SendCommand,
    TaskStatus,
)
from fencer.outcome import Action, Cause, Evidence, Failure, FenceVerdict, Outcome, Power, PowerCommand
from fencer.procedure_state import EventMeaning, ProcedurePhase, ProcedureState, classify
from fencer.target import ChassisCheck, Limits

ProcedureStep = tuple[ProcedureState, ProcedureEffect]

CLOCK_MARGIN_S = 0.02  # added to `stable_for`, because two clocks may differ by this much
MIN_READ_GAP_S = 0.05  # shortest time between two reads, whatever the limits say
TRANSITION_WAIT_S = 3.0  # how long PoweringOff or PoweringOn is waited for before a command is sent
PAUSE_PER_REQUEST = 1.3  # factor of `limits.poll` for each request of a read: expensive reads are repeated more slowly
MAX_READINGS = 64
POLLS_PER_TASK_READ = 3

MAY_HAVE_BEEN_DONE = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.BAD_RESPONSE})
TRANSITION_WORDS: Mapping[Power, frozenset[str | None]] = {
    Power.OFF: frozenset({"PoweringOff", "Off"}),  # "Off" is unusable only if a chassis contradicts it
    Power.ON: frozenset({"PoweringOn"}),
}
OPPOSITE_POWER: Mapping[Power, Power] = {Power.OFF: Power.ON, Power.ON: Power.OFF}
GOALS: Mapping[Action, Power | None] = {
    Action.OFF: Power.OFF,
    Action.ON: Power.ON,
    Action.REBOOT: Power.OFF,
    Action.STATUS: None,
    Action.MONITOR: None,
}


class UnexpectedEvent(Exception):
    """The event cannot happen in this phase. A bug of the caller; no BMC can cause it."""


def begin(action: Action, limits: Limits, now: float) -> ProcedureStep:
    """Returns the first state and the effect Read. Raises KeyError for actions without a power state (list, metadata ...)."""
    return ProcedureState(action=action, limits=limits, goal=GOALS[action], began=now, half_began=now), Read()


def step(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """Takes one event and returns the new state and one effect. Raises UnexpectedEvent if the table has no row for it."""
    if isinstance(event, ReadOk) and (other := failure_text.other_machine(state.readings, event.reading)):
        event = ReadFailed(other)
    meaning = classify(state, event)
    handler = STEPS.get((state.phase, meaning)) or IN_EVERY_PHASE.get(meaning)
    if handler is None or state.phase is ProcedurePhase.DONE:
        raise UnexpectedEvent(f"{meaning} while {state.phase}")
    return handler(_record_event(state, event), event, now)


def _record_event(state: ProcedureState, event: ProcedureEvent) -> ProcedureState:
    match event:
        case ReadOk(reading):
            return replace(state, readings=(*state.readings, reading)[-MAX_READINGS:], failed_reads=0, read_failure=None)
        case ReadFailed(failure):
            return replace(state, failed_reads=state.failed_reads + 1, read_failure=failure, proof=())
        case CommandAnswered(failure):
            return replace(state, sent=state.sent + 1, polls=0, command_failure=failure)
        case _:
            return state


# --- readings -----------------------------------------------------------------------------------------------------


def _add_to_proof(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The reading shows the goal state: adds it to the proof."""
    state = replace(state, proof=(*state.proof, state.readings[-1]))
    if state.goal is not Power.OFF:
        return _goal_reached(state, now)
    stable = state.limits.stable_for
    first = state.proof[0].at
    if len(state.proof) > 1 and state.readings[-1].at - first >= stable:
        return _goal_reached(state, now)
    # Four reads in `stable_for` instead of two: this detects a BMC that shows Off only for a moment, and takes no longer.
    gap = min((stable + CLOCK_MARGIN_S) / 3, first + stable + CLOCK_MARGIN_S - now)
    return _wait(state, max(gap, MIN_READ_GAP_S))


def _on_other_state(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The host is in the opposite state: sends the next command or waits until it is due."""
    state = replace(state, proof=())
    if state.denied:
        return _failed(state, failure_text.command_denied(state.command_failure, state.readings, now))
    if not state.plan and state.allowed is None:
        return replace(state, phase=ProcedurePhase.READING_COMMANDS), ReadAllowedCommands()
    return _send_or_wait(state, now)


def _on_unusable_reading(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The reading shows neither On nor Off."""
    reading = state.readings[-1]
    if state.goal is None:
        return _failed(state, failure_text.unusable_status(reading))
    if not state.denied and reading.word in TRANSITION_WORDS[state.goal] and now - state.half_began < TRANSITION_WAIT_S:
        return _pause(replace(state, proof=()))
    return _on_other_state(state, event, now)


def _on_retryable_failure(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, ReadFailed)
    if state.denied:
        return _failed(state, failure_text.command_denied(state.command_failure, state.readings, now))
    return _pause(state, at_least=event.retry_after or 0.0)


def _on_final_failure(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, ReadFailed)
    return _failed(state, failure_text.read_failed(event.failure, state.readings, now))


# --- commands -----------------------------------------------------------------------------------------------------


def _on_allowed_commands(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, AllowedCommands)
    state = replace(state, allowed=event)
    return _send_or_wait(state, now)


def plan(goal: Power, allowed: AllowedCommands, limits: Limits) -> tuple[PowerCommand, ...]:
    """Returns the power commands for `goal` in the order in which they are tried; empty if the BMC allows none of them."""

    def only_allowed(*commands: PowerCommand) -> tuple[PowerCommand, ...]:
        return tuple(command for command in commands if command in allowed.commands)

    if goal is Power.ON:
        if not allowed.listed:
            return (PowerCommand.ON,)
        return only_allowed(PowerCommand.ON, PowerCommand.FORCE_ON, PowerCommand.PUSH_POWER_BUTTON)[:1]
    if allowed.listed and PowerCommand.FORCE_OFF not in allowed.commands:
        return only_allowed(PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON)
    graceful = PowerCommand.GRACEFUL_SHUTDOWN
    # If only one command may be sent, it must be ForceOff: a host may ignore GracefulShutdown.
    if limits.graceful > 0 and limits.max_commands > 1 and (not allowed.listed or graceful in allowed.commands):
        return graceful, PowerCommand.FORCE_OFF
    return (PowerCommand.FORCE_OFF,)


def _send_or_wait(state: ProcedureState, now: float) -> ProcedureStep:
    goal, allowed = state.goal, state.allowed
    assert goal is not None
    assert allowed is not None
    if not state.plan:
        state = replace(state, plan=plan(goal, allowed, state.limits))
    if not state.plan:
        return _failed(state, failure_text.unsupported(goal, allowed))
    if now >= state.escalate_at:
        state = replace(state, plan=state.plan[1:], escalate_at=inf, next_send=now)
    if state.sent >= state.limits.max_commands and state.command_failure and state.command_failure.cause is Cause.TASK_FAILED:
        return _failed(state, failure_text.command_denied(state.command_failure, state.readings, now))
    command = state.plan[0]
    unsafe_button = command is PowerCommand.PUSH_POWER_BUTTON and (state.readings[-1].power is not OPPOSITE_POWER[goal])
    if state.sent < state.limits.max_commands and now >= state.next_send and not unsafe_button:
        return replace(state, phase=ProcedurePhase.SENDING), SendCommand(command)
    due = state.next_send - now
    return _pause(state, at_most=max(due, MIN_READ_GAP_S) if due > 0 else inf)


def _on_accepted(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The command was accepted: pauses, then reads the state."""
    assert isinstance(event, CommandAnswered)
    left = state.began + state.limits.deadline - now
    budget = min(state.limits.graceful or left / 3, left / 2)
    state = replace(
        state,
        accepted=state.plan[0],
        task=event.task,
        next_send=inf,
        escalate_at=now + budget if len(state.plan) > 1 else inf,
    )
    return _pause(state, at_least=state.limits.poll + state.limits.power_wait)


def _on_ambiguous(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The command may have been performed, or not, or was not needed: reads the state."""
    assert isinstance(event, CommandAnswered)
    assert event.failure is not None
    toggled = state.plan[0] is PowerCommand.PUSH_POWER_BUTTON and event.failure.cause in MAY_HAVE_BEEN_DONE
    delay = max(event.retry_after or 0.0, _back_off(state))
    state = replace(
        state,
        accepted=None,
        next_send=inf if toggled else now + delay,
        escalate_at=now + (event.retry_after or 0.0) if len(state.plan) > 1 else inf,
    )
    return _read(state)


def _on_denied(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The command was denied: reads once more, for the host may be at the goal already.

    If the BMC does not support this command and the plan has another one, that one is tried.
    """
    assert isinstance(event, CommandAnswered)
    assert event.failure is not None
    if event.failure.cause is Cause.UNSUPPORTED and len(state.plan) > 1:
        return _read(replace(state, accepted=None, plan=state.plan[1:], escalate_at=inf, next_send=now))
    return _read(replace(state, accepted=None, denied=True))


def _on_not_permitted(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    return _failed(state, failure_text.not_permitted(state.plan[0], state.readings, now))


def _on_task_status(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, TaskStatus)
    if event.failure is not None:
        state = replace(
            state,
            accepted=None,
            command_failure=event.failure,
            task=None,
            next_send=now + _back_off(state),
            escalate_at=now if len(state.plan) > 1 else inf,
        )
    elif event.ended:
        state = replace(state, task=None)
    return _read(state)


def _back_off(state: ProcedureState) -> float:
    return float(state.limits.poll * 2**state.sent)


# --- pauses and ends ----------------------------------------------------------------------------------------------


def _on_timer(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    if state.task and state.polls % POLLS_PER_TASK_READ == POLLS_PER_TASK_READ - 1:
        return replace(state, phase=ProcedurePhase.READING_TASK), ReadTask(state.task)
    return _read(state)


def _read(state: ProcedureState) -> ProcedureStep:
    return replace(state, phase=ProcedurePhase.READING), Read()


def _wait(state: ProcedureState, seconds: float) -> ProcedureStep:
    return replace(state, phase=ProcedurePhase.WAITING, polls=state.polls + 1), Pause(seconds)


def _pause(state: ProcedureState, *, at_least: float = 0.0, at_most: float = inf) -> ProcedureStep:
    """Pauses before the next read: `limits.poll` at first, 1.4 times longer each time up to `limits.poll_max`.

    The pause is longer if one read needs several requests.
    """
    limits = state.limits
    pause = min(limits.poll * 1.4**state.polls, limits.poll_max)
    if state.readings and state.readings[-1].requests > 1:
        pause = max(pause, PAUSE_PER_REQUEST * limits.poll * state.readings[-1].requests)
    return _wait(state, max(min(pause, at_most), at_least))


def _goal_reached(state: ProcedureState, now: float) -> ProcedureStep:
    evidence = _evidence(state)
    if state.action is Action.REBOOT and state.off_evidence is None:
        state = replace(
            state, goal=Power.ON, off_evidence=evidence, half_began=now, sent_for_off=state.sent, sent=0, polls=0, plan=(),
            next_send=-inf, escalate_at=inf, command_failure=None, accepted=None, denied=False, task=None,
        )  # fmt: skip
        return _on_other_state(state, ReadOk(state.readings[-1]), now)
    return _finish(state, FenceVerdict.CONFIRMED, evidence, None)


def _evidence(state: ProcedureState) -> Evidence:
    readings = state.proof
    if state.off_evidence is not None:
        return Evidence(
            readings=(*state.off_evidence.readings, *readings), chassis_check=state.off_evidence.chassis_check, how="restarted"
        )
    if state.limits.chassis_check is ChassisCheck.IGNORE:
        check = "ignore"
    else:
        check = "ok" if all(reading.chassis_word for reading in readings) else "not-linked"
    return Evidence(readings=readings, chassis_check=check, how=HOW[(state.goal, state.sent > 0)])


HOW: Mapping[tuple[Power | None, bool], str] = {
    (Power.OFF, False): "already-off",
    (Power.OFF, True): "powered-off",
    (Power.ON, False): "already-on",
    (Power.ON, True): "on",
    (None, False): "read",
}


def _on_deadline(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    return _failed(state, failure_text.deadline_passed(state, now))


def _failed(state: ProcedureState, failure: Failure) -> ProcedureStep:
    if state.off_evidence is not None:
        note = f"the host is off; switching it on again failed: {failure.text}"
        return _finish(replace(state, notes=(*state.notes, note)), FenceVerdict.CONFIRMED, state.off_evidence, None)
    last = state.readings[-1].power if state.readings and state.read_failure is None else Power.UNKNOWN
    refuted = state.goal is not None and last is OPPOSITE_POWER[state.goal]
    return _finish(state, FenceVerdict.REFUTED if refuted else FenceVerdict.UNKNOWN, None, failure)


def _finish(state: ProcedureState, verdict: FenceVerdict, evidence: Evidence | None, failure: Failure | None) -> ProcedureStep:
    outcome = Outcome(
        verdict=verdict,
        action=state.action,
        commands_sent=state.sent_for_off + state.sent,
        readings=state.readings,
        evidence=evidence,
        failure=failure,
        notes=state.notes,
    )
    return replace(state, phase=ProcedurePhase.DONE), Finish(outcome)


Handler = Callable[[ProcedureState, ProcedureEvent, float], ProcedureStep]

STEPS: Mapping[tuple[ProcedurePhase, EventMeaning], Handler] = {
    (ProcedurePhase.READING, EventMeaning.AT_GOAL): _add_to_proof,
    (ProcedurePhase.READING, EventMeaning.OPPOSITE): _on_other_state,
    (ProcedurePhase.READING, EventMeaning.UNUSABLE): _on_unusable_reading,
    (ProcedurePhase.READING, EventMeaning.RETRYABLE): _on_retryable_failure,
    (ProcedurePhase.READING, EventMeaning.FINAL): _on_final_failure,
    (ProcedurePhase.READING_COMMANDS, EventMeaning.ALLOWED_COMMANDS): _on_allowed_commands,
    (ProcedurePhase.SENDING, EventMeaning.ACCEPTED): _on_accepted,
    (ProcedurePhase.SENDING, EventMeaning.AMBIGUOUS): _on_ambiguous,
    (ProcedurePhase.SENDING, EventMeaning.DENIED): _on_denied,
    (ProcedurePhase.SENDING, EventMeaning.NOT_PERMITTED): _on_not_permitted,
    (ProcedurePhase.READING_TASK, EventMeaning.TASK): _on_task_status,
    (ProcedurePhase.WAITING, EventMeaning.TIMER): _on_timer,
}
IN_EVERY_PHASE: Mapping[EventMeaning, Handler] = {EventMeaning.DEADLINE: _on_deadline}
