"""Seam power: the fault `power.bounce`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep, Span, View


@fault("power.bounce", example={"when": {"reset": ["ForceOff"]}, "params": {"seconds": 5}})
@dataclass(frozen=True, slots=True)
class Bounce:
    """The command works, and some seconds after its last step the host has power again, as if somebody had pressed the button
    (TRUTH-009)."""

    seconds: float = param("from the last step until the power is back", 5.0, unit="s", low=0)
    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        if not any(step.real == "Off" for step in steps):
            return steps
        last = max((step.at for step in steps), key=lambda span: span.high)
        back = Span(last.low + self.seconds, last.high + self.seconds)
        return (*steps, EffectStep(at=back, real="On", says=dict.fromkeys(View, "On")))
