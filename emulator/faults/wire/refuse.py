"""Seam port: the fault `wire.refuse`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param


@fault("wire.refuse")
@dataclass(frozen=True, slots=True)
class Refuse:
    """Nobody listens: connects to the BMC's TCP ports are refused, and IPMI is silent (FAULT-010). Disarmed: the ports open.

    BMCs of a large fleet share one socket: there a client connects and is reset before anything is answered.

    It acts as long as it is armed; `when`, `count` and `probability` have no say, since the kernel refuses and nobody sees it.
    """

    ipmi: bool = param("whether the IPMI port is silent too", True)
    breaks: bool = param("whether connections that are open are reset", True)
    refuses: ClassVar[bool] = True
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PORT
