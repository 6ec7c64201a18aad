"""The causal chain of a finding, told from the journal and from nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.timeline import text
from emulator import Event, EventKind, chain

MOST_LINES = 24
HEAD_LINES = 16
TRUTH = frozenset({EventKind.RAIL, EventKind.OS, EventKind.GATE})
ACTORS: Mapping[EventKind, str] = {
    EventKind.FENCER: "fencer",
    EventKind.REQUEST: "fencer",
    EventKind.RESPONSE: "BMC",
    EventKind.COMMAND: "BMC",
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
    orders = [e.seq for e in events if start.seq < e.seq < end and is_order(e)]
    chosen |= {*orders[:2], *orders[-1:]}
    asked = {seq for seq in chosen if by_seq[seq].kind is EventKind.REQUEST}
    chosen |= {
        e.seq
        for e in events
        if e.cause in asked and e.kind in (EventKind.RESPONSE, EventKind.FAULT, EventKind.COMMAND, EventKind.AUTH)
    }
    commands = {seq for seq in chosen if by_seq[seq].kind is EventKind.COMMAND}
    chosen |= {e.seq for e in events if e.cause in commands and e.kind in (EventKind.FAULT, EventKind.REPORT)}
    lines = [_line(by_seq[seq], start.t) for seq in sorted(chosen) if by_seq[seq].kind in ACTORS]
    if len(lines) <= MOST_LINES:
        return tuple(lines)
    tail = MOST_LINES - HEAD_LINES
    gap = ChainLine(lines[HEAD_LINES].seq, None, lines[HEAD_LINES].at, "...", f"{len(lines) - MOST_LINES} more of the same kind")
    return (*lines[:HEAD_LINES], gap, *lines[-tail:])


def is_order(event: Event) -> bool:
    """Whether a request asks for a change of power, whatever became of it."""
    path = text(event, "path")
    return event.kind is EventKind.REQUEST and (path == "chassis-control" or path.endswith("/Actions/ComputerSystem.Reset"))


def _line(event: Event, origin: float) -> ChainLine:
    return ChainLine(event.seq, event.cause, event.t - origin, ACTORS[event.kind], describe(event))


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
            return f"opens after {text(event, 'after_reads')} reads"
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
