"""Seam login: the fault `ipmi.sessions-full`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import LoginPoint, Seam
from emulator.faults.registry import fault


@fault("ipmi.sessions-full")
@dataclass(frozen=True, slots=True)
class IpmiSessionsFull:
    """All IPMI sessions are taken: RMCP+ is told "insufficient resources", IPMI 1.5 completion code 81h (IPMI-011)."""

    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.LOGIN

    def answers(self, point: LoginPoint, user: str, protocol: str) -> bool:
        return point is LoginPoint.SESSIONS_FULL and protocol == "ipmi"
