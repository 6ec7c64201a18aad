"""How wide a text is in Verdana at 11 px, the font of badges. Pure.

The widths are those of DejaVu Sans, which has Verdana's metrics and stands in for it where that is not installed.
"""

from __future__ import annotations

from typing import Final

FONT_SIZE_PX: Final = 11
WIDEST: Final = 1000
"""For signs that are not in the table."""
_SIGNS_BY_WIDTH: Final[dict[int, str]] = {
    275: "'",
    278: "ijl",
    295: "IJ",
    318: " ,.·",
    337: "/:;\\|",
    352: "f",
    361: "-",
    390: "()[]",
    392: "t",
    401: "!",
    411: "r",
    460: '"',
    500: "*_`",
    521: "s",
    525: "z",
    531: "?",
    550: "c",
    557: "L",
    575: "F",
    579: "k",
    592: "vxy",
    603: "P",
    611: "TY",
    612: "o",
    613: "a",
    615: "e",
    632: "E",
    634: "hnu",
    635: "Sbdgpq",
    636: "$0123456789{}",
    656: "K",
    684: "AV",
    685: "XZ",
    686: "B",
    695: "R",
    698: "C",
    732: "U",
    748: "N",
    752: "H",
    770: "D",
    775: "G",
    780: "&",
    787: "OQ",
    818: "w",
    838: "#+<=>^~",
    863: "M",
    950: "%",
    974: "m",
    989: "W",
    1000: "@",
}
_WIDTHS: Final = {sign: width for width, signs in _SIGNS_BY_WIDTH.items() for sign in signs}
"""Thousandths of the font size."""


def width_px(text: str) -> float:
    """The width of a line of text in pixels."""
    return sum(_WIDTHS.get(sign, WIDEST) for sign in text) * FONT_SIZE_PX / 1000
