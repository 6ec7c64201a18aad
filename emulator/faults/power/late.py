"""Seam power: the fault `power.late`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep, Span


@fault("power.late", example={"params": {"seconds": 90}})
@dataclass(frozen=True, slots=True)
class Late:
    """Everything happens later than the profile says (ASYNC-005)."""

    seconds: float = param("how much later", unit="s", low=0)
    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return tuple(replace(s, at=Span(s.at.low + self.seconds, s.at.high + self.seconds)) for s in steps)
