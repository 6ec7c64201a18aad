"""One system, its chassis and its BMC: where their resources live, what is in them, and how a part is shown.

Rules
  1. A part is Enabled while the BMC measures an output voltage, whatever it says of PowerState.
  2. Looking at a part never counts as a look at the power (gates count those).
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final

from emulator.core.bmc.sensors import PSU_OUTPUT
from emulator.core.bmc.view import BmcView
from emulator.core.naming import derived_mac, derived_serial, derived_uuid
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.paths import CHASSIS, SYSTEMS, manager_path
from emulator.redfish.service.resource import Operation, Resource, head_of, nothing
from emulator.redfish.service.shapes import Json
from profiles.model import Inventory, Profile

NO_OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class SystemParts:
    profile: Profile
    system_id: str
    chassis_id: str

    @property
    def parts(self) -> Inventory:
        return self.profile.inventory

    @property
    def system(self) -> str:
        return f"{SYSTEMS}/{self.system_id}"

    @property
    def chassis(self) -> str:
        return f"{CHASSIS}/{self.chassis_id}"

    @property
    def manager(self) -> str:
        return manager_path(self.profile)

    def serial(self, view: BmcView, part: str) -> str:
        """A serial number of its own for every part of every machine."""
        return derived_serial(f"{view.system(self.system_id).serial}/{part}")

    def mac(self, view: BmcView, part: str) -> str:
        """A MAC address with the bit for locally administered ones set."""
        return derived_mac(f"{view.system(self.system_id).serial}/mac/{part}")

    def uuid(self, view: BmcView, part: str) -> str:
        return derived_uuid("random", f"{view.system(self.system_id).serial}/{part}")

    def powered(self, call: RedfishCall) -> Hashable:
        """A `state`: whether the main rails of this system are up."""
        return energised(call.view, self.system_id)


def energised(view: BmcView, system_id: str) -> bool:
    """Whether the BMC measures output voltage; a host out of sight counts as energised."""
    volts = view.sensors.measured(PSU_OUTPUT, system_id)
    return volts is None or volts > 0


def status(powered: Hashable = True) -> Json:
    return {"State": "Enabled" if powered else "StandbyOffline", "Health": "OK"}


def local_time(clock: Hashable) -> Json:
    """DateTime in the BMC's own zone, and that zone. `clock` is (Unix time, minutes from UTC or None for unspecified)."""
    assert isinstance(clock, tuple)
    wall, minutes = clock
    told = datetime.fromtimestamp(wall, timezone(timedelta(minutes=minutes or 0)))
    zone = told.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:]}"
    return {
        "DateTime": told.strftime("%Y-%m-%dT%H:%M:%S") + (zone if minutes else "Z"),
        "DateTimeLocalOffset": zone,
    }


def place(label: str, kind: str, ordinal: int) -> Json:
    """A Resource.Location: a Slot, Bay, Socket, Connector or Embedded part with its label."""
    return {"PartLocation": {"ServiceLabel": label, "LocationType": kind, "LocationOrdinalValue": ordinal}}


def part(
    path: str,
    odata_type: str,
    name: str,
    body: Callable[[RedfishBmc, Hashable], Json],
    *,
    state: Callable[[RedfishCall], Hashable] = nothing,
    operations: Mapping[str, Operation] = NO_OPERATIONS,
    system: str | None = None,
) -> Resource:
    """A resource with the usual head: its Id is the end of its path."""
    resource_id = path.rpartition("/")[2]

    def whole(view: RedfishBmc, state: Hashable) -> Json:
        return head_of(path, odata_type, resource_id, name) | body(view, state)

    return Resource(path=path, type=odata_type, body=whole, state=state, operations=operations, system=system)
