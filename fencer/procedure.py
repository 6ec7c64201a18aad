"""The fence procedure: decides after each event what to do next, until the power state is proved or the deadline passes.

`fencer.run` calls `begin` and `step` and performs the effect that they return. Times are seconds of the caller's
monotonic clock.

Rules
  1. Only reads say what state the host is in. The answer to a power command decides only what to try next.
  2. `fencer.proof` decides when Off is proved: at least two reads of exactly Off, from one machine, `stable_for` seconds
     or more from first to last, and no other reading between them.
  3. Read before every command. A host that is off already gets no command.
  4. A required identity was shown before a command is sent, and before the goal counts as reached.
  5. One failure never ends the action while there is time, unless another try cannot help (wrong settings, another machine).
  6. This file has no clock and no socket. `now` comes in with each event; one effect is returned.

Theory
  Fencing needs a *state*, but power commands request a *transition*. A BMC may refuse a transition because the host is in
  that state already, may accept one and never perform it, or may perform one although its answer is lost. So there are
  three kinds of answer: *accepted* (read the state), *ambiguous* (read the state, perhaps send again) and *denied* (read
  the state, try once more, then stop: a third try would be denied too).

  A reboot has two goals: Off, then On. When Off is proved, the purpose of the reboot is reached. If the host then stays
  off until the deadline, the outcome has a note and is still a success (FenceAgentAPI, reboot).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from fencer import command_plan, failure_text, proof, witnesses
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
from fencer.procedure_state import (
    MAX_DENIALS,
    EventMeaning,
    ProcedurePhase,
    ProcedureState,
    classify,
    record_event,
)
from fencer.target import ChassisCheck, Limits

ProcedureStep = tuple[ProcedureState, ProcedureEffect]

CLOCK_MARGIN_S = 0.02  # added to `stable_for`, because two clocks may differ by this much
MIN_READ_GAP_S = 0.05  # shortest pause between two reads, whatever the limits say
TRANSITION_WAIT_S = 3.0  # how long PoweringOff or PoweringOn is waited for before a command is sent
MAX_RETRY_WAIT_S = 5.0  # of a read: a BMC that says Retry-After: 30 is read earlier
POLLS_PER_TASK_READ = 3
READS_WITHOUT_COMMANDS = 3  # then a BMC that offers no way to the goal is believed
READS_WITHOUT_IDENTITY = 3

TRANSITION_WORDS: Mapping[Power, frozenset[str | None]] = {
    Power.OFF: frozenset({"PoweringOff", "Off"}),  # "Off" is unusable only if a chassis contradicts it
    Power.ON: frozenset({"PoweringOn"}),
}
OBEYED_AT_ONCE = frozenset({PowerCommand.FORCE_OFF, PowerCommand.ON, PowerCommand.FORCE_ON})  # no operating system is asked
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
    return ProcedureState(
        action=action, limits=limits, goal=GOALS[action], began=now, half_began=now, read_began=now
    ), Read()  # fmt: skip


def step(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """Takes one event and returns the new state and one effect. Raises UnexpectedEvent if the table has no row for it."""
    if isinstance(event, ReadOk):
        event = _judged(state, event)
    meaning = classify(state, event, now)
    handler = STEPS.get((state.phase, meaning)) or IN_EVERY_PHASE.get(meaning)
    if handler is None or state.phase is ProcedurePhase.DONE:
        raise UnexpectedEvent(f"{meaning} while {state.phase}")
    return handler(record_event(state, event), event, now)


def _judged(state: ProcedureState, event: ReadOk) -> ReadOk | ReadFailed:
    """Compares a reading with the earlier ones: another machine fails it, a chassis that fell silent contradicts it."""
    judged = proof.judge(event.reading, state.pinned, state.witnesses)
    if isinstance(judged, proof.OtherMachine):
        failure = failure_text.other_machine(judged.source, judged.name, judged.before, judged.now)
        return ReadFailed(failure, final=True, contradicts=True)
    return ReadOk(judged)


# --- readings -----------------------------------------------------------------------------------------------------


def _add_to_proof(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The reading shows the goal state: adds it to the proof."""
    state = replace(state, proof=(*state.proof, state.readings[-1]))
    if state.goal is not Power.OFF:
        return _goal_reached(state, now)
    first = state.proof[0].at
    if proof.is_complete(len(state.proof), first, state.readings[-1].at, state.limits.stable_for, state.shaken):
        return _goal_reached(state, now)
    # A cheap read is made more often than needed: this detects a BMC that shows Off only for a moment, and takes no longer.
    parts = max(4 - state.readings[-1].requests, state.proof_reads - 1)
    span = state.proof_span + CLOCK_MARGIN_S
    return _wait(state, max(min(span / parts, first + span - now), MIN_READ_GAP_S))


def _on_other_state(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The host is in the opposite state: sends the next command or waits until it is due."""
    state = replace(state, proof=())
    if state.denied:
        return _failed(state, failure_text.command_denied(state.command_failure, state.readings, now))
    if not state.identity_shown:
        if len(state.readings) >= READS_WITHOUT_IDENTITY:
            return _failed(state, failure_text.identity_not_shown(state.readings[-1]))
        return _pause(state, now)
    if not state.plan and state.allowed is None:
        return replace(state, phase=ProcedurePhase.READING_COMMANDS), ReadAllowedCommands()
    return _send_or_wait(state, now)


def _on_unusable_reading(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The reading shows neither On nor Off."""
    reading = state.readings[-1]
    if state.goal is None:
        return _failed(state, failure_text.unusable_status(reading))
    changing = reading.word in TRANSITION_WORDS[state.goal]
    obeyed = state.accepted in OBEYED_AT_ONCE and state.command_failure is None
    if changing and not state.denied and (obeyed or now - state.half_began < TRANSITION_WAIT_S):
        return _pause(replace(state, proof=()), now)
    return _on_other_state(state, event, now)


def _on_retryable_failure(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, ReadFailed)
    if state.denied and state.failed_reads > 1:
        return _failed(state, failure_text.command_denied(state.command_failure, state.readings, now))
    return _pause(state, now, at_least=min(event.retry_after or 0.0, MAX_RETRY_WAIT_S))


def _on_final_failure(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, ReadFailed)
    return _failed(state, failure_text.read_failed(event.failure, state.readings, now))


# --- commands -----------------------------------------------------------------------------------------------------


def _on_allowed_commands(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, AllowedCommands)
    assert state.goal is not None
    plan, others = command_plan.plan(state.goal, event, state.limits)
    if plan:
        return _send_or_wait(replace(state, allowed=event, plan=plan, others=others), now)
    goal, state = state.goal, replace(state, no_command_reads=state.no_command_reads + 1, allowed=None)
    if state.no_command_reads >= READS_WITHOUT_COMMANDS:
        return _failed(state, failure_text.unsupported(goal, event))
    return _pause(state, now)


def _send_or_wait(state: ProcedureState, now: float) -> ProcedureStep:
    if not state.plan:  # the second half of a reboot
        assert state.allowed is not None
        return _on_allowed_commands(state, state.allowed, now)
    if now >= state.escalate_at:
        state = replace(state, plan=state.plan[1:], escalate_at=inf, next_send=now)
    spent = state.counted >= state.limits.max_commands
    if spent and state.command_failure and state.command_failure.cause is Cause.TASK_FAILED:
        return _failed(state, failure_text.command_denied(state.command_failure, state.readings, now))
    if command_plan.may_send(state, state.plan[0], now):
        return replace(state, phase=ProcedurePhase.SENDING), SendCommand(state.plan[0])
    due = state.next_send - now
    return _pause(state, now, at_most=max(due, MIN_READ_GAP_S) if due > 0 else inf)


def _on_accepted(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The command was accepted: pauses, then reads the state."""
    assert isinstance(event, CommandAnswered)
    left = state.began + state.limits.deadline - now
    budget = min(state.limits.graceful or left / 3, left / 2)
    state = replace(
        state,
        accepted=state.plan[0],
        task=event.task,
        next_send=command_plan.after_acceptance(state, now),
        escalate_at=now + budget if len(state.plan) > 1 else inf,
    )
    return _pause(state, now, at_least=state.limits.poll + state.limits.power_wait)


def _on_ambiguous(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The command may have been performed, or not, or was not needed: reads the state."""
    assert isinstance(event, CommandAnswered)
    assert event.failure is not None
    state = replace(
        state,
        next_send=command_plan.after_refusal(state, event.failure.cause, event.retry_after, now),
        escalate_at=now + (event.retry_after or 0.0) if len(state.plan) > 1 else inf,
    )
    return _read(state, now)


def _on_denied(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The command was denied: reads once more, for the host may be at the goal already, and tries once more.

    If the BMC does not know this command and there is another one, that one is tried.
    """
    assert isinstance(event, CommandAnswered)
    assert event.failure is not None
    rest = state.plan[1:] or (state.others if event.wrong_parameter else ())
    if event.failure.cause is Cause.UNSUPPORTED and rest:
        others = state.others if state.plan[1:] else ()
        return _read(
            replace(state, plan=rest, others=others, denials=state.denials - 1, escalate_at=inf, next_send=now), now
        )  # fmt: skip
    spent = state.counted >= state.limits.max_commands
    # The second half of a reboot ends early only where one more try could lock the account.
    may_end = state.off_evidence is None or event.failure.cause in (Cause.AUTH, Cause.LOCKED)
    if may_end and (state.denials >= MAX_DENIALS or spent):
        return _read(replace(state, denied=True), now)
    return _read(
        replace(state, next_send=command_plan.after_refusal(state, event.failure.cause, event.retry_after, now)), now
    )  # fmt: skip


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
            next_send=command_plan.after_refusal(state, event.failure.cause, None, now),
            escalate_at=now if len(state.plan) > 1 else inf,
        )
    elif event.ended:
        state = replace(state, task=None)
    return _read(state, now)


# --- pauses and ends ----------------------------------------------------------------------------------------------


def _on_timer(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    if state.task and state.polls % POLLS_PER_TASK_READ == POLLS_PER_TASK_READ - 1:
        return replace(state, phase=ProcedurePhase.READING_TASK), ReadTask(state.task)
    return _read(state, now)


def _read(state: ProcedureState, now: float) -> ProcedureStep:
    return replace(state, phase=ProcedurePhase.READING, read_began=now), Read(confirming=bool(state.proof))


def _wait(state: ProcedureState, seconds: float) -> ProcedureStep:
    return replace(state, phase=ProcedurePhase.WAITING, polls=state.polls + 1), Pause(seconds)


def _pause(state: ProcedureState, now: float, *, at_least: float = 0.0, at_most: float = inf) -> ProcedureStep:
    """Pauses before the next read: `limits.poll` from read to read at first, 1.4 times longer each time up to `poll_max`.

    The time that a read takes is part of this period. A read of several requests is made every `limits.poll` per request.
    """
    limits = state.limits
    period = min(limits.poll * 1.4**state.polls, limits.poll_max)
    if state.readings:
        period = max(period, limits.poll * state.readings[-1].requests)
    left = state.read_began + period - now
    return _wait(state, max(min(left, at_most), at_least, MIN_READ_GAP_S))


def _goal_reached(state: ProcedureState, now: float) -> ProcedureStep:
    if not state.identity_shown:
        return _failed(state, failure_text.identity_not_shown(state.readings[-1]))
    evidence = _evidence(state)
    if state.action is Action.REBOOT and state.off_evidence is None:
        state = replace(
            state, goal=Power.ON, off_evidence=evidence, half_began=now, sent_for_off=state.sent, sent=0, counted=0, busy=0,
            lost=0, denials=0, polls=0, plan=(), others=(), next_send=-inf, escalate_at=inf, command_failure=None, accepted=None,
            denied=False, task=None, no_command_reads=0,
        )  # fmt: skip
        return _on_other_state(state, ReadOk(state.readings[-1]), now)
    return _finish(state, FenceVerdict.CONFIRMED, evidence, None)


def _evidence(state: ProcedureState) -> Evidence:
    readings = state.proof
    if state.off_evidence is not None:
        return Evidence(
            readings=(*state.off_evidence.readings, *readings), chassis_check=state.off_evidence.chassis_check, how="restarted"
        )
    check = witnesses.evidence_word(readings)
    if state.limits.chassis_check is ChassisCheck.IGNORE and check != "not-asked":
        check = "ignore"
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
    refuted = state.goal is not None and last in (command_plan.OPPOSITE_POWER[state.goal], Power.MIXED)
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
