"""Seam datagram: the fault `udp.duplicate`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Passage
from emulator.faults.udp import DIRECTION, Direction


@fault("udp.duplicate", example={"params": {"direction": "out"}})
@dataclass(frozen=True, slots=True)
class Duplicate:
    """Datagrams come twice (IPMI-009)."""

    direction: Direction = param(DIRECTION, "both")
    gap: float = param("between the two", 0.0, unit="s", low=0)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.DATAGRAM

    def passages(self, data: bytes, roll: Callable[[], float]) -> tuple[Passage, ...]:
        return (Passage(data), Passage(data, self.gap))
