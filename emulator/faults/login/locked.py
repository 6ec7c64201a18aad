"""Seam login: the fault `auth.locked`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import LoginPoint, Seam
from emulator.faults.registry import fault, param


@fault("auth.locked", example={"params": {"user": "root"}})
@dataclass(frozen=True, slots=True)
class Locked:
    """The account is locked: right passwords are refused like wrong ones, over Redfish and IPMI (AUTH-002). Sessions that are
    open go on. With `when: {every: 2}` the right password is refused every second time."""

    user: str | None = param("who; null: everybody", None)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.LOGIN

    def answers(self, point: LoginPoint, user: str, protocol: str) -> bool:
        return point is LoginPoint.LOCKED and self.user in (None, user)
