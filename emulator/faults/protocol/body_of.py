"""Seam protocol: the fault `redfish.body-of`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from emulator.core.faults.fault import Seam
from emulator.faults.registry import fault, param


@fault(
    "redfish.body-of",
    example={"when": {"path": "/redfish/v1/Systems/1"}, "params": {"path": "/redfish/v1/Systems/2"}},
)
@dataclass(frozen=True, slots=True)
class BodyOf:
    """Answers as if another resource of this BMC had been asked for: status 200 and the other one's `@odata.id` (ID-013)."""

    path: str = param("the path of the resource that answers")
    name: ClassVar[str]
    seam: ClassVar[Seam] = Seam.PROTOCOL
