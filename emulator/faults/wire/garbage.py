"""Seam wire: the fault `wire.garbage`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED
from emulator.wire.ops import Close, Plan, Send


@fault("wire.garbage", example={"count": 1})
@dataclass(frozen=True, slots=True)
class Garbage:
    """Answers with bytes that are no HTTP, then closes: the client's library reports a bad status line (FAULT-006)."""

    text: str = param("what is sent instead of the answer", "\x00\xff not HTTP \r\n\r\n")
    executed: bool = param(EXECUTED, True)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Send(self.text.encode("latin-1", "replace")), Close())
