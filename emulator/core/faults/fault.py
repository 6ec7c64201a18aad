"""What a fault is: settings, a seam, and at most one pure function. The concrete ones are in `emulator.faults`, one file each.

Rules
  1. A fault is a frozen dataclass and keeps no state; what it has seen so far is kept by `board.Arming`.
  2. Four seams, named by every fault: wire (bytes), protocol (answers), report (what the BMC says of power), power (effects).
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
    """Changes what an accepted command does to the host; `gate` asks for one with that many reads."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def gate(self) -> int | None: ...

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]: ...


@runtime_checkable
class ReportFault(Protocol):
    """Changes what one of the BMC's views says of power. May return ABSENT or None."""

    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def views(self) -> tuple[View, ...]: ...

    def report(self, word: str | None) -> str | None: ...
