"""Seam protocol: the fault `redfish.redirect`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param
from emulator.faults.seams import EXECUTED


@fault("redfish.redirect", example={"when": {"method": "POST"}, "params": {"status": 302, "location": "/redfish/v1/Systems/1"}})
@dataclass(frozen=True, slots=True)
class Redirect:
    """Sends the client elsewhere (FAULT-015, FAULT-016, FAULT-024): with 301 to 303 many clients turn a POST into a GET, 307 and
    308 keep it."""

    location: str = param("the path or URL in the Location header")
    status: Literal[301, 302, 303, 307, 308] = param("HTTP status", 302)
    executed: bool = param(EXECUTED, False)
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
