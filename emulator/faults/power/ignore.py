"""Seam power: the fault `power.ignore`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from profiles.model import EffectStep


@fault("power.ignore", example={"when": {"reset": ["ForceOff"]}})
@dataclass(frozen=True, slots=True)
class Ignore:
    """Accepts the command and does nothing (TRUTH-001, IPMI-003)."""

    gate: int | None = param("as in power.gate", None, unit="reads", low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.POWER

    def shape(self, steps: tuple[EffectStep, ...]) -> tuple[EffectStep, ...]:
        return ()
