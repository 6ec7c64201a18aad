"""The paths of one system, its chassis and its BMC, and the functions with which all inventory modules build resources.

The inventory modules use `SystemParts` and `part` when a tree is built, and the states (`powered`, `bmc_clock`) for each request,
in the emulator's thread.

Rules
  1. A part is Enabled while the BMC measures an output voltage. PowerState does not matter, because a fault may falsify it.
  2. A read of a part never counts as a read of the power state (gates count those).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.core.bmc.view import BmcView
from emulator.core.naming import derived_mac, derived_serial, derived_uuid
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.paths import CHASSIS, manager_path, system_path
from emulator.redfish.service.resource import Operation, Resource, State, content_of, fixed_content, head_of
from emulator.redfish.service.shapes import Json
from profiles.model import Inventory, Profile

NO_OPERATIONS: Final[Mapping[str, Operation]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, eq=False)
class SystemParts:
    """One system of a profile with its chassis: URIs, and serial numbers and addresses of its parts. Equal only to itself."""

    profile: Profile
    system_id: str
    chassis_id: str

    @property
    def inventory(self) -> Inventory:
        return self.profile.inventory

    @property
    def system(self) -> str:
        return system_path(self.profile, self.system_id)

    @property
    def chassis(self) -> str:
        return f"{CHASSIS}/{self.chassis_id}"

    @property
    def manager(self) -> str:
        return manager_path(self.profile)

    def serial(self, view: BmcView, part: str) -> str:
        """A serial number that differs for every part of every system. `part` is any text that identifies the part."""
        return derived_serial(f"{view.system(self.system_id).drawn}/{part}")

    def mac(self, view: BmcView, part: str) -> str:
        """A locally administered MAC address that differs for every part of every system."""
        return derived_mac(f"{view.system(self.system_id).drawn}/mac/{part}")

    def uuid(self, view: BmcView, part: str) -> str:
        return derived_uuid("random", f"{view.system(self.system_id).drawn}/{part}")

    def powered(self, call: RedfishCall) -> bool:
        """A `state`: whether the main rails of this system are up, as the BMC measures."""
        return energised(call.view, self.system_id)


def energised(view: BmcView, system_id: str) -> bool:
    """Whether the BMC measures an output voltage; True if the state of the host is unknown."""
    return view.sensors.energised(system_id)


def status(powered: bool = True) -> Json:
    return {"State": "Enabled" if powered else "StandbyOffline", "Health": "OK"}


class BmcClock(NamedTuple):
    """The BMC's own clock, to the second."""

    unix_s: int
    offset_min: int | None  # minutes that local time is ahead of UTC; None: unspecified


def bmc_clock(call: RedfishCall) -> BmcClock:
    """A `state`: what the BMC's clock says now."""
    return BmcClock(int(call.view.log.wall()), call.view.log.utc_offset())


def local_time(clock: BmcClock) -> Json:
    """DateTime and DateTimeLocalOffset in the BMC's own time zone."""
    moment = datetime.fromtimestamp(clock.unix_s, timezone(timedelta(minutes=clock.offset_min or 0)))
    zone = moment.strftime("%z")
    zone = f"{zone[:3]}:{zone[3:]}"
    return {
        "DateTime": moment.strftime("%Y-%m-%dT%H:%M:%S") + (zone if clock.offset_min else "Z"),
        "DateTimeLocalOffset": zone,
    }


def place(label: str, kind: str, ordinal: int) -> Json:
    """A Resource.Location. `kind` is a LocationType: Slot, Bay, Socket, Connector or Embedded."""
    return {"PartLocation": {"ServiceLabel": label, "LocationType": kind, "LocationOrdinalValue": ordinal}}


def part(
    path: str,
    odata_type: str,
    name: str,
    body: Callable[[RedfishBmc, State], Json],
    *,
    state: Callable[[RedfishCall], State],
    operations: Mapping[str, Operation] = NO_OPERATIONS,
) -> Resource:
    """A resource that follows `state`. The usual head comes before `body`; the Id is the last segment of the path."""
    head = _head(path, odata_type, name)
    content = content_of(state, lambda view, now: head | body(view, now))
    return Resource(path=path, type=odata_type, content=content, operations=operations)


def fixed_part(
    path: str,
    odata_type: str,
    name: str,
    body: Callable[[RedfishBmc], Json],
    *,
    operations: Mapping[str, Operation] = NO_OPERATIONS,
) -> Resource:
    """As `part`, for a body that changes only when a client writes to the resource."""
    head = _head(path, odata_type, name)
    content = fixed_content(lambda view: head | body(view))
    return Resource(path=path, type=odata_type, content=content, operations=operations)


def _head(path: str, odata_type: str, name: str) -> Json:
    return head_of(path, odata_type, path.rpartition("/")[2], name)
