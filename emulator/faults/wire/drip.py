"""Seam wire: the fault `wire.drip`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Plan, Send, Wait, WireOp, text_of


@fault("wire.drip", example={"when": {"method": "GET"}, "params": {"size": 1, "every": 0.5}})
@dataclass(frozen=True, slots=True)
class Drip:
    """Sends the answer in small pieces with pauses: a live but useless connection (TIME-005). Disarmed: the rest goes out."""

    size: int = param("bytes of a piece", 1, unit="bytes", low=1)
    every: float = param("pause after each piece", 1.0, unit="s", low=0)
    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        data = text_of(plan)
        drops: list[WireOp] = []
        for start in range(0, len(data), self.size):
            drops += [Send(data[start : start + self.size]), Wait(self.every)]
        return (*drops, *(op for op in plan if not isinstance(op, Send | Wait)))
