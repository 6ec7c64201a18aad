"""How a host is brought to a power state, and when that may be said.

Rules
  1. State decides. A power command's answer only says what to try next; it never says what the host is.
  2. Off is claimed only for reads of exactly Off, at least two, `stable_for` seconds from first to last, with nothing
     else between them, from one machine. A read that failed breaks the series: nobody knows what it would have said.
  3. Read before every command. A host that is off already gets none; a button is pushed only on one that is known On.
  4. This file has no clock and no socket. `now` comes in with each event; one effect goes out.

Theory
  Fencing asks for a *state*, power commands ask for a *transition*; BMCs refuse transitions whose end already holds,
  accept ones that they never carry out, and carry out ones whose answer is lost. So there are only three kinds of
  answer: *accepted* (look), *ambiguous* (look, and perhaps send again) and *denied* (look once, then stop: another try
  would be denied too, and a second wrong password may lock the account).

  A reboot is two goals in a row. Once the first is proven the old run of the host has ended, and that is what a reboot
  is for; a host that then stays off is noted, and is no failure (FenceAgentAPI, reboot).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf

from fencer import failure_text as wording
from fencer.events_effects import (
    CommandAnswered,
    Finish,
    Follow,
    Offers,
    Pause,
    ProcedureEffect,
    ProcedureEvent,
    Read,
    ReadFailed,
    ReadOk,
    SendCommand,
    Survey,
    TaskSaid,
)
from fencer.outcome import Action, Cause, Evidence, Failure, FenceVerdict, Outcome, Power, PowerCommand
from fencer.situation import Input, ProcedurePhase, ProcedureState, meaning
from fencer.target import ChassisCheck, Limits

ProcedureStep = tuple[ProcedureState, ProcedureEffect]

MARGIN = 0.02  # seconds: what two clocks may differ over `stable_for`
LEAST_GAP = 0.05  # seconds between two reads, whatever the limits say
PATIENCE = 3.0  # seconds for a host that is on its way to the goal before it is pushed
PACE = 1.3  # pauses per request of a read: leaves room for the dense reads of the proof
KEPT_READINGS = 64
FOLLOW_EVERY = 3  # polls

MAY_HAVE_HAPPENED = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE, Cause.BAD_RESPONSE})
UNDER_WAY: Mapping[Power, frozenset[str | None]] = {
    Power.OFF: frozenset({"PoweringOff", "Off"}),  # "Off" gets here only where a chassis contradicts it
    Power.ON: frozenset({"PoweringOn"}),
}
OPPOSITES: Mapping[Power, Power] = {Power.OFF: Power.ON, Power.ON: Power.OFF}
GOALS: Mapping[Action, Power | None] = {
    Action.OFF: Power.OFF,
    Action.ON: Power.ON,
    Action.REBOOT: Power.OFF,
    Action.STATUS: None,
    Action.MONITOR: None,
}


class OutOfOrder(Exception):
    """An event that cannot happen in this phase: a bug of the caller, never a BMC's doing."""


def begin(action: Action, limits: Limits, now: float) -> ProcedureStep:
    """The first step: read. Raises KeyError for actions that have no power state as their end (list, metadata ...)."""
    return ProcedureState(action=action, limits=limits, goal=GOALS[action], began=now, half_began=now), Read()


def step(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """Answers one event with one effect. Raises OutOfOrder where the table has no row."""
    if isinstance(event, ReadOk) and (stranger := wording.stranger(state.readings, event.reading)):
        event = ReadFailed(stranger)
    what = meaning(state, event)
    handler = STEPS.get((state.phase, what)) or ANYWHERE.get(what)
    if handler is None or state.phase is ProcedurePhase.DONE:
        raise OutOfOrder(f"{what} while {state.phase}")
    return handler(_noted(state, event), event, now)


def _noted(state: ProcedureState, event: ProcedureEvent) -> ProcedureState:
    match event:
        case ReadOk(reading):
            return replace(state, readings=(*state.readings, reading)[-KEPT_READINGS:], misses=0, miss=None)
        case ReadFailed(failure):
            return replace(state, misses=state.misses + 1, miss=failure, proof=())
        case CommandAnswered(failure):
            return replace(state, sent=state.sent + 1, polls=0, answer=failure)
        case _:
            return state


# --- readings -----------------------------------------------------------------------------------------------------


def _count(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """One more reading at the goal."""
    state = replace(state, proof=(*state.proof, state.readings[-1]))
    if state.goal is not Power.OFF:
        return _reached(state, now)
    stable = state.limits.stable_for
    first = state.proof[0].at
    if len(state.proof) > 1 and state.readings[-1].at - first >= stable:
        return _reached(state, now)
    # Four reads rather than two: a BMC that shows Off for a moment is caught at no cost in time.
    gap = min((stable + MARGIN) / 3, first + stable + MARGIN - now)
    return _wait(state, max(gap, LEAST_GAP))


def _act(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The host is known to be in the other state."""
    state = replace(state, proof=())
    if state.denied:
        return _failed(state, wording.denied(state.answer, state.readings, now))
    if not state.plan and state.offers is None:
        return replace(state, phase=ProcedurePhase.ASKING), Survey()
    return _send_or_wait(state, now)


def _weigh(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """The reading is no evidence of anything."""
    reading = state.readings[-1]
    if state.goal is None:
        return _failed(state, wording.no_evidence(reading))
    if not state.denied and reading.word in UNDER_WAY[state.goal] and now - state.half_began < PATIENCE:
        return _pause(replace(state, proof=()))
    return _act(state, event, now)


def _read_again(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, ReadFailed)
    if state.denied:
        return _failed(state, wording.denied(state.answer, state.readings, now))
    return _pause(state, at_least=event.retry_after or 0.0)


def _give_up(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, ReadFailed)
    return _failed(state, wording.barred(event.failure, state.readings, now))


# --- commands -----------------------------------------------------------------------------------------------------


def _choose(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, Offers)
    state = replace(state, offers=event)
    return _send_or_wait(state, now)


def plan(goal: Power, offers: Offers, limits: Limits) -> tuple[PowerCommand, ...]:
    """The power commands for a goal, in the order in which they are tried; empty if the BMC allows none that fits."""

    def allowed(*commands: PowerCommand) -> tuple[PowerCommand, ...]:
        return tuple(command for command in commands if command in offers.commands)

    if goal is Power.ON:
        if not offers.listed:
            return (PowerCommand.ON,)
        return allowed(PowerCommand.ON, PowerCommand.FORCE_ON, PowerCommand.PUSH_POWER_BUTTON)[:1]
    if offers.listed and PowerCommand.FORCE_OFF not in offers.commands:
        return allowed(PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON)
    polite = PowerCommand.GRACEFUL_SHUTDOWN
    # Without a second command to spend, a polite first one would leave nothing for a host that ignores it.
    if limits.graceful > 0 and limits.max_commands > 1 and (not offers.listed or polite in offers.commands):
        return polite, PowerCommand.FORCE_OFF
    return (PowerCommand.FORCE_OFF,)


def _send_or_wait(state: ProcedureState, now: float) -> ProcedureStep:
    goal, offers = state.goal, state.offers
    assert goal is not None
    assert offers is not None
    if not state.plan:
        state = replace(state, plan=plan(goal, offers, state.limits))
    if not state.plan:
        return _failed(state, wording.unsupported(goal, offers))
    if now >= state.escalate_at:
        state = replace(state, plan=state.plan[1:], escalate_at=inf, next_send=now)
    if state.sent >= state.limits.max_commands and state.answer and state.answer.cause is Cause.TASK_FAILED:
        return _failed(state, wording.denied(state.answer, state.readings, now))
    command = state.plan[0]
    blind_toggle = command is PowerCommand.PUSH_POWER_BUTTON and (state.readings[-1].power is not OPPOSITES[goal])
    if state.sent < state.limits.max_commands and now >= state.next_send and not blind_toggle:
        return replace(state, phase=ProcedurePhase.SENDING), SendCommand(command)
    due = state.next_send - now
    return _pause(state, at_most=max(due, LEAST_GAP) if due > 0 else inf)


def _watch(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """Accepted: from now on only reads count."""
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


def _look_again(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """Ambiguous: done, not done, or not needed. The next reading tells."""
    assert isinstance(event, CommandAnswered)
    assert event.failure is not None
    toggled = state.plan[0] is PowerCommand.PUSH_POWER_BUTTON and event.failure.cause in MAY_HAVE_HAPPENED
    delay = max(event.retry_after or 0.0, _back_off(state))
    state = replace(
        state,
        accepted=None,
        next_send=inf if toggled else now + delay,
        escalate_at=now + (event.retry_after or 0.0) if len(state.plan) > 1 else inf,
    )
    return _read(state)


def _last_look(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    """Denied: the host may be at the goal all the same. Where the BMC does not know the command, the next is tried."""
    assert isinstance(event, CommandAnswered)
    assert event.failure is not None
    if event.failure.cause is Cause.UNSUPPORTED and len(state.plan) > 1:
        return _read(replace(state, accepted=None, plan=state.plan[1:], escalate_at=inf, next_send=now))
    return _read(replace(state, accepted=None, denied=True))


def _not_permitted(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    return _failed(state, wording.vetoed(state.plan[0], state.readings, now))


def _heed_task(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    assert isinstance(event, TaskSaid)
    if event.failure is not None:
        state = replace(
            state,
            accepted=None,
            answer=event.failure,
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


def _after_pause(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    if state.task and state.polls % FOLLOW_EVERY == FOLLOW_EVERY - 1:
        return replace(state, phase=ProcedurePhase.FOLLOWING), Follow(state.task)
    return _read(state)


def _read(state: ProcedureState) -> ProcedureStep:
    return replace(state, phase=ProcedurePhase.READING), Read()


def _wait(state: ProcedureState, seconds: float) -> ProcedureStep:
    return replace(state, phase=ProcedurePhase.WAITING, polls=state.polls + 1), Pause(seconds)


def _pause(state: ProcedureState, *, at_least: float = 0.0, at_most: float = inf) -> ProcedureStep:
    """Between two polls: 0.5 s at first, then gently up, and slower where one read costs several requests."""
    limits = state.limits
    pause = min(limits.poll * 1.4**state.polls, limits.poll_max)
    if state.readings and state.readings[-1].requests > 1:
        pause = max(pause, PACE * limits.poll * state.readings[-1].requests)
    return _wait(state, max(min(pause, at_most), at_least))


def _reached(state: ProcedureState, now: float) -> ProcedureStep:
    evidence = _evidence(state)
    if state.action is Action.REBOOT and state.settled is None:
        state = replace(
            state, goal=Power.ON, settled=evidence, half_began=now, sent_before=state.sent, sent=0, polls=0, plan=(),
            next_send=-inf, escalate_at=inf, answer=None, accepted=None, denied=False, task=None,
        )  # fmt: skip
        return _act(state, ReadOk(state.readings[-1]), now)
    return _finish(state, FenceVerdict.CONFIRMED, evidence, None)


def _evidence(state: ProcedureState) -> Evidence:
    readings = state.proof
    if state.settled is not None:
        return Evidence(readings=(*state.settled.readings, *readings), chassis_check=state.settled.chassis_check, how="restarted")
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


def _time_up(state: ProcedureState, event: ProcedureEvent, now: float) -> ProcedureStep:
    return _failed(state, wording.time_up(state, now))


def _failed(state: ProcedureState, failure: Failure) -> ProcedureStep:
    if state.settled is not None:
        note = f"the host is off; switching it on again failed: {failure.text}"
        return _finish(replace(state, notes=(*state.notes, note)), FenceVerdict.CONFIRMED, state.settled, None)
    last = state.readings[-1].power if state.readings and state.miss is None else Power.UNKNOWN
    refuted = state.goal is not None and last is OPPOSITES[state.goal]
    return _finish(state, FenceVerdict.REFUTED if refuted else FenceVerdict.UNKNOWN, None, failure)


def _finish(state: ProcedureState, verdict: FenceVerdict, evidence: Evidence | None, failure: Failure | None) -> ProcedureStep:
    outcome = Outcome(
        verdict=verdict,
        action=state.action,
        commands_sent=state.sent_before + state.sent,
        readings=state.readings,
        evidence=evidence,
        failure=failure,
        notes=state.notes,
    )
    return replace(state, phase=ProcedurePhase.DONE), Finish(outcome)


Handler = Callable[[ProcedureState, ProcedureEvent, float], ProcedureStep]

STEPS: Mapping[tuple[ProcedurePhase, Input], Handler] = {
    (ProcedurePhase.READING, Input.AT_GOAL): _count,
    (ProcedurePhase.READING, Input.OPPOSITE): _act,
    (ProcedurePhase.READING, Input.UNSURE): _weigh,
    (ProcedurePhase.READING, Input.MISSED): _read_again,
    (ProcedurePhase.READING, Input.BARRED): _give_up,
    (ProcedurePhase.ASKING, Input.OFFERED): _choose,
    (ProcedurePhase.SENDING, Input.ACCEPTED): _watch,
    (ProcedurePhase.SENDING, Input.AMBIGUOUS): _look_again,
    (ProcedurePhase.SENDING, Input.DENIED): _last_look,
    (ProcedurePhase.SENDING, Input.VETO): _not_permitted,
    (ProcedurePhase.FOLLOWING, Input.TASK): _heed_task,
    (ProcedurePhase.WAITING, Input.TIMER): _after_pause,
}
ANYWHERE: Mapping[Input, Handler] = {Input.DEADLINE: _time_up}
