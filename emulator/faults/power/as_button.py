"""Seam power: the fault `power.as-button`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep, HostEvent, Span


@fault("power.as-button", example={"when": {"reset": ["ForceOff"]}})
@dataclass(frozen=True, slots=True)
class AsButton:
    """A command that should cut the power only presses the button: the operating system is asked, and one that hangs ignores it
    (TRUTH-007)."""

    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        if not any(step.real == "Off" for step in steps):
            return steps
        return (EffectStep(at=Span(0.0, 0.0), event=HostEvent.OS_SHUTDOWN),)
