"""Seam power: the fault `power.early-word`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep, Span, View


@fault("power.early-word", example={"params": {"seconds": 8}})
@dataclass(frozen=True, slots=True)
class EarlyWord:
    """The BMC says Off as soon as it has accepted the command, in all its views, and the rail falls seconds later (TRUTH-015)."""

    seconds: float = param("from the word until the rail falls", 8.0, unit="s", low=0)
    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        if not any(step.real == "Off" for step in steps):
            return steps
        words = dict.fromkeys(View, "Off")
        later = Span(self.seconds, self.seconds)
        return (EffectStep(at=Span(0.0, 0.0), says=words), EffectStep(at=later, real="Off", says=words))
