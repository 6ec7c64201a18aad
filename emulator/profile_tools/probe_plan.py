"""Which cell a probe tries next, so that the machine is switched as seldom as possible. Pure.

Rules
  1. In a state, commands come first that are expected to leave it; among those, harmless ones first.
  2. A command that crashes the operating system comes after all that need one, just before the power is cut.
  3. Only when a state has no cell left, a known command leads to the other state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ON_ORDER: Final = (
    *("On", "up", "ForceOn", "GracefulRestart", "ForceRestart", "reset", "PowerCycle", "cycle", "FullPowerCycle"),
    *("GracefulShutdown", "soft", "PushPowerButton", "Nmi", "diag", "ForceOff", "down"),
)
OFF_ORDER: Final = (
    *("ForceOff", "down", "GracefulShutdown", "soft", "Nmi", "diag", "GracefulRestart", "reset", "cycle", "ForceRestart"),
    *("PowerCycle", "FullPowerCycle", "PushPowerButton", "ForceOn", "up", "On"),
)
SWITCHES: Final[Mapping[str, tuple[str, ...]]] = {"On": ("On", "ForceOn", "up"), "Off": ("ForceOff", "down")}
"""By the state that they lead to: what switches a machine when nothing better is known."""
POLITE: Final = frozenset({"GracefulShutdown", "GracefulRestart", "PushPowerButton", "soft"})
"""Commands that only an operating system that has started can follow."""


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """A cell to try: `word` is a ResetType, or with `ipmi` a Chassis Control."""

    state: str
    word: str
    ipmi: bool = False


def next_cell(state: str, left: frozenset[Cell]) -> Cell | None:
    """The cell to try in this state; None where none is left for it."""
    order = ON_ORDER if state == "On" else OFF_ORDER
    here = [cell for cell in left if cell.state == state]
    return min(here, key=lambda cell: (_place(cell.word, order), cell.ipmi, cell.word), default=None)


def switches(goal: str, offered: frozenset[Cell], learnt: Mapping[Cell, str]) -> tuple[Cell, ...]:
    """Commands that lead to a state, those first that have been seen to do so."""
    start = "Off" if goal == "On" else "On"
    here = [cell for cell in offered if cell.state == start and learnt.get(cell, goal) == goal]
    known = [cell for cell in here if cell in learnt or cell.word in SWITCHES[goal]]
    return tuple(sorted(known, key=lambda cell: (cell not in learnt, _place(cell.word, SWITCHES[goal]), cell)))


def _place(word: str, order: tuple[str, ...]) -> float:
    """Unknown ResetTypes come in the middle: after what leaves a state, before what crashes the system or cuts the power."""
    if word in order:
        return order.index(word)
    return order.index("PushPowerButton") - 0.5 if "PushPowerButton" in order else len(order)
