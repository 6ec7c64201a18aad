"""The picture of a fencer as SVG. Pure.

Each node is a box. Below its name is a row for each arrow that leaves it: what the fencer was told, and from the end of the row a
line to the node of what it did next. Every line has a lane of its own at the right, so that none runs over a word.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final, NamedTuple

from conformance.hunt.picture import Picture

LEAST_WIDTH, HEAD, ROW, GAP, MARGIN, LANE, TITLE, LETTER = 240, 24, 18, 14, 16, 12, 28, 7
"""Pixels."""
RED: Final = "#b94e00"
STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#222}.h{font-weight:bold}rect{fill:#f4f7fa;stroke:#56708a}"
    ".z{fill:#fff;stroke:#222;stroke-width:2}path{fill:none;stroke:#8a97a3}"
    f".r{{stroke:{RED};stroke-width:2.5}}.x{{fill:{RED};font-weight:bold}}"
)
RED_LINE: Final = ' class="r" marker-end="url(#b)"'
GREY_LINE: Final = ' marker-end="url(#a)"'


class _Arrow(NamedTuple):
    """`y` is where it leaves its row."""

    y: int
    after: str
    unsafe: bool


def to_svg(picture: Picture, title: str) -> str:
    """A document of its own, on white: it is looked at in browsers and put into pages."""
    leaving: dict[str, list[tuple[str, str, bool]]] = {node: [] for node in picture.nodes}
    for before, after, told, unsafe in picture.arrows():
        leaving[before].append((after, told, unsafe))
    words = [_words(after, told) for rows in leaving.values() for after, told, _ in rows]
    box = max(LEAST_WIDTH, *(LETTER * len(each) + 40 for each in (*words, *leaving)))
    heads: dict[str, int] = {}
    arrows: list[_Arrow] = []
    boxes: list[str] = []
    y = TITLE
    for node, rows in leaving.items():
        heads[node] = y + HEAD // 2
        height = HEAD + ROW * len(rows)
        kind = ' class="z"' if node in picture.ends else ""
        boxes.append(f'<rect{kind} x="{MARGIN}" y="{y}" width="{box}" height="{height}" rx="5"/>')
        boxes.append(f'<text class="h" x="{MARGIN + 8}" y="{y + 17}">{escape(node)}</text>')
        for number, (after, told, unsafe) in enumerate(rows):
            at = y + HEAD + ROW * number + ROW // 2
            row = escape(_words(after, told))
            red = ' class="x"' if unsafe else ""
            boxes.append(f'<text{red} x="{MARGIN + 20}" y="{at + 3}">{row}</text>')
            arrows.append(_Arrow(at, after, unsafe))
        y += height + GAP
    lines = _lines(arrows, heads, MARGIN + box)
    width = MARGIN + box + LANE * (len(arrows) + 2)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title><style>{STYLE}</style><defs>{_head("a", "#8a97a3")}'
        f'{_head("b", RED)}</defs><path style="fill:#fff;stroke:none" d="M0 0H{width}V{y}H0z"/>'
        f'<text x="{MARGIN}" y="18">{escape(title)}</text>{lines}{"".join(boxes)}</svg>\n'
    )


def _words(after: str, told: str) -> str:
    return f"told {told}: {after}" if told else after


def _lines(arrows: Sequence[_Arrow], heads: Mapping[str, int], edge: int) -> str:
    """From `edge`, where the boxes end. Short ones in the inner lanes, so that few lines cross; red ones last, on top."""
    order = sorted(arrows, key=lambda arrow: abs(heads[arrow.after] - arrow.y))
    lanes = {arrow: edge + LANE * (number + 1) for number, arrow in enumerate(order)}
    return "".join(
        f'<path{RED_LINE if arrow.unsafe else GREY_LINE} d="M{edge} {arrow.y}H{lanes[arrow]}V{heads[arrow.after]}H{edge + 2}"/>'
        for arrow in sorted(arrows, key=lambda arrow: arrow.unsafe)
    )


def _head(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" '
        f'orient="auto"><path style="fill:{colour};stroke:none" d="M0 0L8 4L0 8z"/></marker>'
    )
