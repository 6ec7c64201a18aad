"""Seam report: the host is as it is, and the BMC says something else of its power."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault
from profiles.model import View


@fault("report.says")
@dataclass(frozen=True, slots=True)
class Says:
    """The named views say this word, whatever is true: a lie, a stuck PoweringOff, null (None), "absent" (STATE-009, -011)."""

    word: str | None
    views: tuple[View, ...] = (View.SYSTEM,)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.REPORT

    def report(self, word: str | None) -> str | None:
        return self.word
