"""Seam report: the fault `report.says`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import View


@fault("report.says", example={"params": {"word": "PoweringOff", "views": ["system"]}})
@dataclass(frozen=True, slots=True)
class Says:
    """The named views say this word, whatever is true: a lie, a stuck PoweringOff, null, or "absent" for no property at all
    (STATE-009, STATE-011)."""

    word: str | None = param("the word; null is JSON null, absent leaves the property out")
    views: tuple[View, ...] = param("whose word", (View.SYSTEM,))
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.REPORT

    def report(self, word: str | None) -> str | None:
        return self.word
