"""One ask as a picture: lanes over a time axis, as SVG that takes its colours from the page. Pure.

Lanes: what the fencer sent, which faults acted, which power words it was told, the truth about the rail of its target, and of
other hosts whose rail moved, and what the fencer claimed. A line through all of them says where its answer was final.

The page has thousands of these, so marks of one kind are one path, and positions are whole pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from conformance.timeline import AskWindow, Incomplete, Timeline, is_power_command, text
from emulator import Event, EventKind, Rail

LEFT, RIGHT, LANE, TOP = 74, 752, 26, 4
"""Pixels: where the plot begins and ends, how high a lane is, where the first one begins."""
LETTER: Final = 6
"""Pixels that a letter takes, about; only to keep labels apart."""
MARGIN: Final = 1.06
"""The axis goes on a little behind the last event, so that what it led to can be seen."""
MOST_OTHERS: Final = 2
TICKS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0)
MOST_TICKS: Final = 8
GATE: Final = "power.gate"
"""How scenarios let a host fall when it has been looked at: no fault in this picture."""


@dataclass(frozen=True, slots=True)
class _Axis:
    start: float
    end: float

    def x(self, moment: float) -> int:
        share = (moment - self.start) / (self.end - self.start)
        return LEFT + round(max(0.0, min(1.0, share)) * (RIGHT - LEFT))


def swimlane(events: Sequence[Event], ask: int) -> str:
    """The picture of an ask; empty where the journal does not hold it."""
    timeline = Timeline(events)
    try:
        window = timeline.window(ask)
        first = timeline.truth(window.bmc, window.system, window.start.seq).rail
    except Incomplete:
        return ""
    end = max(_ends(window), default=window.claim)
    axis = _Axis(window.start.t, window.start.t + MARGIN * max(end.t - window.start.t, 0.001))
    lanes = [
        ("sent", _sent(window, axis)),
        *(("fault", drawn) for drawn in (_faults(window, axis),) if drawn),
        ("told", _told(window, axis)),
        ("rail", _rail(window, axis, window.bmc, window.system, first)),
    ]
    for bmc, system in _others(window):
        before = _rail_before(timeline, bmc, system, window.start.seq)
        lanes.append((_short(system if bmc == window.bmc else bmc), _rail(window, axis, bmc, system, before)))
    lanes.append(("claim", ""))
    height = TOP + LANE * len(lanes) + 18
    name_at = f'x="{LEFT - 8}" y="17" class="n"'
    inside = "".join(
        f'<g transform="translate(0 {TOP + LANE * number})"><text {name_at}>{escape(name)}</text>{drawn}</g>'
        for number, (name, drawn) in enumerate(lanes)
    )
    label = f"sent, told, rail and claim, {axis.end - axis.start:.1f} s"
    return (
        f'<svg viewBox="0 0 760 {height}" class="s" role="img" aria-label="{label}">'
        f"{_time(axis, height)}{inside}{_claim(window, axis, height)}</svg>"
    )


def _ends(window: AskWindow) -> Iterator[Event]:
    """The events up to which the picture goes: the claim, and what became of hosts behind it."""
    yield window.claim
    yield from (e for e in window.after if e.kind in (EventKind.RAIL, EventKind.OS))
    yield from (e for e in window.after if e.kind is EventKind.FENCER and text(e, "what") == "end")


def _others(window: AskWindow) -> tuple[tuple[str, str], ...]:
    """Other hosts whose rail moved meanwhile."""
    moved = (e for e in (*window.during, *window.after) if e.kind is EventKind.RAIL and not window.is_target(e))
    return tuple(dict.fromkeys((e.bmc, text(e, "system")) for e in moved))[:MOST_OTHERS]


def _sent(window: AskWindow, axis: _Axis) -> str:
    """A short mark for a request, a long one for a power command with its ResetType and answer."""
    plain = _marks((axis.x(e.t) for e in window.requests if not is_power_command(e)), 9, 8)
    orders = _marks((axis.x(e.t) for e in window.power_commands), 3, 20)
    rows = (_Labels(y=11), _Labels(y=23))  # commands may follow one another closely
    for order in window.power_commands:
        answer = window.answers.get(order.seq)
        code = answer.data.get("completion_code") if answer is not None else None
        given = f"0x{code:02X}" if isinstance(code, int) else text(answer, "status") if answer is not None else "no answer"
        word = f"{text(order, 'reset') or 'power command'} {given}"
        any(row.add(axis.x(order.t) + 4, word) for row in rows)
    labels = "".join(row.drawn for row in rows)
    return f'<path class="q" d="{plain}"/><path class="o" d="{orders}"/>{labels}'


def _faults(window: AskWindow, axis: _Axis) -> str:
    """A mark for each act of a fault, and its name where it changes; empty where none acted."""
    acts = [e for e in window.during if e.kind in (EventKind.FAULT, EventKind.WIRE) and text(e, "fault") not in ("", GATE)]
    if not acts:
        return ""
    labels, last = _Labels(), ""
    for act in acts:
        name = text(act, "fault")
        if name != last and labels.add(axis.x(act.t) + 4, name):
            last = name
    return f'<path class="o" d="{_marks((axis.x(e.t) for e in acts), 5, 16)}"/>{labels.drawn}'


def _told(window: AskWindow, axis: _Axis) -> str:
    """A mark for every word that a client was told, and the word where it changes."""
    if not window.looks:
        return f'<text x="{LEFT + 4}" y="17" class="e">no power word</text>'
    marks = _marks((axis.x(e.t) for e in window.looks), 5, 16)
    labels, last = _Labels(), ("", "")
    for look in window.looks:
        word = "null" if look.data.get("word") is None else text(look, "word")
        said = (text(look, "view"), word if window.is_target(look) else f"{_short(window.called(look))}: {word}")
        if said != last and labels.add(
            axis.x(look.t) + 4, f"{said[1]}" if said[0] in ("system", "ipmi") else f"{said[1]} ({said[0]})"
        ):
            last = said
    return f'<path class="w" d="{marks}"/>{labels.drawn}'


def _rail(window: AskWindow, axis: _Axis, bmc: str, system: str, first: Rail | None) -> str:
    """A band: filled while the rail is up, a line while it is down."""
    changes = [
        (e.t, Rail(text(e, "rail")))
        for e in (*window.during, *window.after)
        if e.kind is EventKind.RAIL and e.bmc == bmc and text(e, "system") == system
    ]
    spans = [(axis.start, first), *changes]
    drawn, labels = "", _Labels()
    for (begin, rail), (end, _) in zip(spans, [*spans[1:], (axis.end, first)], strict=True):
        left, right = axis.x(begin), axis.x(end)
        kind = "u" if rail is Rail.UP else "d" if rail is Rail.DOWN else "k"
        drawn += f'<rect class="{kind}" x="{left}" y="5" width="{max(1, right - left)}" height="16"/>'
        labels.add(left + 4, rail.value if rail is not None else "unknown")
    return drawn + labels.drawn


def _rail_before(timeline: Timeline, bmc: str, system: str, seq: int) -> Rail | None:
    try:
        return timeline.truth(bmc, system, seq).rail
    except Incomplete:
        return None


def _claim(window: AskWindow, axis: _Axis, height: int) -> str:
    ends = [
        e for e in window.after if e.kind is EventKind.FENCER and e.data.get("ask") == window.number and text(e, "what") == "end"
    ]
    said = f"says {text(ends[0], 'claim')}" if ends and text(ends[0], "claim") != "none" else "ended without an answer"
    x = axis.x(window.claim.t)
    place = f'x="{x - 4}" text-anchor="end"' if x > LEFT + (RIGHT - LEFT) * 0.75 else f'x="{x + 4}"'
    return f'<path class="c" d="M{x} 0V{height - 16}"/><text class="b" {place} y="{height - 27}">{said}</text>'


def _time(axis: _Axis, height: int) -> str:
    whole = axis.end - axis.start
    step = next((step for step in TICKS if whole / step <= MOST_TICKS), whole / MOST_TICKS)
    moments = [number * step for number in range(int(whole / step) + 1)]
    lines = "".join(f"M{axis.x(axis.start + moment)} 0V{height - 14}" for moment in moments)
    words = "".join(f'<text class="a" x="{axis.x(axis.start + moment)}" y="{height - 3}">{moment:g}</text>' for moment in moments)
    return f'<path class="g" d="{lines}"/>{words}<text class="n" x="{LEFT - 8}" y="{height - 3}">seconds</text>'


def _marks(places: Iterable[int], top: int, length: int) -> str:
    return "".join(f"M{x} {top}v{length}" for x in dict.fromkeys(places))


class _Labels:
    """The words of a lane, each only where the one before it has ended."""

    def __init__(self, y: int = 17) -> None:
        self.drawn = ""
        self._y = y
        self._free = 0

    def add(self, x: int, word: str) -> bool:
        """Whether there was room for it."""
        width = LETTER * len(word)
        if x < self._free:
            return False
        at_end = x + width > RIGHT + 6
        if at_end and x - 8 - width < self._free:
            return False
        place = f'x="{x - 8}" text-anchor="end"' if at_end else f'x="{x}"'
        self.drawn += f'<text {place} y="{self._y}">{escape(word)}</text>'
        self._free = x + width + LETTER
        return True


def _short(name: str) -> str:
    """Its end stays: that is where systems of one BMC, and hosts of one rack, differ."""
    return name if len(name) <= 10 else f"{name[:4]}…{name[-5:]}"
