"""Seam datagram: the fault `udp.reorder`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Passage
from emulator.faults.udp import DIRECTION, Direction


@fault("udp.reorder", example={"probability": 0.2})
@dataclass(frozen=True, slots=True)
class Reorder:
    """A datagram lets the next one in its direction go first (IPMI-009). Disarmed: what waits goes on at once."""

    at_most: float = param("how long it waits for the next one", 1.0, unit="s", low=0, high=3600)
    direction: Direction = param(DIRECTION, "out")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.DATAGRAM

    def passages(self, data: bytes, roll: Callable[[], float]) -> tuple[Passage, ...]:
        return (Passage(data, self.at_most, behind_next=True),)
