"""Seam protocol: the fault `redfish.strict-headers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from emulator.core.faults.fault import Seam
from emulator.faults.protocol.redirect import Redirect
from emulator.faults.protocol.reply import HttpReply
from emulator.faults.registry import fault
from emulator.faults.seams import Asked

JSON: Final = "application/json"
WITH_BODY: Final = ("POST", "PATCH", "PUT")


@fault("redfish.strict-headers")
@dataclass(frozen=True, slots=True)
class StrictHeaders:
    """Insists on the headers of DSP0266: 406 unless Accept admits JSON and OData-Version is 4.0, 415 for a body that is not
    declared as application/json (FAULT-011)."""

    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
    settles: ClassVar[tuple[str, ...]] = ()

    def instead(self, asked: Asked) -> HttpReply | Redirect | None:
        accepted = {part.partition(";")[0].strip().lower() for part in asked.headers.get("accept", "").split(",")}
        if accepted.isdisjoint({JSON, "application/*", "*/*"}):
            return _invalid(406, "Accept")
        if asked.headers.get("odata-version", "").strip() != "4.0":
            return _invalid(406, "OData-Version")
        declared = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
        return _invalid(415, "Content-Type") if asked.method in WITH_BODY and declared != JSON else None


def _invalid(status: int, header: str) -> HttpReply:
    return HttpReply(status=status, message_id="Base.1.8.HeaderInvalid", text=f"The header {header} is missing or invalid.")
