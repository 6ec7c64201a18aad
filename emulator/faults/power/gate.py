"""Seam power: the fault `power.gate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep


@fault("power.gate", example={"params": {"gate": 15}})
@dataclass(frozen=True, slots=True)
class Gated:
    """The rail moves only after the fencer has read the power state `gate` times, or 10 s after its second read (ruling 8,
    ASYNC-004)."""

    gate: int | None = param("how many reads", 3, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return steps
