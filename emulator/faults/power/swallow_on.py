"""Seam power: the fault `power.swallow-on`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep


@fault("power.swallow-on", example={"after": {"rail": "off"}, "until": 60})
@dataclass(frozen=True, slots=True)
class SwallowOn:
    """A command that would switch the host on is accepted and does nothing; one that switches it off and on again only switches
    it off (TRUTH-016). Bound it with `count` or `until`."""

    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        first_on = next((n for n, step in enumerate(steps) if step.real == "On"), len(steps))
        return steps[:first_on]
