"""Seam report: the fault `report.stale`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import View


@fault("report.stale", example={"params": {"reads": 12}})
@dataclass(frozen=True, slots=True)
class Stale:
    """A cache: for a number of reads the named views say what they said at the first one (TRUTH-005)."""

    reads: int = param("how many reads", 5, unit="reads", low=1)
    views: tuple[View, ...] = param("whose word", (View.SYSTEM,))
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.REPORT

    def report(self, word: str | None) -> str | None:
        return word

    def report_nth(self, word: str | None, n: int, first: str | None) -> str | None:
        return first if n <= self.reads else word
