"""Seam incident: the fault `bmc.restart`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import IncidentKind, IncidentStep, Seam
from emulator.faults.registry import fault, param


@fault("bmc.restart", example={"when": {"rail": "off"}, "count": 1, "params": {"power_on": True}})
@dataclass(frozen=True, slots=True)
class BmcRestart:
    """A client has read the power, and right afterwards the BMC restarts: it answers nothing for a while, and its sessions
    are lost. With `power_on` its restore policy switches the host on as it starts (TRUTH-017)."""

    seconds: float = param("how long after the answer, which is to reach the client", 0.05, unit="s", low=0)
    outage_s: float = param("how long it answers nothing", 2.0, unit="s", low=0)
    power_on: bool = param("whether the host gets power, at once", False)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.INCIDENT

    def incidents(self) -> tuple[IncidentStep, ...]:
        restart = IncidentStep(IncidentKind.BMC_RESTART, self.seconds, self.outage_s)
        return (restart, IncidentStep(IncidentKind.POWER_RESTORED)) if self.power_on else (restart,)
