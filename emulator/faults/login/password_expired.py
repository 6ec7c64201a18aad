"""Seam login: the fault `auth.password-expired`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import LoginPoint, Seam
from emulator.faults.registry import fault, param


@fault("auth.password-expired")
@dataclass(frozen=True, slots=True)
class PasswordExpired:
    """The password has to be changed first: Redfish answers 403 PasswordChangeRequired to everything but that (AUTH-009).
    IPMI has no word for it and goes on."""

    user: str | None = param("who; null: everybody", None)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.LOGIN

    def answers(self, point: LoginPoint, user: str, protocol: str) -> bool:
        return point is LoginPoint.EXPIRED and self.user in (None, user)
