"""Where a fence procedure stands, and what an event means there.

Rules
  1. Pure data and one pure function.
  2. The causes of a failure decide whether another try makes sense; the tables below are the whole of that knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from fencer.events_effects import (
    CommandAnswered,
    DeadlinePassed,
    Offers,
    ProcedureEvent,
    ReadFailed,
    ReadOk,
    TaskSaid,
    TimerFired,
    Vetoed,
)
from fencer.outcome import Action, Cause, Evidence, Failure, Power, PowerCommand, Reading
from fencer.target import Limits


class ProcedurePhase(StrEnum):
    """What the procedure waits for."""

    READING = "reading"
    WAITING = "waiting"
    ASKING = "asking"
    SENDING = "sending"
    FOLLOWING = "following"
    DONE = "done"


class Input(StrEnum):
    """What an event means for the goal."""

    AT_GOAL = "at goal"
    OPPOSITE = "opposite"
    UNSURE = "unsure"  # PoweringOff, null, a word of another world, a chassis that contradicts
    MISSED = "missed"  # no reading, worth another try
    BARRED = "barred"  # no reading, and another try would end the same
    OFFERED = "offered"
    ACCEPTED = "accepted"
    AMBIGUOUS = "ambiguous"
    DENIED = "denied"
    TASK = "task"
    TIMER = "timer"
    DEADLINE = "deadline"
    VETO = "veto"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureState:
    """Everything that is known. Fields from `plan` to `task` are about the current half of a reboot."""

    action: Action
    limits: Limits
    goal: Power | None  # None: only to be read
    began: float
    phase: ProcedurePhase = ProcedurePhase.READING
    readings: tuple[Reading, ...] = ()
    misses: int = 0
    miss: Failure | None = None  # why the newest read failed; None after a reading
    offers: Offers | None = None
    sent_before: int = 0  # power commands of the first half
    settled: Evidence | None = None  # reboot: the proof of its first half
    notes: tuple[str, ...] = ()
    half_began: float
    proof: tuple[Reading, ...] = ()  # the unbroken series of readings at the goal
    plan: tuple[PowerCommand, ...] = ()  # what to send, mildest first; empty before the survey
    sent: int = 0
    polls: int = 0  # pauses since the last command
    next_send: float = -inf
    escalate_at: float = inf
    answer: Failure | None = None  # why the last command was not accepted
    accepted: PowerCommand | None = None  # the last command, if it was
    denied: bool = False
    task: str | None = None


ALWAYS_BARRED = frozenset({Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.TLS, Cause.CONFIG, Cause.UNSUPPORTED})
TRIES_BEFORE_A_READING: Mapping[Cause, int] = {Cause.NOT_FOUND: 1, Cause.UNREACHABLE: 3}
DENIALS = frozenset({*ALWAYS_BARRED, Cause.NOT_FOUND})
PLAIN: Mapping[type[ProcedureEvent], Input] = {
    Offers: Input.OFFERED,
    TaskSaid: Input.TASK,
    TimerFired: Input.TIMER,
    DeadlinePassed: Input.DEADLINE,
    Vetoed: Input.VETO,
}


def meaning(state: ProcedureState, event: ProcedureEvent) -> Input:
    """Reads one event in the light of what is known."""
    match event:
        case ReadOk(reading):
            if state.goal is None:
                return Input.UNSURE if reading.power is Power.UNKNOWN else Input.AT_GOAL
            if reading.power is state.goal:
                return Input.AT_GOAL
            return Input.UNSURE if reading.power is Power.UNKNOWN else Input.OPPOSITE
        case ReadFailed(failure):
            tries = TRIES_BEFORE_A_READING.get(failure.cause, inf)
            if failure.cause in ALWAYS_BARRED or (not state.readings and state.misses + 1 >= tries):
                return Input.BARRED
            return Input.MISSED
        case CommandAnswered(failure):
            if failure is None:
                return Input.ACCEPTED
            return Input.DENIED if failure.cause in DENIALS else Input.AMBIGUOUS
        case _:
            return PLAIN[type(event)]
