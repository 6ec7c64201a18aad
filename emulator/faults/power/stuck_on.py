"""Seam power: the fault `power.stuck-on`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep


@fault("power.stuck-on")
@dataclass(frozen=True, slots=True)
class StuckOn:
    """No command cuts the power, as with a welded relay; what the BMC says follows the profile as if it had. The operating
    system is asked and reset as usual."""

    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return tuple(replace(step, real=None) if step.real is not None else step for step in steps)
