"""Seam wire: the bytes of an answer, or their absence.

`executed` says whether the BMC does what was asked before the wire fails: the client cannot tell, and has to look again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault
from emulator.wire.ops import Close, Hang, Plan, Reset, Send, Wait, WireOp, text_of


@runtime_checkable
class WireFault(Protocol):
    name: ClassVar[str]
    seam: ClassVar[Seam]

    @property
    def executed(self) -> bool: ...

    def rewrite(self, plan: Plan) -> Plan: ...


@fault("wire.reset")
@dataclass(frozen=True, slots=True)
class Drop:
    """Drops the connection instead of answering: the client sees a reset (FAULT-008 executed, FAULT-009 not)."""

    executed: bool = True
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Reset(),)


@fault("wire.hang")
@dataclass(frozen=True, slots=True)
class Silent:
    """Takes the request and never answers, the connection open (TIME-001, TIME-002)."""

    executed: bool = False
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Hang(),)


@fault("wire.drip")
@dataclass(frozen=True, slots=True)
class Drip:
    """Sends the answer `size` bytes at a time, `every` seconds apart: a live but useless connection (TIME-005)."""

    size: int = 1
    every: float = 1.0
    executed: bool = True
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        data = text_of(plan)
        drops: list[WireOp] = []
        for start in range(0, len(data), self.size):
            drops += [Send(data[start : start + self.size]), Wait(self.every)]
        return (*drops, *(op for op in plan if not isinstance(op, Send | Wait)))


@fault("wire.truncate")
@dataclass(frozen=True, slots=True)
class Truncate:
    """Sends only the first `keep` bytes, then closes: the body is shorter than its Content-Length (FAULT-007)."""

    keep: int
    executed: bool = True
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Send(text_of(plan)[: self.keep]), Close())


@fault("wire.delay")
@dataclass(frozen=True, slots=True)
class Delay:
    """Waits before the answer (TIME-004)."""

    seconds: float
    executed: bool = True
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.WIRE

    def rewrite(self, plan: Plan) -> Plan:
        return (Wait(self.seconds), *plan)
