"""Seam wire: the fault `wire.truncate`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Close, Plan, Send, text_of


@fault("wire.truncate", example={"when": {"method": "GET"}, "params": {"keep": 120}})
@dataclass(frozen=True, slots=True)
class Truncate:
    """Sends only the first bytes of the answer, head included, then closes: the body is shorter than its Content-Length
    (FAULT-007)."""

    keep: int = param("bytes that are sent", unit="bytes", low=0)
    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Send(text_of(plan)[: self.keep]), Close())
