"""Seam datagram: the fault `udp.corrupt`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Passage
from emulator.faults.udp import DIRECTION, Direction


@fault("udp.corrupt", example={"probability": 0.1})
@dataclass(frozen=True, slots=True)
class Corrupt:
    """One bit of a datagram is turned, somewhere behind the RMCP header: whoever checks checksums and hashes drops it."""

    direction: Direction = param(DIRECTION, "both")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.DATAGRAM

    def passages(self, data: bytes, roll: Callable[[], float]) -> tuple[Passage, ...]:
        if len(data) <= _HEADER:
            return (Passage(data),)
        where = _HEADER * 8 + int(roll() * (len(data) - _HEADER) * 8)
        where = min(where, len(data) * 8 - 1)
        spoilt = bytearray(data)
        spoilt[where // 8] ^= 1 << where % 8
        return (Passage(bytes(spoilt)),)


_HEADER = 4  # bytes of RMCP
