"""Plays the fence procedure against every answer that a BMC can give, in every order, up to a deadline.

The host stays up in all of it. The adversary may answer each read and each command as it likes, with one limit: it lets all
views say Off together only for less time than the proof needs. A claim of Off that it reaches nevertheless is a fault of
the procedure. Equal situations are explored once.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace

from fencer import procedure
from fencer.events_effects import (
    AllowedCommands,
    CommandAnswered,
    DeadlinePassed,
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
    TimerFired,
)
from fencer.outcome import Action, Cause, Failure, FenceVerdict, Power, PowerCommand, Reading, Witness, WitnessState
from fencer.procedure_state import ProcedureState
from fencer.target import Limits

# With a clock margin of 0, two requests per read, and reads that take no time, all times are multiples of 0.5 s.
LIMITS = Limits(deadline=3.0, stable_for=1.0, poll=0.25, poll_max=0.25)
REQUESTS = 2
CHASSIS = "/c/1"
SAYS, SILENT, SHARED, UNKNOWN = WitnessState
TROUBLE = frozenset({Cause.TIMEOUT, Cause.BUSY, Cause.UNREACHABLE})


@dataclass(frozen=True)
class Answer:
    """One answer to a read: a power word and what the chassis says, or a failure."""

    name: str
    word: str | None = None
    chassis: tuple[WitnessState, str | None] | None = None  # None: no chassis is linked
    uuid: str | None = "uuid-1"
    missing: bool = False
    failure: Cause | None = None
    contradicts: bool = False
    repeated: int = 0

    @property
    def all_say_off(self) -> bool:
        return self.word == "Off" and self.chassis in (None, (SAYS, "Off"), (SILENT, None), (SHARED, None))

    def event(self, now: float) -> ProcedureEvent:
        if self.failure is not None:
            return ReadFailed(Failure(cause=self.failure, text="x"), contradicts=self.contradicts)
        said = () if self.chassis is None else (Witness(uri=CHASSIS, state=self.chassis[0], word=self.chassis[1]),)
        return ReadOk(
            Reading(
                power=Power.UNKNOWN, word=self.word, at=now, path="test", witnesses=said, identity_missing=self.missing,
                repeated=self.repeated,
                shown=(("UUID", self.uuid),) if self.uuid else (), requests=REQUESTS,
            )
        )  # fmt: skip


READS = (
    Answer("on, and so says the chassis", "On", (SAYS, "On")),
    Answer("on, no chassis", "On"),
    Answer("off, and so says the chassis", "Off", (SAYS, "Off")),
    Answer("off, no chassis", "Off"),
    Answer("off, chassis without PowerState", "Off", (SILENT, None)),
    Answer("off, chassis shared", "Off", (SHARED, None)),
    Answer("off, chassis on", "Off", (SAYS, "On")),
    Answer("off, chassis unknown", "Off", (UNKNOWN, None)),
    Answer("off, another machine", "Off", (SAYS, "Off"), uuid="uuid-2"),
    Answer("off at the second try", "Off", (SAYS, "Off"), repeated=1),
    Answer("powering off", "PoweringOff", (SAYS, "Off")),
    Answer("null", None),
    Answer("lost", failure=Cause.TIMEOUT),
    Answer("not found", failure=Cause.NOT_FOUND),
    Answer("about something else", failure=Cause.BAD_RESPONSE, contradicts=True),
)
COMMAND_ANSWERS = (
    CommandAnswered(),
    *(CommandAnswered(Failure(cause=cause, text="x")) for cause in (Cause.CONFLICT, Cause.BUSY, Cause.PRIVILEGE)),
    CommandAnswered(Failure(cause=Cause.UNSUPPORTED, text="x"), wrong_parameter=True),
)
OFFERS = (
    AllowedCommands(),
    AllowedCommands(frozenset({PowerCommand.FORCE_OFF, PowerCommand.PUSH_POWER_BUTTON}), listed=True),
    AllowedCommands(listed=True),
)


@dataclass(frozen=True)
class Situation:
    """The procedure's state, what it wants, the time, and what the adversary has said so far."""

    state: ProcedureState
    effect: ProcedureEffect
    now: float
    lying_since: float | None = None  # since when all views say Off
    spoken: bool = False  # the chassis has had a PowerState
    uuid: str | None = None
    trouble: bool = False  # a request was lost or refused

    def key(self) -> Hashable:
        """Equal for situations that the procedure cannot tell apart: without reports and without what only paces the polling."""
        state = self.state
        last = state.readings[-1] if state.readings else None
        return (
            replace(
                state, readings=(), proof=(), notes=(), polls=0, failed_reads=min(state.failed_reads, 3), read_failure=None,
                failing_since=0.0, command_failure=None, denials=min(state.denials, 2), sent=min(state.sent, 3), busy=0,
            ),
            last and (last.power, last.word),
            (state.proof[0].at, min(len(state.proof), 3)) if state.proof else None,
            min(len(state.readings), 3),
            (type(self.effect), self.now, self.lying_since, self.spoken, self.uuid, self.trouble),
        )  # fmt: skip


@dataclass(frozen=True)
class Adversary:
    """What the BMC may answer."""

    reads: tuple[Answer, ...] = READS
    commands: tuple[CommandAnswered, ...] = COMMAND_ANSWERS[:1]
    offers: tuple[AllowedCommands, ...] = OFFERS[:1]
    honest_time: bool = True  # all views together say Off only for less time than the proof needs


FEW_READS = tuple(READS[index] for index in (0, 2, 6, 7, 12))
MANY_COMMANDS = Adversary(FEW_READS, COMMAND_ANSWERS, OFFERS)
EVERYTHING = Adversary(READS, COMMAND_ANSWERS, OFFERS)


def explore(adversary: Adversary, limits: Limits = LIMITS) -> tuple[int, list[str] | None]:
    """Returns the number of situations, and the answers that led to a false claim, or None if there is no way to one."""
    state, effect = procedure.begin(Action.OFF, limits, 0.0)
    start = Situation(state, effect, 0.0)
    seen = {start.key()}
    waiting: list[tuple[Situation, tuple[str, ...]]] = [(start, ())]
    while waiting:
        situation, trail = waiting.pop()
        for name, following in _answers(situation, adversary):
            if isinstance(following.effect, Finish):
                if following.effect.outcome.verdict is FenceVerdict.CONFIRMED:
                    return len(seen), [*trail, name]
                continue
            key = following.key()
            if key not in seen:
                seen.add(key)
                waiting.append((following, (*trail, name)))
    return len(seen), None


def _answers(situation: Situation, adversary: Adversary) -> Iterator[tuple[str, Situation]]:
    effect, deadline = situation.effect, situation.state.limits.deadline
    if situation.now >= deadline:
        yield "deadline", _after(situation, DeadlinePassed(), situation.now)
        return
    match effect:
        case Pause(seconds):
            yield "wait", _after(situation, TimerFired(), min(situation.now + seconds, deadline))
        case Read():
            for answer in adversary.reads:
                following = _after_read(situation, answer, honest_time=adversary.honest_time)
                if following is not None:
                    yield answer.name, following
        case ReadAllowedCommands():
            for offer in adversary.offers:
                yield f"offers {sorted(offer.commands)}", _after(situation, offer, situation.now)
        case SendCommand(command):
            for reply in adversary.commands:
                lost = reply.failure is not None and reply.failure.cause in TROUBLE
                said = replace(situation, trouble=situation.trouble or lost)
                yield f"{command}: {reply.failure and reply.failure.cause}", _after(said, reply, situation.now)
        case ReadTask():
            yield "task", _after(situation, TaskStatus(ended=True), situation.now)


def _after(situation: Situation, event: ProcedureEvent, now: float) -> Situation:
    now = round(now, 3)
    state, effect = procedure.step(situation.state, event, now)
    return replace(situation, state=state, effect=effect, now=now)


def _after_read(situation: Situation, answer: Answer, *, honest_time: bool) -> Situation | None:
    """None if the adversary would let all views say Off for as long as the proof takes."""
    lost = answer.failure is not None and not answer.contradicts
    since = situation.lying_since
    trouble = situation.trouble or answer.failure is not None or answer.repeated > 0
    hides = situation.spoken and answer.chassis != (SAYS, "Off")
    if answer.all_say_off and not hides and (situation.uuid in (None, answer.uuid)):
        newcomer = answer.chassis == (SAYS, "Off") and not situation.spoken
        since = situation.now if since is None or newcomer else since
        need = situation.state.limits.stable_for * (2 if trouble else 1)
        if honest_time and situation.now - since >= need:
            return None
    elif not lost:
        since = None
    following = replace(
        situation,
        lying_since=since,
        spoken=situation.spoken or (answer.chassis is not None and answer.chassis[0] is SAYS),
        uuid=situation.uuid or (answer.uuid if answer.failure is None else None),
        trouble=trouble,
    )
    return _after(following, answer.event(situation.now), situation.now)
