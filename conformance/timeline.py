"""The journal, cut into what the judge needs: one window per ask, the truth at an instant, and what the fencer did in between.

Rules
  1. Pure. Positions are journal positions (`seq`); wall clock has no say.
  2. The truth is what RAIL and OS events say, and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.vocabulary import Ask
from emulator import Datum, Event, EventKind, Intent, Os, Rail

WRITES = frozenset({Intent.WRITE, Intent.POWER_COMMAND, Intent.BMC_RESET})
LOGIN_REFUSED = frozenset({"bad", "locked"})


class Incomplete(ValueError):
    """The journal does not hold what the judge needs: the suite's fault."""


@dataclass(frozen=True, slots=True)
class HostTruth:
    """A host at one position of the journal."""

    rail: Rail
    os: Os
    incarnation: int
    seq: int

    def __str__(self) -> str:
        return f"rail {self.rail}, OS {self.os}, incarnation {self.incarnation}"


def text(event: Event, key: str) -> str:
    """A datum as text; empty where the event has none."""
    value: Datum = event.data.get(key)
    return "" if value is None else str(value)


def means(event: Event, intent: Intent) -> bool:
    """Whether a request was understood so by the BMC that got it."""
    return event.kind is EventKind.REQUEST and text(event, "intent") == intent


def is_power_command(event: Event) -> bool:
    return means(event, Intent.POWER_COMMAND)


def is_write(event: Event) -> bool:
    """Anything that changes a BMC, logging in and out excepted."""
    return event.kind is EventKind.REQUEST and text(event, "intent") in WRITES


def is_bmc_reset(event: Event) -> bool:
    return means(event, Intent.BMC_RESET)


@dataclass(frozen=True)
class AskWindow:
    """Everything between the start of an ask and the start of the next one; `claim` is where the answer became final.

    `beside` are the asks of the same BMC that ran at the same time: nothing tells their requests from those of this one.
    """

    number: int
    ask: Ask
    bmc: str
    system: str
    start: Event
    claim: Event
    during: tuple[Event, ...]  # from start to claim; all BMCs but those of other asks at the same time
    after: tuple[Event, ...]  # the same, from the claim on
    earlier: frozenset[tuple[str, str]] = frozenset()  # BMC and system of the asks before this one: they may still be moving
    past: tuple[Event, ...] = ()  # all BMCs, before the start
    beside: tuple[Ask, ...] = ()
    outlets: frozenset[tuple[str, str]] = frozenset()  # PDU and outlet of what feeds the target, where the fencer is told a PDU
    settled: tuple[Event, ...] = ()  # since the first of the asks beside it began, if none of them is still running; else nothing

    @cached_property
    def requests(self) -> tuple[Event, ...]:
        """What any BMC of the rack was asked meanwhile; only the fencer under test is there to ask."""
        return tuple(e for e in self.during if e.kind is EventKind.REQUEST)

    @cached_property
    def power_commands(self) -> tuple[Event, ...]:
        return tuple(e for e in self.requests if is_power_command(e))

    @cached_property
    def commands(self) -> tuple[Event, ...]:
        """Power commands as the BMCs took them in."""
        return tuple(e for e in self.during if e.kind is EventKind.COMMAND)

    @cached_property
    def looks(self) -> tuple[Event, ...]:
        """Every power word that any client was told."""
        return tuple(e for e in self.during if e.kind is EventKind.LOOK)

    @cached_property
    def state_reads(self) -> tuple[Event, ...]:
        """The requests whose answer told a power word, by the first look of each: what a gate counts, too. A read that got no
        answer is a request and no state read."""
        asked = {e.seq for e in self.requests}
        first: dict[int, Event] = {}
        for look in self.looks:
            if look.cause in asked:
                first.setdefault(look.cause, look)
        return tuple(first.values())

    def confirmed_off(self, apart_s: float) -> bool:
        """Whether the last words of the target that were told are Off, the first and the last of these so many seconds apart.
        Of a host at a PDU: those of each of its outlets."""
        moments: dict[tuple[str, str], list[float]] = {each: [] for each in self.outlets or {(self.bmc, self.system)}}
        for look in self.looks:
            if (of := (look.bmc, text(look, "system"))) in moments:
                moments[of] = [*moments[of], look.t] if text(look, "word") == "Off" else []
        return all(times and times[-1] - times[0] >= apart_s for times in moments.values())

    @cached_property
    def words_of_second_channel(self) -> frozenset[str]:
        """What IPMI said of the target in an ask that spoke Redfish as well: trouble on the one channel is none on the other."""
        if not any(text(e, "protocol") == "redfish" for e in self.requests):
            return frozenset()
        return frozenset(text(look, "word") for look in self.looks if self.is_target(look) and text(look, "view") == "ipmi")

    @cached_property
    def login_failures(self) -> int:
        return sum(1 for e in self.during if e.kind is EventKind.AUTH and text(e, "result") in LOGIN_REFUSED)

    def is_target(self, event: Event) -> bool:
        """Whether an event is about the target, or about an outlet that feeds it where the fencer is told a PDU."""
        return self.is_host(event) or (event.bmc, text(event, "system")) in self.outlets

    def is_host(self, event: Event) -> bool:
        """Whether an event is about the host that is to go off."""
        return event.bmc == self.bmc and text(event, "system") == self.system

    @cached_property
    def told_units(self) -> frozenset[str]:
        """The BMC that the fencer is told, or the PDU."""
        return frozenset(unit for unit, _ in self.outlets) or frozenset({self.bmc})

    @cached_property
    def target_names(self) -> frozenset[str]:
        """How `called` names the target, or its outlets."""
        return frozenset(f"{unit}/{outlet}" for unit, outlet in self.outlets) or frozenset({self.system})

    @cached_property
    def rail_falls(self) -> tuple[tuple[Event, ...], tuple[Event, ...]]:
        """When the target's rail went down: before the claim, and after it."""

        def falls(events: Iterable[Event]) -> tuple[Event, ...]:
            return tuple(e for e in events if e.kind is EventKind.RAIL and self.is_host(e) and text(e, "rail") == Rail.DOWN)

        return falls(self.during), falls(self.after)

    @cached_property
    def bystander_changes(self) -> tuple[Event, ...]:
        """Other hosts whose run changed.

        Not counted: what an earlier ask has set going, and the host of an earlier ask, unless this ask has commanded it again.
        """
        commanded = {(e.bmc, text(e, "system")) for e in self.commands}
        return tuple(
            e
            for e in (*self.during, *self.after)
            if e.kind in (EventKind.RAIL, EventKind.OS)
            and not self.is_target(e)
            and (e.bmc, text(e, "system")) not in self.earlier - commanded
            and self._begun_here(e)
        )

    def _begun_here(self, event: Event) -> bool:
        """Whether the chain of causes of an event begins in this ask."""
        events = {e.seq: e for e in (*self.during, *self.after)}
        while event.cause is not None and event.cause in events:
            event = events[event.cause]
        return event.cause is None or event.cause > self.start.seq

    @cached_property
    def looks_at_off(self) -> tuple[Event, ...]:
        """The looks that said Off."""
        return tuple(e for e in self.looks if text(e, "word") == "Off")

    def called(self, event: Event) -> str:
        """The system that an event is about, as a finding names it: its id, with the BMC before it where that is another one."""
        system = text(event, "system")
        return system if event.bmc == self.bmc or not system else f"{event.bmc}/{system}"

    @cached_property
    def systems_taken_for_off(self) -> frozenset[str]:
        """The systems that were sent a power command, or said Off: what a claim of off can only be about."""
        return frozenset(self.called(e) for e in (*self.power_commands, *self.commands, *self.looks_at_off)) - {""}

    @cached_property
    def systems_read_as_off(self) -> frozenset[str]:
        """The systems that were asked for by the requests to which a BMC said Off, whatever body it gave."""
        asked = {request.seq: self.called(request) for request in self.requests}
        return frozenset(asked.get(look.cause or 0, self.called(look)) for look in self.looks_at_off) - {""}

    @cached_property
    def systems_addressed(self) -> frozenset[str]:
        """The systems that were read or commanded, whatever the protocol."""
        return frozenset(self.called(e) for e in (*self.requests, *self.looks, *self.commands)) - {""}

    @cached_property
    def answers(self) -> Mapping[int, Event]:
        """The answer to each request, by the request's position."""
        return {e.cause: e for e in self.during if e.kind is EventKind.RESPONSE and e.cause is not None}


def _outlets(start: Event) -> frozenset[tuple[str, str]]:
    """PDU and outlet of each "pdu/A1" in the start of an ask."""
    named = (word.rpartition("/") for word in text(start, "outlets").split())
    return frozenset((unit, outlet) for unit, _, outlet in named)


class Timeline:
    """A whole run."""

    def __init__(self, events: Sequence[Event]) -> None:
        self.events = tuple(events)
        self.by_seq: Mapping[int, Event] = {event.seq: event for event in self.events}

    def window(self, number: int) -> AskWindow:
        """Raises Incomplete where the ask was not stamped, or was forgotten by the ring."""
        start, claim = self._stamp(number, "start"), self._stamp(number, "claim")
        following = [e.seq for e in self._stamps("start") if e.seq > claim.seq]
        end = min(following, default=self.events[-1].seq + 1)
        others = [(s, c) for s, c in self._asks if s.seq < claim.seq and start.seq < c.seq and s.data["ask"] != number]
        beside = [(s, c) for s, c in others if s.bmc == start.bmc]
        elsewhere = {s.bmc for s, _ in others} - {start.bmc}
        first = min((s.seq for s, _ in beside), default=start.seq)
        last = all(c.seq < claim.seq for _, c in beside)
        seen = [e for e in self.events if e.bmc not in elsewhere]
        return AskWindow(
            number=number,
            ask=Ask(text(start, "action")),
            bmc=start.bmc,
            system=text(start, "system"),
            start=start,
            claim=claim,
            during=tuple(e for e in seen if start.seq < e.seq < claim.seq),
            after=tuple(e for e in seen if claim.seq < e.seq < end),
            earlier=frozenset((e.bmc, text(e, "system")) for e in self._stamps("start") if e.seq < start.seq),
            past=tuple(e for e in self.events if e.seq < start.seq),
            beside=tuple(Ask(text(s, "action")) for s, _ in beside),
            outlets=_outlets(start),
            settled=tuple(e for e in seen if min(first, start.seq) < e.seq < claim.seq) if last else (),
        )

    @cached_property
    def _asks(self) -> tuple[tuple[Event, Event], ...]:
        """Start and claim of every ask that has both."""
        claims = {e.data["ask"]: e for e in self._stamps("claim")}
        return tuple((e, claims[e.data["ask"]]) for e in self._stamps("start") if e.data["ask"] in claims)

    def _stamps(self, what: str) -> list[Event]:
        return [e for e in self.events if e.kind is EventKind.FENCER and e.data.get("what") == what]

    def _stamp(self, number: int, what: str) -> Event:
        for event in self.events:
            if event.kind is EventKind.FENCER and event.data.get("ask") == number and event.data.get("what") == what:
                return event
        raise Incomplete(f"the journal holds no {what!r} of ask {number}")

    def truth(self, bmc: str, system: str, seq: int) -> HostTruth:
        """The last that is known of a host up to and including `seq`. Raises Incomplete where nothing is."""
        for event in reversed(self.events):
            if (
                event.seq <= seq
                and event.kind in (EventKind.RAIL, EventKind.OS)
                and event.bmc == bmc
                and text(event, "system") == system
            ):
                return HostTruth(Rail(text(event, "rail")), Os(text(event, "os")), int(text(event, "incarnation")), event.seq)
        raise Incomplete(f"the journal holds no truth about system {system!r} of {bmc!r} before #{seq}")
