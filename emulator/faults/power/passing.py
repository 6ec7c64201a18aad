"""Seam power: the fault `power.passing`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep, Span, View


@fault("power.passing", example={"params": {"word": "PoweringOff", "gate": 5}})
@dataclass(frozen=True, slots=True)
class Passing:
    """From the command until the rail has moved, System and Chassis say a word in between, such as PoweringOff (STATE-010)."""

    word: str = param("the word in between", "PoweringOff")
    gate: int | None = param("as in power.gate", 5, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        first = next((n for n, step in enumerate(steps) if step.real is not None), None)
        if first is None:
            return steps
        between = EffectStep(at=Span(0.0, 0.0), says=dict.fromkeys((View.SYSTEM, View.CHASSIS), self.word))
        at_the_move = {view: word for step in steps[: first + 1] for view, word in step.says.items()}
        asked = tuple(step for step in steps[:first] if step.event is not None)
        return (between, *asked, replace(steps[first], says=at_the_move), *steps[first + 1 :])
