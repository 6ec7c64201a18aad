"""Seam wire: the fault `wire.delay`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Plan, Wait


@fault("wire.delay", example={"params": {"seconds": 4}})
@dataclass(frozen=True, slots=True)
class Delay:
    """Waits before the answer (TIME-004). Disarmed: the answer comes at once."""

    seconds: float = param("how long", unit="s", low=0)
    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Wait(self.seconds), *plan)
