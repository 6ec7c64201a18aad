"""Seam wire: the fault `wire.hang`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Hang, Plan


@fault("wire.hang", example={"when": {"method": "GET"}})
@dataclass(frozen=True, slots=True)
class Silent:
    """Takes the request and never answers, the connection open (TIME-001, TIME-002). Disarmed: the connection is closed."""

    executed: bool = param(EXECUTED, False)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Hang(),)
