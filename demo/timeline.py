"""Draws an act as SVG swimlanes: power, PowerState of the BMC, state of the manager, commands, alerts, writes.

`demo.page` calls `draw`. Pure. Times are seconds since the incident; lengths are SVG units.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from demo.story import Run, Story

WIDTH = 960
LEFT = 150
RIGHT = 16
LANE = 30
BAR = 16
BEFORE = 1.0
"""Seconds shown before the incident."""

# Okabe and Ito's palette, which colour-blind readers can tell apart.
BLUE, ORANGE, GREEN, RED, SKY, GREY, INK = "#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#B8BCC4", "#20242C"

COLOUR_OF_STATE = {
    "Available": GREEN,
    "Suspect": SKY,
    "Checking": SKY,
    "Degraded": ORANGE,
    "Recovering": ORANGE,
    "Recovered": GREEN,
    "Fencing": ORANGE,
    "Fenced": BLUE,
    "Ineligible": GREY,
    "Disabled": GREY,
}
GAP = 0.3
"""A bar of writes ends after this many seconds without a write."""


@dataclass(frozen=True, slots=True)
class TimelineBar:
    start: float
    end: float
    label: str
    colour: str
    title: str


class SvgTimeline:
    """Lanes from top to bottom over one time axis."""

    def __init__(self, ends: float) -> None:
        self._ends = ends
        self._parts: list[str] = []
        self._y = 8

    def x(self, t: float) -> float:
        share = (min(max(t, -BEFORE), self._ends) + BEFORE) / (self._ends + BEFORE)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def lane(self, name: str, pieces: Iterable[TimelineBar]) -> None:
        self._name(name)
        for piece in pieces:
            x, width = self.x(piece.start), max(self.x(piece.end) - self.x(piece.start), 1.5)
            self._parts.append(
                f'<g><title>{escape(piece.title)}</title><rect x="{x}" y="{self._y}" width="{width:.1f}" height="{BAR}" rx="2" '
                f'fill="{piece.colour}"/>{self._label(piece, x, width)}</g>'
            )
        self._y += LANE

    def ticks(self, name: str, marks: Sequence[tuple[float, str, str]]) -> None:
        """Adds a lane with one tick per mark: (time, colour, title)."""
        self._name(name)
        for t, colour, title in marks:
            x = self.x(t)
            self._parts.append(
                f'<g><title>{escape(title)}</title><line x1="{x}" x2="{x}" y1="{self._y - 1}" y2="{self._y + BAR + 1}" '
                f'stroke="{colour}" stroke-width="2.5"/></g>'
            )
        if not marks:
            self._parts.append(f'<text x="{LEFT}" y="{self._y + 12}" class="none">none</text>')
        self._y += LANE

    def _name(self, name: str) -> None:
        self._parts.append(f'<text x="{LEFT - 10}" y="{self._y + 12}" class="lane">{escape(name)}</text>')

    def _label(self, piece: TimelineBar, x: float, width: float) -> str:
        if width < 7.2 * len(piece.label) + 6:
            return ""
        return f'<text x="{x + 5:.1f}" y="{self._y + 12}" class="bar">{escape(piece.label)}</text>'

    def svg(self, title: str, marks: Sequence[tuple[float, str, str]]) -> str:
        """Returns the SVG. `marks` (time, colour, label) are drawn through all lanes."""
        height = self._y + 26
        lines = [
            f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}" xmlns="http://www.w3.org/2000/svg">'
        ]
        step = next(s for s in (0.5, 1, 2, 5, 10, 20, 60) if (self._ends + BEFORE) / s <= 16)
        n = 0
        while n * step <= self._ends:
            x = self.x(n * step)
            lines.append(f'<line x1="{x}" x2="{x}" y1="0" y2="{self._y}" class="grid"/>')
            lines.append(f'<text x="{x}" y="{self._y + 14}" class="axis">{n * step:g} s</text>')
            n += 1
        lines += self._parts
        for t, colour, label in marks:
            x = self.x(t)
            lines.append(
                f"<g><title>{escape(label)} at {t:.2f} s</title>"
                f'<line x1="{x}" x2="{x}" y1="0" y2="{self._y}" stroke="{colour}" stroke-width="1.5" stroke-dasharray="4 3"/></g>'
            )
        return "\n".join([*lines, "</svg>"])


def _spans(story: Story, spans: Sequence[tuple[float, str]], colours: dict[str, str], what: str) -> list[TimelineBar]:
    pieces = []
    for (t, word), (end, _) in pairwise([*spans, (story.ends, "")]):
        colour = colours.get(word, GREY)
        pieces.append(TimelineBar(t, end, word, colour, f"{what}: {word}, from {t:.2f} s to {end:.2f} s"))
    return pieces


def _bursts(run: Run) -> list[tuple[float, float]]:
    bursts: list[tuple[float, float]] = []
    for t in run.times:
        if bursts and t - bursts[-1][1] <= GAP:
            bursts[-1] = (bursts[-1][0], t)
        else:
            bursts.append((t, t))
    return bursts


def _disk(story: Story, vm: str) -> list[tuple[str, list[TimelineBar]]]:
    lanes: dict[str, list[TimelineBar]] = {}
    overlaps = {(o.vm, o.old_host) for o in story.overlaps()}
    for run in story.runs:
        if run.vm != vm:
            continue
        first_elsewhere = min((r.times[0] for r in story.runs if r.vm == vm and r.times and r.token != run.token), default=None)
        for start, end in _bursts(run):
            title = f"{run.host} writes to {vm}'s disk, {start:.2f} s to {end:.2f} s"
            pieces = lanes.setdefault(run.host, [])
            split = first_elsewhere if (vm, run.host) in overlaps else None
            if split is not None and start < split < end:
                pieces.append(TimelineBar(start, split, run.host, GREEN, title))
                pieces.append(TimelineBar(split, end, "split brain", RED, f"{title}: while another host writes to it too"))
            else:
                pieces.append(TimelineBar(start, end, run.host, GREEN if run.host == story.host else BLUE, title))
    return [(f"{vm} on {host}", pieces) for host, pieces in lanes.items()]


def draw(story: Story) -> str:
    sheet = SvgTimeline(story.ends)
    rail = [(max(s.t, -BEFORE), "powered" if s.word == "up" else "no power") for s in story.rail]
    sheet.lane(f"{story.host}: the truth", _spans(story, rail, {"powered": GREEN, "no power": INK}, "power"))
    says = [(-BEFORE, "On"), *((max(s.t, -BEFORE), s.word) for s in story.says)]
    sheet.lane("its BMC says", _spans(story, says, {"On": GREEN, "Off": INK}, "PowerState"))
    states = [(-BEFORE, "Available"), *((s.t, s.name) for s in story.states)]
    sheet.lane("the manager", _spans(story, states, COLOUR_OF_STATE, "state"))
    sheet.ticks(
        "power commands",
        [(p.t, RED if p.status >= 400 else BLUE, f"{p.reset}: answered {p.status}, at {p.t:.2f} s") for p in story.posts],
    )
    sheet.ticks("alerts", [(a.t, ORANGE, f"{a.name}: {a.text}, at {a.t:.2f} s") for a in story.alerts])
    for vm in sorted({run.vm for run in story.runs if run.host == story.host}):
        for name, pieces in _disk(story, vm):
            sheet.lane(name, pieces)
    marks = [(0.0, INK, story.blow)]
    if story.down_at is not None:
        marks.append((story.down_at, BLUE if not story.overlaps() else RED, "the manager says Down"))
    return sheet.svg(story.title, marks)
