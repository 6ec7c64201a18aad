"""Seam port: the fault `wire.blackhole`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param


@fault("wire.blackhole")
@dataclass(frozen=True, slots=True)
class Blackhole:
    """The network swallows everything: a client's connect runs into its own time-out, and IPMI is silent (TIME-003).
    Disarmed: the ports open, and a client that still tries gets in.

    BMCs of a large fleet share one socket: there it holds for 256 ranges of addresses, and clients of more BMCs connect and wait.

    It acts as long as it is armed; `when`, `count` and `probability` have no say, since the kernel drops the SYN unseen.
    """

    ipmi: bool = param("whether the IPMI port is silent too", True)
    breaks: bool = param("whether connections that are open are reset", True)
    refuses: ClassVar[bool] = False
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PORT
