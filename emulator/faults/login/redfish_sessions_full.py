"""Seam login: the fault `redfish.sessions-full`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import LoginPoint, Seam
from emulator.faults.registry import fault, param


@fault("redfish.sessions-full", example={"when": {"protocol": "redfish"}})
@dataclass(frozen=True, slots=True)
class RedfishSessionsFull:
    """The Redfish session table is full: a log-in is answered as the profile answers it then; HTTP Basic goes on (AUTH-006)."""

    reply: str | None = param("another of the profile's `replies`, by its key; null: `auth.sessions.on_full`, else 503", None)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.LOGIN

    def answers(self, point: LoginPoint, user: str, protocol: str) -> bool:
        return point is LoginPoint.SESSIONS_FULL and protocol == "redfish"
