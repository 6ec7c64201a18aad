"""What a BMC may do otherwise at one request, as a table. Pure data; `search` asks where each may come, `plan` makes faults.

Rules
  1. The order is from mild to severe: a find is shown with the mildest deviation that does it.
  2. A mild one, of which there are at most 15, costs one of the budget. The others cost two: they last for several requests,
     change what happens to the host and not one answer only, or are seldom met.
  3. A deviation that would change nothing for its client, such as the word Off where Off was told, is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from conformance.hunt import agent_deviation
from conformance.hunt.observation import HANDSHAKE, ObservedStep
from conformance.hunt.trace import ManagerStart, PlacedDeviation, Start, Trace, World
from conformance.vocabulary import Protocol
from emulator import Intent, Rail

Parameters = Mapping[str, object]
COMMANDS: Final = frozenset({Intent.POWER_COMMAND.value})
READS: Final = frozenset({Intent.POWER_READ.value})
READING: Final = frozenset({Intent.POWER_READ.value, Intent.READ.value})
EVERY: Final[frozenset[str]] = frozenset()
LASTS: Final = 4
"""Requests of one kind in a row on which a deviation acts that lasts: more than a careful client tries one of them."""


class Counted(Enum):
    """Which requests a fault counts, by the seam at which it acts."""

    SENT = "sent"  # wire
    SERVED = "served"  # protocol
    VIEWED = "viewed"  # report
    EFFECTIVE = "effective"  # power


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultForm:
    """A deviation over one protocol: a fault of `emulator.faults`, its parameters, and the requests at which it makes sense.

    `intents` are those of the requests; empty: any but a handshake. `whats` are IPMI commands that are meant beside them. `views`
    are those whose word it changes, and `told` says which words it would replace: none of them, nothing to change. `rail` is the
    truth with which it makes sense. It acts on `count` requests of the same kind in a row: an IPMI client sends a lost one again.
    """

    fault: str
    params: Parameters = field(default_factory=dict)
    counted: Counted = Counted.SERVED
    intents: frozenset[str] = EVERY
    whats: frozenset[str] = frozenset()
    views: frozenset[str] = frozenset()
    told: frozenset[str] = frozenset()
    rail: Rail | None = None
    count: int = 1


IN_BRACKETS: Final = re.compile(r"\(([^;)]*); ([^)]*)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcDeviation:
    """`sentence` completes "at the second power read the BMC ...". In brackets stands what that is over Redfish; over IPMI."""

    word: str
    sentence: str
    redfish: FaultForm | None = None
    ipmi: FaultForm | None = None
    cost: int = 1
    starts: frozenset[Start] = frozenset(Start)

    def form(self, protocol: Protocol) -> FaultForm | None:
        return self.redfish if protocol is Protocol.REDFISH else self.ipmi

    def sentence_over(self, protocol: Protocol) -> str:
        """The sentence with what it is over this protocol only."""
        which = 1 if protocol is Protocol.REDFISH else 2
        return IN_BRACKETS.sub(lambda both: f"({both[which]})", self.sentence)


SYSTEM_VIEWS: Final = frozenset({"system"})
EVERY_VIEW: Final = frozenset({"system", "chassis", "ipmi"})

DEVIATIONS: Final[tuple[BmcDeviation, ...]] = (
    BmcDeviation(
        word="busy",
        sentence="says that it is busy (HTTP 503 with Retry-After 1; IPMI 0xC0) and does nothing",
        redfish=FaultForm(fault="redfish.reply", params={"status": 503, "headers": {"Retry-After": "1"}}),
        ipmi=FaultForm(fault="ipmi.completion", params={"code": 0xC0}),
    ),
    BmcDeviation(
        word="lost-request",
        sentence="loses the request: it is not executed, and there is no answer",
        redfish=FaultForm(fault="wire.reset", params={"executed": False}, counted=Counted.SENT),
        ipmi=FaultForm(fault="ipmi.silence", params={"executed": False}, whats=frozenset({HANDSHAKE})),
    ),
    BmcDeviation(
        word="lost-answer",
        sentence="executes the request, and its answer is lost",
        redfish=FaultForm(fault="wire.reset", params={"executed": True}, counted=Counted.SENT),
        ipmi=FaultForm(fault="ipmi.silence", params={"executed": True}),
    ),
    BmcDeviation(
        word="hang",
        sentence="takes the request and never answers",
        redfish=FaultForm(fault="wire.hang", params={"executed": False}, counted=Counted.SENT),
        ipmi=FaultForm(fault="ipmi.silence", params={"executed": False}, count=12),
    ),
    BmcDeviation(
        word="conflict",
        sentence="refuses the command for the present state (HTTP 409; IPMI 0xD5)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 409}, intents=COMMANDS),
        ipmi=FaultForm(fault="ipmi.completion", params={"code": 0xD5}, intents=COMMANDS),
    ),
    BmcDeviation(
        word="unauthorized",
        sentence="refuses the credentials (HTTP 401; a locked account over IPMI)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 401}),
        ipmi=FaultForm(fault="auth.locked", intents=frozenset({"none"}), whats=frozenset({HANDSHAKE})),
    ),
    BmcDeviation(
        word="not-found",
        sentence="says that there is no such thing (HTTP 404; IPMI 0xC1)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 404}),
        ipmi=FaultForm(fault="ipmi.completion", params={"code": 0xC1}),
    ),
    BmcDeviation(
        word="stale",
        sentence="says On once more although the rail is down",
        redfish=FaultForm(
            fault="report.says", params={"word": "On"}, counted=Counted.VIEWED, intents=READS, views=EVERY_VIEW,
            told=frozenset({"Off"}), rail=Rail.DOWN,
        ),
        ipmi=FaultForm(
            fault="report.says", params={"word": "On"}, counted=Counted.VIEWED, intents=READS, views=EVERY_VIEW,
            told=frozenset({"Off"}), rail=Rail.DOWN,
        ),
    ),
    BmcDeviation(
        word="null",
        sentence="says null for its power",
        redfish=FaultForm(
            fault="report.says", params={"word": None}, counted=Counted.VIEWED, intents=READS, views=EVERY_VIEW,
            told=frozenset({"On", "Off", "PoweringOff", "PoweringOn"}),
        ),
    ),
    BmcDeviation(
        word="powering-off",
        sentence="accepts the command, and until the rail has moved System and Chassis say PoweringOff",
        redfish=FaultForm(fault="power.passing", params={"gate": 5}, counted=Counted.EFFECTIVE, intents=COMMANDS),
    ),
    BmcDeviation(
        word="silent",
        sentence="says nothing of its power, in its System or its Chassis",
        redfish=FaultForm(
            fault="report.says",
            params={"word": "absent"},
            counted=Counted.VIEWED,
            intents=READS,
            views=EVERY_VIEW,
            told=frozenset({"On", "Off"}),
        ),
    ),
    BmcDeviation(
        word="early-off",
        sentence="says Off although the rail is up",
        redfish=FaultForm(
            fault="report.says", params={"word": "Off"}, counted=Counted.VIEWED, intents=READS, views=EVERY_VIEW,
            told=frozenset({"On", "PoweringOff", "null"}), rail=Rail.UP,
        ),
        ipmi=FaultForm(
            fault="report.says", params={"word": "Off"}, counted=Counted.VIEWED, intents=READS, views=EVERY_VIEW,
            told=frozenset({"On"}), rail=Rail.UP,
        ),
    ),
    BmcDeviation(
        word="other-body",
        sentence="answers with the body of the other system",
        redfish=FaultForm(fault="redfish.body-of", intents=READS, views=SYSTEM_VIEWS, told=frozenset({"On"})),
        starts=frozenset({Start.TWO}),
    ),
    BmcDeviation(
        word="task-fails",
        sentence="answers 202 with a task, does nothing, and the task ends with Exception",
        redfish=FaultForm(fault="redfish.task", params={"end": "Exception", "executed": False}, intents=COMMANDS),
    ),
    BmcDeviation(
        word="ignored",
        sentence="accepts the command and does nothing",
        redfish=FaultForm(fault="power.ignore", counted=Counted.EFFECTIVE, intents=COMMANDS),
        ipmi=FaultForm(fault="power.ignore", counted=Counted.EFFECTIVE, intents=COMMANDS),
    ),
    BmcDeviation(
        word="bad-request",
        sentence="refuses the command as one that it does not understand (HTTP 400; IPMI 0xCC)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 400}, intents=COMMANDS),
        ipmi=FaultForm(fault="ipmi.completion", params={"code": 0xCC}, intents=COMMANDS),
        cost=2,
    ),
    BmcDeviation(
        word="server-error",
        sentence="has an error of its own and does nothing (HTTP 500; IPMI 0xFF)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 500}, intents=COMMANDS),
        ipmi=FaultForm(fault="ipmi.completion", params={"code": 0xFF}, intents=COMMANDS),
        cost=2,
    ),
    BmcDeviation(
        word="task-empty",
        sentence="answers 202 with a task, does nothing, and the task ends with Completed",
        redfish=FaultForm(fault="redfish.task", params={"end": "Completed", "executed": False}, intents=COMMANDS),
        cost=2,
    ),
    BmcDeviation(
        word="unreadable",
        sentence=f"answers with HTML and HTTP 200, {LASTS} times in a row",
        redfish=FaultForm(fault="redfish.body", params={"kind": "html"}, intents=READING, count=LASTS),
        cost=2,
    ),
    BmcDeviation(
        word="gone",
        sentence=f"says that there is no such thing, {LASTS} times in a row (HTTP 404; IPMI 0xC1)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 404}, intents=READING, count=LASTS),
        ipmi=FaultForm(fault="ipmi.completion", params={"code": 0xC1}, intents=READING, count=LASTS),
        cost=2,
    ),
    BmcDeviation(
        word="locked-out",
        sentence=f"refuses the credentials, {LASTS} times in a row (HTTP 401; a locked account over IPMI)",
        redfish=FaultForm(fault="redfish.reply", params={"status": 401}, count=LASTS),
        ipmi=FaultForm(fault="auth.locked", intents=frozenset({"none"}), whats=frozenset({HANDSHAKE}), count=LASTS),
        cost=2,
    ),
    BmcDeviation(
        word="deaf",
        sentence="answers nothing for a while: connections are reset, datagrams are lost, and nothing is executed",
        redfish=FaultForm(fault="wire.reset", params={"executed": False}, counted=Counted.SENT, count=LASTS),
        ipmi=FaultForm(fault="ipmi.silence", params={"executed": False}, whats=frozenset({HANDSHAKE}), count=LASTS * 10),
        cost=2,
    ),
    BmcDeviation(
        word="late",
        sentence="accepts the command, and everything happens 6 s later than usual",
        redfish=FaultForm(fault="power.late", params={"seconds": 6.0}, counted=Counted.EFFECTIVE, intents=COMMANDS),
        ipmi=FaultForm(fault="power.late", params={"seconds": 6.0}, counted=Counted.EFFECTIVE, intents=COMMANDS),
        cost=2,
    ),
    BmcDeviation(
        word="word-first",
        sentence="accepts the command and says Off at once in all its views; the rail falls 2 s later",
        redfish=FaultForm(fault="power.early-word", params={"seconds": 2.0}, counted=Counted.EFFECTIVE, intents=COMMANDS),
        ipmi=FaultForm(fault="power.early-word", params={"seconds": 2.0}, counted=Counted.EFFECTIVE, intents=COMMANDS),
        cost=2,
    ),
    BmcDeviation(
        word="bounce",
        sentence="executes the command, and 5 s after the last step the host has power again",
        redfish=FaultForm(fault="power.bounce", params={"seconds": 5.0}, counted=Counted.EFFECTIVE, intents=COMMANDS),
        ipmi=FaultForm(fault="power.bounce", params={"seconds": 5.0}, counted=Counted.EFFECTIVE, intents=COMMANDS),
        cost=2,
    ),
)  # fmt: skip
BY_WORD: Final[Mapping[str, BmcDeviation]] = {deviation.word: deviation for deviation in DEVIATIONS}
RANK: Final[Mapping[str, int]] = {
    word: number for number, word in enumerate((*BY_WORD, *(deviation.word for deviation in agent_deviation.DEVIATIONS)))
}
MILD: Final[tuple[BmcDeviation, ...]] = tuple(deviation for deviation in DEVIATIONS if deviation.cost == 1)


def cost(trace: Trace) -> int:
    """What the deviations of a trace cost together."""
    return sum(BY_WORD[placed.word].cost if placed.word in BY_WORD else agent_deviation.COST for placed in trace.deviations)


def choices(step: ObservedStep, at: int, world: World, budget: int) -> Iterator[PlacedDeviation]:
    """The deviations that may come at this request, the `at`-th of its run, and cost at most `budget`; from mild to severe."""
    if step.protocol == agent_deviation.AGENT:
        yield from agent_deviation.choices(step, at, budget)
    for deviation in DEVIATIONS if step.protocol == world.protocol else ():
        form = deviation.form(world.protocol)
        if form is None or deviation.cost > budget or not _may_start(deviation, world.start) or not _fits(form, step):
            continue
        nth: int = getattr(step, form.counted.value)
        if nth:
            yield PlacedDeviation(at, deviation.word, nth, step.what, step.view if form.views else "")


def _may_start(deviation: BmcDeviation, start: Start | ManagerStart) -> bool:
    """A deviation of certain starts has no part in what happens to a manager."""
    return deviation.starts == frozenset(Start) if isinstance(start, ManagerStart) else start in deviation.starts


def _fits(form: FaultForm, step: ObservedStep) -> bool:
    if step.what in form.whats:
        return True
    if step.what == HANDSHAKE or (form.intents and step.intent not in form.intents):
        return False
    if form.views and (step.view not in form.views or step.word not in form.told):
        return False
    return form.rail is None or form.rail == step.rail
