"""Chassis and Manager: the box around a system, and the BMC itself."""

from __future__ import annotations

from collections.abc import Hashable

from emulator.core.view import BmcView, SystemName
from emulator.redfish.call import Call, Json
from emulator.redfish.manager import manager_reset, reset_action
from emulator.redfish.resource import Resource, collection, head_of, link, links, version_of
from emulator.redfish.root import root_uuid
from emulator.redfish.systems import CHASSIS, MANAGERS, SYSTEMS, manager_path, power_and_status
from profiles.model import ABSENT, Profile, View


def chassis(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    members = tuple(f"{CHASSIS}/{name.chassis_id}" for name in names)
    listing = collection(CHASSIS, "ChassisCollection", "Chassis Collection", lambda view: members)
    return (listing, *(_one_chassis(profile, name.id, name.chassis_id) for name in names))


def _one_chassis(profile: Profile, system_id: str, chassis_id: str) -> Resource:
    path = f"{CHASSIS}/{chassis_id}"
    identity = profile.identity

    def state(call: Call) -> Hashable:
        return call.view.power(system_id, View.CHASSIS, call.request, call.seq)

    def body(view: BmcView, power: Hashable) -> Json:
        box = head_of(path, identity.chassis_type, chassis_id, "Computer System Chassis") | {"ChassisType": "RackMount"}
        told = {"Manufacturer": identity.manufacturer, "Model": identity.model, "SerialNumber": view.system(system_id).serial}
        box |= {key: value for key, value in told.items() if value != ABSENT}
        box |= power_and_status(power)
        box["Links"] = {"ComputerSystems": [link(f"{SYSTEMS}/{system_id}")], "ManagedBy": [link(manager_path(profile))]}
        return box

    return Resource(path=path, type=identity.chassis_type, body=body, state=state, system=system_id)


def managers(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    path = manager_path(profile)
    identity = profile.identity

    def body(view: BmcView, state: Hashable) -> Json:
        manager = head_of(path, identity.manager_type, profile.ids.manager, "Manager") | {"ManagerType": "BMC"}
        told = {"Model": identity.bmc_model, "FirmwareVersion": identity.bmc_firmware, "ServiceEntryPointUUID": root_uuid(view)}
        manager |= {key: value for key, value in told.items() if value != ABSENT}
        if version_of(identity.manager_type) >= (1, 2, 0):
            manager["PowerState"] = "On"
        manager["Status"] = {"State": "Enabled", "Health": "OK"}
        manager["Links"] = {
            "ManagerForServers": links(tuple(f"{SYSTEMS}/{name.id}" for name in names)),
            "ManagerForChassis": links(tuple(f"{CHASSIS}/{name.chassis_id}" for name in names)),
        }
        if profile.bmc_reset.reset_types:
            manager["Actions"] = {"#Manager.Reset": reset_action(profile)}
        return manager

    listing = collection(MANAGERS, "ManagerCollection", "Manager Collection", lambda view: (path,))
    resets = manager_reset(profile) if profile.bmc_reset.reset_types else ()
    return (listing, Resource(path=path, type=identity.manager_type, body=body), *resets)
