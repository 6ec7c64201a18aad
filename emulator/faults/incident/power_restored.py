"""Seam incident: the fault `host.power-restored`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import IncidentKind, IncidentStep, Seam
from emulator.faults.registry import fault, param


@fault("host.power-restored", example={"when": {"rail": "off"}, "count": 1})
@dataclass(frozen=True, slots=True)
class PowerRestored:
    """A client has read the power, and right afterwards somebody switches the host on: another client, the button, a restore
    policy (TRUTH-009)."""

    seconds: float = param("how long after the answer", 0.0, unit="s", low=0)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.INCIDENT

    def incidents(self) -> tuple[IncidentStep, ...]:
        return (IncidentStep(IncidentKind.POWER_RESTORED, self.seconds),)
