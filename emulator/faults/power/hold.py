"""Seam power: the fault `power.hold`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault
from profiles.model import EffectStep


@fault("power.hold")
@dataclass(frozen=True, slots=True)
class HoldRail:
    """Commands are accepted, and the rail does not move, however often it is read, before somebody lets it from outside
    (`Emulator.expect_reads`; CONC-002)."""

    gate: ClassVar[int | None] = None
    holds: ClassVar[bool] = True
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return steps
