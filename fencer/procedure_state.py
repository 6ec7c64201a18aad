"""The state of a fence procedure, and the classification of an event for that state.

`fencer.procedure` calls `classify` at the start of each step.

Rules
  1. Pure data and pure functions.
  2. The cause of a failure decides whether another try makes sense. The tables below are the only place that says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from fencer import proof, witnesses
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
from fencer.identity import ShownIdentities, pin
from fencer.outcome import Action, Cause, Evidence, Failure, Power, PowerCommand, Reading
from fencer.target import Limits
from fencer.witnesses import WitnessMemory


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
    read_began: float  # when the last read was requested
    failed_reads: int = 0  # failed reads in a row
    same_failures: int = 0  # of them, the last ones with one cause
    failing_since: float = inf  # when the first of `same_failures` was requested
    read_failure: Failure | None = None  # why the last read failed that the deadline did not end; None after a successful read
    witnesses: WitnessMemory = field(default_factory=WitnessMemory)
    pinned: ShownIdentities = ()  # the first value of each identity that the BMC showed
    identity_shown: bool = False  # a read of this run showed the required identity, or none is required
    shaken: bool = False  # the BMC lost a request, refused one or was busy: Off needs the longer proof
    no_command_reads: int = 0  # how often the BMC offered no command for the goal
    allowed: AllowedCommands | None = None
    sent_for_off: int = 0  # reboot: power commands sent in its first half
    off_evidence: Evidence | None = None  # reboot: the evidence for Off from its first half
    notes: tuple[str, ...] = ()
    half_began: float
    proof: tuple[Reading, ...] = ()  # the current series of readings at the goal
    plan: tuple[PowerCommand, ...] = ()  # commands to send, least forceful first; empty until AllowedCommands arrives
    others: tuple[PowerCommand, ...] = ()  # what is sent if the BMC does not know the last command of the plan
    sent: int = 0
    counted: int = 0  # of `sent`, those that `limits.max_commands` counts
    busy: int = 0  # commands refused as busy
    lost: int = 0  # commands without an answer: nobody refused them
    denials: int = 0
    polls: int = 0  # number of pauses since the last command
    next_send: float = -inf
    escalate_at: float = inf
    command_failure: Failure | None = None  # why the last command was not accepted
    accepted: PowerCommand | None = None  # the last command that was accepted
    denied: bool = False
    task: str | None = None

    @property
    def proof_reads(self) -> int:
        """Off reads that a proof needs."""
        return proof.reads_needed(self.shaken)

    @property
    def proof_span(self) -> float:
        """Seconds from the first to the last of them."""
        return proof.span_needed(self.limits.stable_for, self.shaken)


@dataclass(frozen=True, slots=True)
class Patience:
    """How many reads in a row that fail with one cause, and over which part of the deadline, make it final."""

    reads: float
    part: float = 0.0


ENDLESS = Patience(inf)
# A BMC that never answered a read: a wrong address, path or password is reported before the deadline, a transient is not.
BEFORE_FIRST_READING: Mapping[Cause, Patience] = {
    Cause.NOT_FOUND: Patience(3, 1 / 5),
    Cause.PRIVILEGE: Patience(3, 1 / 5),
    Cause.UNSUPPORTED: Patience(3, 1 / 5),
    Cause.LOCKED: Patience(3, 1 / 5),
    Cause.TLS: Patience(3, 1 / 5),
    Cause.UNREACHABLE: Patience(3, 1 / 3),
}
DENIALS = frozenset({
    Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.TLS, Cause.CONFIG, Cause.UNSUPPORTED, Cause.NOT_FOUND,
})  # fmt: skip
LOST = frozenset({Cause.TIMEOUT, Cause.UNREACHABLE})
MAX_DENIALS = 2
MAX_READINGS = 64
MEANING_BY_TYPE: Mapping[type[ProcedureEvent], EventMeaning] = {
    AllowedCommands: EventMeaning.ALLOWED_COMMANDS,
    TaskStatus: EventMeaning.TASK,
    TimerFired: EventMeaning.TIMER,
    DeadlinePassed: EventMeaning.DEADLINE,
    NotPermitted: EventMeaning.NOT_PERMITTED,
}


def classify(state: ProcedureState, event: ProcedureEvent, now: float) -> EventMeaning:
    """Classifies one event for the current goal. A read failure is FINAL if its cause will not change."""
    match event:
        case ReadOk(reading):
            if state.goal is None:
                return EventMeaning.UNUSABLE if reading.power is Power.UNKNOWN else EventMeaning.AT_GOAL
            if reading.power is state.goal:
                return EventMeaning.AT_GOAL
            return EventMeaning.UNUSABLE if reading.power is Power.UNKNOWN else EventMeaning.OPPOSITE
        case ReadFailed(failure, final=final):
            patience = ENDLESS if state.readings else BEFORE_FIRST_READING.get(failure.cause, ENDLESS)
            count, since = _same_failures(state, failure)
            enough = count >= patience.reads and now - since >= patience.part * state.limits.deadline
            return EventMeaning.FINAL if final or enough else EventMeaning.RETRYABLE
        case CommandAnswered(failure):
            if failure is None:
                return EventMeaning.ACCEPTED
            return EventMeaning.DENIED if failure.cause in DENIALS else EventMeaning.AMBIGUOUS
        case _:
            return MEANING_BY_TYPE[type(event)]


def _same_failures(state: ProcedureState, failure: Failure) -> tuple[int, float]:
    """How many reads in a row have now failed with this cause, and when the first of them was requested."""
    if state.read_failure is not None and state.read_failure.cause is failure.cause:
        return state.same_failures + 1, state.failing_since
    return 1, state.read_began


def record_event(state: ProcedureState, event: ProcedureEvent) -> ProcedureState:
    """Returns the state with what the event says, before the procedure decides what to do."""
    match event:
        case ReadOk(reading):
            return replace(
                state,
                readings=(*state.readings, reading)[-MAX_READINGS:],
                failed_reads=0,
                same_failures=0,
                failing_since=inf,
                read_failure=None,
                witnesses=witnesses.remember(state.witnesses, reading.witnesses),
                proof=() if witnesses.has_newcomer(reading, state.witnesses) else state.proof,
                pinned=pin(state.pinned, reading.shown),
                identity_shown=state.identity_shown or not reading.identity_missing,
                shaken=state.shaken or reading.repeated > 0,
            )
        case ReadFailed(failure, contradicts=contradicts, cut_short=cut_short):
            same, since = _same_failures(state, failure)
            return replace(
                state,
                failed_reads=state.failed_reads + 1,
                same_failures=same,
                failing_since=since,
                read_failure=state.read_failure if cut_short and state.read_failure is not None else failure,
                proof=() if contradicts else state.proof,
                shaken=True,
            )
        case CommandAnswered(failure):
            is_busy = failure is not None and failure.cause is Cause.BUSY
            free = is_busy and state.limits.max_commands > 1
            return replace(
                state,
                sent=state.sent + 1,
                counted=state.counted + (0 if free else 1),
                busy=state.busy + (1 if is_busy else 0),
                lost=state.lost + (1 if failure is not None and failure.cause in LOST else 0),
                denials=state.denials + (1 if failure is not None and failure.cause in DENIALS else 0),
                polls=0,
                command_failure=failure,
                shaken=state.shaken or (failure is not None and failure.cause in proof.TROUBLE),
            )
        case _:
            return state
