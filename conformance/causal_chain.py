"""The causal chain of a finding, told from the journal and from nothing else.

The runner calls `tell_all` once per cell, after the run. Where the journal holds a look, a line says what the client was told
("System says PowerState On"). Where a wire fault lost, cut or altered an answer, the line says that instead of the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.finding import Finding
from conformance.timeline import is_power_command, text
from emulator import Event, EventKind, chain

MOST_LINES = 24
HEAD_LINES = 16
TRUTH = frozenset({EventKind.RAIL, EventKind.OS, EventKind.GATE})
ANSWERS = frozenset({EventKind.RESPONSE, EventKind.WIRE, EventKind.LOOK, EventKind.FAULT, EventKind.COMMAND, EventKind.AUTH})
"""What belongs to a request, and is told with it."""
VIEWS: Mapping[str, str] = {"system": "System", "chassis": "Chassis"}
ACTORS: Mapping[EventKind, str] = {
    EventKind.FENCER: "fencer",
    EventKind.REQUEST: "fencer",
    EventKind.RESPONSE: "BMC",
    EventKind.COMMAND: "BMC",
    EventKind.LOOK: "BMC",
    EventKind.REPORT: "BMC",
    EventKind.AUTH: "BMC",
    EventKind.SESSION: "BMC",
    EventKind.FAULT: "fault",
    EventKind.WIRE: "wire",
    EventKind.GATE: "gate",
    EventKind.RAIL: "host",
    EventKind.OS: "host",
}


@dataclass(frozen=True, slots=True)
class ChainLine:
    """One event. `at` is in seconds since the ask began; `cause` is the event that led to it."""

    seq: int
    cause: int | None
    at: float
    actor: str
    text: str

    def __str__(self) -> str:
        because = f"  <- #{self.cause}" if self.cause is not None else ""
        return f"#{self.seq:<4} {self.at:+8.3f} s  {self.actor:<6} {self.text}{because}"


def tell(events: Sequence[Event], anchors: Iterable[int], ask: int) -> tuple[ChainLine, ...]:
    """The events that lead to the anchors, the fencer's own stamps, the answers, the faults, and what became of the host."""
    by_seq = {event.seq: event for event in events}
    stamps = [e for e in events if e.kind is EventKind.FENCER and e.data.get("ask") == ask]
    start = stamps[0] if stamps else events[0]
    later = [e.seq for e in events if e.kind is EventKind.FENCER and e.data.get("ask") == ask + 1]
    end = min(later, default=events[-1].seq + 1)
    chosen = {event.seq for anchor in anchors for event in chain(by_seq, anchor)} | {e.seq for e in stamps}
    chosen |= {e.seq for e in events if start.seq < e.seq < end and e.kind in TRUTH}
    orders = [e.seq for e in events if start.seq < e.seq < end and is_power_command(e)]
    chosen |= {*orders[:2], *orders[-1:]}
    asked = {seq for seq in chosen if by_seq[seq].kind is EventKind.REQUEST}
    chosen |= {e.seq for e in events if e.cause in asked and e.kind in ANSWERS}
    commands = {seq for seq in chosen if by_seq[seq].kind is EventKind.COMMAND}
    chosen |= {e.seq for e in events if e.cause in commands and e.kind in (EventKind.FAULT, EventKind.REPORT)}
    spoiled = {e.cause for e in events if e.kind is EventKind.WIRE and is_spoiled(e)}
    shown = [
        e
        for seq in sorted(chosen)
        if (e := by_seq[seq]).kind in ACTORS and not (e.kind is EventKind.RESPONSE and e.cause in spoiled)
    ]
    answers = {e.cause: e for e in events if e.kind is EventKind.RESPONSE}
    lines = [_line(e, by_seq, answers, start.t) for e in shown]
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    tail = MOST_LINES - HEAD_LINES
    gap = ChainLine(lines[HEAD_LINES].seq, None, lines[HEAD_LINES].at, "...", f"{len(lines) - MOST_LINES} more of the same kind")
    return (*lines[:HEAD_LINES], gap, *lines[-tail:])


def tell_all(events: Sequence[Event], findings: Sequence[Finding]) -> tuple[tuple[ChainLine, ...], ...]:
    """The chain of each finding. It is empty where an earlier finding of the same ask has told all of it."""
    told: dict[int, set[int]] = {}
    chains: list[tuple[ChainLine, ...]] = []
    for finding in findings:
        chain_of_it = tell(events, finding.anchors, finding.ask)
        positions = {line.seq for line in chain_of_it}
        before = told.setdefault(finding.ask, set())
        chains.append(() if positions <= before else chain_of_it)
        before |= positions
    return tuple(chains)


def is_spoiled(event: Event) -> bool:
    """Whether a wire event says that an answer did not reach the client as the BMC gave it."""
    return text(event, "answer") in ("none", "cut", "altered")


def _line(event: Event, by_seq: Mapping[int, Event], answers: Mapping[int | None, Event], origin: float) -> ChainLine:
    match event.kind:
        case EventKind.LOOK:
            words = look(event, by_seq.get(event.cause or 0))
        case EventKind.WIRE if is_spoiled(event):
            words = spoiled(event, answers.get(event.cause))
        case _:
            words = describe(event)
    return ChainLine(event.seq, event.cause, event.t - origin, ACTORS[event.kind], words)


def look(event: Event, asked: Event | None) -> str:
    """What a client was told of the power, and by what: "System says PowerState On", "chassis status says off"."""
    view, word = text(event, "view"), event.data.get("word")
    if view in VIEWS:
        return f"{VIEWS[view]} says PowerState {'null' if word is None else word}"
    command = text(asked, "path").replace("-", " ") if asked is not None and asked.kind is EventKind.REQUEST else ""
    said = "that it does not know" if word is None else str(word).lower()
    return f"{command or view} says {said}"


def spoiled(event: Event, answer: Event | None) -> str:
    """What became of an answer, from the wire event; the answer that the BMC gave, if it gave one, in brackets."""
    fault = text(event, "fault")
    if answer is None:
        return f"the request is not executed, and there is no answer ({fault})"
    given = describe(answer).removeprefix("answers ")
    if text(event, "answer") == "none":
        return f"the answer ({given}) is lost: the fencer gets none of it ({fault})"
    if text(event, "answer") == "cut":
        return f"the answer ({given}) is cut after {text(event, 'sent')} of {text(event, 'size')} bytes ({fault})"
    return f"the answer ({given}) is altered on its way ({fault})"


def describe(event: Event) -> str:
    """One event in words."""
    match event.kind:
        case EventKind.REQUEST:
            return f"{text(event, 'method')} {text(event, 'path')} to {event.bmc}"
        case EventKind.RESPONSE:
            code = event.data.get("completion_code")
            return f"answers 0x{code:02X}" if isinstance(code, int) else f"answers HTTP {text(event, 'status') or '(nothing)'}"
        case EventKind.COMMAND:
            answer = text(event, "status") or f"0x{int(text(event, 'completion_code') or 0):02X}"
            what = f"{text(event, 'reset')} of {text(event, 'system')}, which is {text(event, 'row')}"
            return f"{what}: {answer}, effect {text(event, 'effect')}"
        case EventKind.RAIL | EventKind.OS:
            state = f"rail {text(event, 'rail')}, OS {text(event, 'os')}, incarnation {text(event, 'incarnation')}"
            return f"{text(event, 'host') or text(event, 'system')}: {state} ({text(event, 'was')})"
        case EventKind.REPORT:
            says = event.data.get("says")
            words = says.items() if isinstance(says, Mapping) else ()
            return ", ".join(f"its {view} says {'null' if word is None else word}" for view, word in words)
        case EventKind.FAULT:
            return f"{text(event, 'fault')} acts"
        case EventKind.GATE:
            late = ", because its time was up" if text(event, "by") == "time" else ""
            return f"opens after {text(event, 'after_reads')} reads{late}"
        case EventKind.AUTH:
            return f"log-in over {text(event, 'via')}: {text(event, 'result')}"
        case EventKind.FENCER:
            return _stamp(event)
        case _:
            return ", ".join(f"{key} {text(event, key)}" for key in event.data)


def _stamp(event: Event) -> str:
    match text(event, "what"):
        case "start":
            return f"is asked for {text(event, 'action')} of {text(event, 'system')} on {event.bmc}"
        case "claim":
            return "its answer is final"
        case _:
            return f"said: {text(event, 'claim')} (exit {text(event, 'exit') or 'none'})"
