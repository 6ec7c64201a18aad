"""Seam incident: the fault `host.power-lost`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import IncidentKind, IncidentStep, Seam
from emulator.faults.registry import fault, param


@fault("host.power-lost", example={"when": {"rail": "on"}, "count": 1})
@dataclass(frozen=True, slots=True)
class PowerLost:
    """A client has read the power, and right afterwards the host loses it: its power supply fails, or somebody else cuts it
    (STATE-017)."""

    seconds: float = param("how long after the answer", 0.0, unit="s", low=0)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.INCIDENT

    def incidents(self) -> tuple[IncidentStep, ...]:
        return (IncidentStep(IncidentKind.POWER_LOST, self.seconds),)
