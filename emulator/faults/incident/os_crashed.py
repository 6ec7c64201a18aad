"""Seam incident: the fault `host.os-crashed`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import IncidentKind, IncidentStep, Seam
from emulator.faults.registry import fault, param


@fault("host.os-crashed", example={"when": {"rail": "on"}, "count": 1})
@dataclass(frozen=True, slots=True)
class OsCrashed:
    """A client has read the power, and right afterwards the operating system of the host crashes. The rail stays up, and no
    polite request is heard any more."""

    seconds: float = param("how long after the answer", 0.0, unit="s", low=0)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.INCIDENT

    def incidents(self) -> tuple[IncidentStep, ...]:
        return (IncidentStep(IncidentKind.OS_CRASHED, self.seconds),)
