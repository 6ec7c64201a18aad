"""Seam protocol: the fault `ipmi.silence`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED


@fault("ipmi.silence", example={"when": {"path": "chassis-*"}})
@dataclass(frozen=True, slots=True)
class Silence:
    """Never answers an IPMI request (IPMI-008): a lost answer where it was executed, a lost request where not."""

    executed: bool = param(EXECUTED, False)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
