"""The state of a fence procedure, and the classification of an event for that state.

`fencer.procedure` calls `classify` at the start of each step.

Rules
  1. Pure data and one pure function.
  2. The cause of a failure decides whether another try makes sense. The tables below are the only place that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from fencer.events_effects import (
    AllowedCommands,
    CommandAnswered,
    DeadlinePassed,
    NotPermitted,
    ProcedureEvent,
    ReadFailed,
    ReadOk,
    TaskStatus,
    TimerFired,
)
from fencer.outcome import Action, Cause, Evidence, Failure, Power, PowerCommand, Reading
from fencer.target import Limits


class ProcedurePhase(StrEnum):
    """What the procedure is waiting for."""

    READING = "reading"
    WAITING = "waiting"
    READING_COMMANDS = "reading allowed commands"
    SENDING = "sending"
    READING_TASK = "reading task"
    DONE = "done"


class EventMeaning(StrEnum):
    """What an event means for the goal of the action."""

    AT_GOAL = "at goal"
    OPPOSITE = "opposite"
    UNUSABLE = "unusable reading"  # PoweringOff, null, an unknown word, or a chassis that contradicts
    RETRYABLE = "retryable read failure"
    FINAL = "final read failure"  # another read would fail in the same way
    ALLOWED_COMMANDS = "allowed commands"
    ACCEPTED = "accepted"
    AMBIGUOUS = "ambiguous"
    DENIED = "denied"
    TASK = "task"
    TIMER = "timer"
    DEADLINE = "deadline"
    NOT_PERMITTED = "not permitted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcedureState:
    """Everything that the procedure knows. Times are seconds of the caller's monotonic clock.

    A reboot has two halves, off and on. The fields from `half_began` to `task` belong to the current half.
    """

    action: Action
    limits: Limits
    goal: Power | None  # None: the action only reads
    began: float
    phase: ProcedurePhase = ProcedurePhase.READING
    readings: tuple[Reading, ...] = ()
    failed_reads: int = 0
    read_failure: Failure | None = None  # why the last read failed; None after a successful read
    allowed: AllowedCommands | None = None
    sent_for_off: int = 0  # reboot: power commands sent in its first half
    off_evidence: Evidence | None = None  # reboot: the evidence for Off from its first half
    notes: tuple[str, ...] = ()
    half_began: float
    proof: tuple[Reading, ...] = ()  # the current series of readings at the goal
    plan: tuple[PowerCommand, ...] = ()  # commands to send, least forceful first; empty until AllowedCommands arrives
    sent: int = 0
    polls: int = 0  # number of pauses since the last command
    next_send: float = -inf
    escalate_at: float = inf
    command_failure: Failure | None = None  # why the last command was not accepted
    accepted: PowerCommand | None = None  # the last command, if it was accepted
    denied: bool = False
    task: str | None = None


ALWAYS_FINAL = frozenset({Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.TLS, Cause.CONFIG, Cause.UNSUPPORTED})
TRIES_BEFORE_FIRST_READING: Mapping[Cause, int] = {Cause.NOT_FOUND: 1, Cause.UNREACHABLE: 3}
DENIALS = frozenset({*ALWAYS_FINAL, Cause.NOT_FOUND})
MEANING_BY_TYPE: Mapping[type[ProcedureEvent], EventMeaning] = {
    AllowedCommands: EventMeaning.ALLOWED_COMMANDS,
    TaskStatus: EventMeaning.TASK,
    TimerFired: EventMeaning.TIMER,
    DeadlinePassed: EventMeaning.DEADLINE,
    NotPermitted: EventMeaning.NOT_PERMITTED,
}


def classify(state: ProcedureState, event: ProcedureEvent) -> EventMeaning:
    """Classifies one event for the current goal. A read failure is FINAL if its cause will not change."""
    match event:
        case ReadOk(reading):
            if state.goal is None:
                return EventMeaning.UNUSABLE if reading.power is Power.UNKNOWN else EventMeaning.AT_GOAL
            if reading.power is state.goal:
                return EventMeaning.AT_GOAL
            return EventMeaning.UNUSABLE if reading.power is Power.UNKNOWN else EventMeaning.OPPOSITE
        case ReadFailed(failure):
            tries = TRIES_BEFORE_FIRST_READING.get(failure.cause, inf)
            if failure.cause in ALWAYS_FINAL or (not state.readings and state.failed_reads + 1 >= tries):
                return EventMeaning.FINAL
            return EventMeaning.RETRYABLE
        case CommandAnswered(failure):
            if failure is None:
                return EventMeaning.ACCEPTED
            return EventMeaning.DENIED if failure.cause in DENIALS else EventMeaning.AMBIGUOUS
        case _:
            return MEANING_BY_TYPE[type(event)]
