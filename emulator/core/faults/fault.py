"""What a fault is: settings, a seam, and at most one pure function. `emulator.faults` holds the faults themselves.

Rules
  1. A fault is a frozen dataclass without state. `board.Arming` counts how often it fired.
  2. Every fault names one of four seams: wire (bytes), protocol (answers), report (what the BMC says about power), power
     (effects).
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Protocol, runtime_checkable

from profiles.model import EffectStep, View


class Seam(StrEnum):
    WIRE = "wire"
    PROTOCOL = "protocol"
    REPORT = "report"
    POWER = "power"


class Fault(Protocol):
    """Every fault is a frozen dataclass with these two class attributes; `name` is what users type."""

    name: ClassVar[str]
    seam: ClassVar[Seam]


@runtime_checkable
class PowerFault(Protocol):
    """Changes what an accepted command does to the host. `gate`: hold the effect back for that many reads (None: no gate)."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def gate(self) -> int | None: ...

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]: ...


@runtime_checkable
class ReportFault(Protocol):
    """Changes what some of the BMC's views say about power. `report` may return ABSENT or None (a null)."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def views(self) -> tuple[View, ...]: ...

    def report(self, word: str | None) -> str | None: ...
