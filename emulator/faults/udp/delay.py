"""Seam datagram: the fault `udp.delay`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import Passage
from emulator.faults.udp import DIRECTION, Direction


@fault("udp.delay", example={"params": {"seconds": 0.4, "jitter": 0.3}})
@dataclass(frozen=True, slots=True)
class DelayDatagram:
    """Datagrams arrive late; with jitter they may overtake one another. Disarmed: those on their way arrive at once."""

    seconds: float = param("how late at least", unit="s", low=0, high=3600)
    jitter: float = param("up to so much more, drawn for each", 0.0, unit="s", low=0, high=3600)
    direction: Direction = param(DIRECTION, "out")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.DATAGRAM

    def passages(self, data: bytes, roll: Callable[[], float]) -> tuple[Passage, ...]:
        return (Passage(data, self.seconds + (self.jitter * roll() if self.jitter else 0.0)),)
