"""Seam wire: the fault `wire.cut`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Plan, Reset, Send, text_of


@fault("wire.cut", example={"when": {"method": "GET"}, "params": {"keep": 200}})
@dataclass(frozen=True, slots=True)
class Cut:
    """Sends the first bytes of the answer, head included, and then resets the connection: the client sees half an answer and
    "connection reset by peer"."""

    keep: int = param("bytes that are sent before", 0, unit="bytes", low=0)
    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Send(text_of(plan)[: self.keep]), Reset())
