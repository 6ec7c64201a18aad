"""Seam port: the fault `wire.queue`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param


@fault("wire.queue", example={"params": {"at_once": 1}})
@dataclass(frozen=True, slots=True)
class Queue:
    """The BMC's web server serves few connections at a time: more clients connect and wait until one before them has gone
    (CONC-003). IPMI is as always. Disarmed: those who wait are served.

    It acts as long as it is armed; `when`, `count` and `probability` have no say, since waiting clients have asked nothing yet.
    """

    at_once: int = param("connections that are served at a time", 1, low=1)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PORT
