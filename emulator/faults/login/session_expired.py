"""Seam login: the fault `auth.session-expired`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import LoginPoint, Seam
from emulator.faults.registry import fault, param


@fault("auth.session-expired", example={"when": {"method": "GET", "skip": 2}, "count": 1})
@dataclass(frozen=True, slots=True)
class SessionExpired:
    """The Redfish session of the request has come to its end: 401, and its token is worth nothing any more (AUTH-004)."""

    user: str | None = param("whose; null: anybody's", None)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.LOGIN

    def answers(self, point: LoginPoint, user: str, protocol: str) -> bool:
        return point is LoginPoint.TOKEN and self.user in (None, user)
