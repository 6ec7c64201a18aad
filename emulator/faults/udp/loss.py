"""Seam datagram: the fault `udp.loss`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Passage
from emulator.faults.udp import DIRECTION, Direction


@fault("udp.loss", example={"probability": 0.3})
@dataclass(frozen=True, slots=True)
class Loss:
    """Datagrams are lost: the client repeats itself or times out (IPMI-009)."""

    direction: Direction = param(DIRECTION, "both")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.DATAGRAM

    def passages(self, data: bytes, roll: Callable[[], float]) -> tuple[Passage, ...]:
        return ()
