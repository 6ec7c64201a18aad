"""Seam connect: the fault `tls.stall`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.wire.ops import Hang, Plan, Wait


@fault("tls.stall", example={"params": {"seconds": 20}})
@dataclass(frozen=True, slots=True)
class Stall:
    """TCP connects, and the TLS handshake begins late or never (TIME-003). Disarmed: a late one begins at once, one that would
    never come is closed."""

    seconds: float | None = param("how late; null: never", None, unit="s", low=0)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.CONNECT

    def greeting(self) -> Plan:
        return (Hang(),) if self.seconds is None else (Wait(self.seconds),)
