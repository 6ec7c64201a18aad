"""Seam power: the fault `power.glitch`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep, Span, View


@fault("power.glitch", example={"params": {"gate": 3}})
@dataclass(frozen=True, slots=True)
class Glitch:
    """A command that cuts the power is accepted and has no effect. The named views say Off until the power has been read `gate`
    times, then On again (TRUTH-003)."""

    gate: int | None = param("how many reads", 3, unit="reads", low=1)
    views: tuple[View, ...] = param("whose word", tuple(View))
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        if not any(step.real == "Off" for step in steps):
            return steps
        at_once = Span(0.0, 0.0)
        return (
            EffectStep(at=at_once, says=dict.fromkeys(self.views, "Off")),
            EffectStep(at=at_once, real="On", says=dict.fromkeys(View, "On")),
        )
