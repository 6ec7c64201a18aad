"""Seam report: the fault `report.flap`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import View


@fault("report.flap", example={"params": {"reads": 3}})
@dataclass(frozen=True, slots=True)
class Flap:
    """The named views say one word for some reads and the true one for as many, in turns (TRUTH-002, TRUTH-003)."""

    word: str = param("the word that is said in between", "Off")
    reads: int = param("reads of each turn", 1, unit="reads", low=1)
    views: tuple[View, ...] = param("whose word", (View.SYSTEM,))
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.REPORT

    def report(self, word: str | None) -> str | None:
        return word

    def report_nth(self, word: str | None, n: int, first: str | None) -> str | None:
        return self.word if (n - 1) // self.reads % 2 == 0 else word
