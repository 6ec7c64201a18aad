"""Seam wire: the fault `wire.reset`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Plan, Reset


@fault("wire.reset", example={"when": {"method": "POST"}, "count": 1})
@dataclass(frozen=True, slots=True)
class Drop:
    """Resets the connection instead of answering: "connection reset by peer" (FAULT-008, executed; FAULT-009, not)."""

    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Reset(),)
