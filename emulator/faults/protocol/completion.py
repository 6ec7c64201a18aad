"""Seam protocol: the fault `ipmi.completion`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED


@fault("ipmi.completion", example={"when": {"path": "chassis-control"}, "params": {"code": 0xC0}})
@dataclass(frozen=True, slots=True)
class Completion:
    """Answers an IPMI request with another completion code (IPMI-002, IPMI-005). For the handshake's messages (`open-session`,
    `rakp1`, `rakp3`) it is the RMCP+ status code of the answer."""

    code: int = param("the completion code; 0xC0 is busy, 0xD5 not in this state", low=0, high=255)
    executed: bool = param(EXECUTED, False)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
