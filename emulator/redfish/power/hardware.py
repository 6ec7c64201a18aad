"""Chassis and Manager: the chassis of each system, and the BMC itself.

`service.tree` calls it when a tree is built. A GET of a Chassis asks the core for the power word of that view.
"""

from __future__ import annotations

from typing import NamedTuple

from emulator.core.bmc.machine import Led
from emulator.core.bmc.view import SystemName
from emulator.redfish.inventory import host, power, thermal
from emulator.redfish.inventory.manager_network import ethernet_path, protocol_path
from emulator.redfish.inventory.processors import processor_paths
from emulator.redfish.inventory.saved_settings import ASSET, save_to
from emulator.redfish.inventory.software import bmc_image
from emulator.redfish.inventory.storage import drive_paths, pool_path, pools
from emulator.redfish.inventory.system_parts import BmcClock, SystemParts, bmc_clock, local_time
from emulator.redfish.inventory.versions import without_newer
from emulator.redfish.power.manager import manager_reset, reset_action
from emulator.redfish.power.systems import power_and_status, reset_info, reset_info_path, reset_operation
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.paths import CHASSIS, MANAGERS
from emulator.redfish.service.resource import (
    RedfishPrivilege,
    Resource,
    collection,
    content_of,
    fixed_content,
    head_of,
    link,
    links,
)
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import patch
from profiles.model import ABSENT, OtherManager, Profile, View


class ChassisState(NamedTuple):
    """Everything changeable that a Chassis shows, except what a client wrote."""

    power: str | None  # a PowerState word, None for null, or ABSENT
    led: Led


def chassis(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    all_parts = tuple(SystemParts(profile, name.id, name.chassis_id) for name in names)
    members = tuple(parts.chassis for parts in all_parts)
    listing = collection(CHASSIS, "ChassisCollection", "Chassis Collection", lambda view: members, power_below=1)
    return (listing, *(_one_chassis(parts) for parts in all_parts), *chassis_resets(profile, names))


def _one_chassis(parts: SystemParts) -> Resource:
    path, system_id = parts.chassis, parts.system_id
    identity = parts.profile.identity
    fixed = _fixed_properties(parts)
    shows_power = parts.profile.power.chassis.power_state
    reset = chassis_reset_action(parts.profile, path)

    def state(call: RedfishCall) -> ChassisState:
        power = call.power(system_id, View.CHASSIS) if shows_power else ABSENT
        return ChassisState(power, call.view.chassis.led(system_id))

    def body(view: RedfishBmc, state: ChassisState) -> Json:
        properties: Json = head_of(path, identity.chassis_type, parts.chassis_id, "Computer System Chassis") | {
            "ChassisType": "RackMount"
        }
        names = {"Manufacturer": identity.manufacturer, "Model": identity.model, "SerialNumber": view.system(system_id).serial}
        properties |= {key: value for key, value in names.items() if value != ABSENT}
        properties |= (
            power_and_status(state.power)
            | {"AssetTag": "", "UUID": parts.uuid(view, "chassis")}
            | host.led(parts, identity.chassis_type, state.led)
        )
        return without_newer(identity.chassis_type, properties | fixed | reset) | view.settings.of(path)

    def write(call: RedfishCall, taken: Json) -> None:
        host.write_led(call, system_id, taken)
        tag = {name: value for name, value in taken.items() if name == "AssetTag"}
        if tag:
            save_to(path)(call, tag)

    fields = {**ASSET, **host.led_rule(parts, identity.chassis_type)}
    return Resource(
        path=path,
        type=identity.chassis_type,
        content=content_of(state, body),
        operations={"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, fields, write)},
        system=system_id,
        tells=View.CHASSIS if shows_power else None,
        power_in_links=True,
    )


def chassis_resets(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    """Chassis.Reset of each chassis, where the profile has it: the command goes to the system in the chassis."""
    types = profile.power.chassis.reset_types
    if not types:
        return ()
    paths = tuple((f"{CHASSIS}/{name.chassis_id}", name.id) for name in names)
    resets = (
        Resource(path=f"{path}/Actions/Chassis.Reset", operations={"POST": reset_operation(system_id, types)}, system=system_id)
        for path, system_id in paths
    )
    infos = (reset_info(path, types) for path, _ in paths) if profile.power.chassis.advertise == "action_info" else ()
    return (*resets, *infos)


def chassis_reset_action(profile: Profile, path: str) -> Json:
    """The property Actions of a chassis; empty where the profile has no Chassis.Reset."""
    rules = profile.power.chassis
    if not rules.reset_types:
        return {}
    types: Json = {"ResetType@Redfish.AllowableValues": list(rules.reset_types)}
    shown = types if rules.advertise == "inline" else {"@Redfish.ActionInfo": reset_info_path(path)}
    return {"Actions": {"#Chassis.Reset": {"target": f"{path}/Actions/Chassis.Reset"} | shown}}


def _fixed_properties(parts: SystemParts) -> Json:
    """The fixed properties of a chassis: its dimensions, and links to what it contains."""
    modern = parts.inventory.power_and_thermal != "legacy"
    properties: Json = {
        "EnvironmentalClass": "A3",
        "HeightMm": 44.45,
        "WidthMm": 431.8,
        "DepthMm": 711,
        "WeightKg": 15.31,
        "RackUnits": "EIA_310",
        "HeightRackUnits": 1,
        "ThermalDirection": "FrontToBack",
        "HotPluggable": False,
        "Replaceable": True,
        "PoweredByParent": False,
        "ThermalManagedByParent": False,
        "MaxPowerWatts": parts.inventory.psu_watts,
        "MinPowerWatts": 0,
        "Location": {"Placement": {"Rack": "1", "RackOffset": 20, "RackOffsetUnits": "EIA_310", "Row": "1"}},
        "Sensors": link(f"{parts.chassis}/Sensors"),
        "NetworkAdapters": link(f"{parts.chassis}/NetworkAdapters"),
        "PCIeDevices": link(f"{parts.chassis}/PCIeDevices"),
        "Drives": link(f"{parts.chassis}/Drives"),
    }
    if modern:
        properties |= {
            name: link(f"{parts.chassis}/{name}") for name in ("PowerSubsystem", "ThermalSubsystem", "EnvironmentMetrics")
        }
    if parts.inventory.power_and_thermal != "subsystems":
        properties |= {name: link(f"{parts.chassis}/{name}") for name in ("Power", "Thermal")}
    inside: Json = {
        "ComputerSystems": [link(parts.system)],
        "ManagedBy": [link(parts.manager)],
        "ManagersInChassis": [link(parts.manager)],
        "Processors": links(processor_paths(parts)),
        "Storage": links(tuple(pool_path(parts, pool) for pool in pools(parts))),
        "Drives": links(tuple(path for pool in pools(parts) for path in drive_paths(parts, pool))),
    }
    if modern:
        inside |= {"PowerSupplies": links(power.supply_paths(parts)), "Fans": links(thermal.fan_paths(parts))}
    return properties | {"Links": inside}


def managers(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    all_parts = tuple(SystemParts(profile, name.id, name.chassis_id) for name in names)
    first = all_parts[0]
    path, odata_type, identity = first.manager, profile.identity.manager_type, profile.identity
    image = bmc_image(first)

    def body(view: RedfishBmc, clock: BmcClock) -> Json:
        properties = {
            "Model": identity.bmc_model,
            "FirmwareVersion": identity.bmc_firmware,
            "ServiceEntryPointUUID": view.root_uuid(),
        }
        manager: Json = {
            "ManagerType": "BMC",
            **{key: value for key, value in properties.items() if value != ABSENT},
            "UUID": first.uuid(view, "bmc"),
            "SerialNumber": first.serial(view, "bmc"),
            "PowerState": "On",
            **local_time(clock),
            "TimeZoneName": "UTC",
            "DateTimeSource": "RTC",
            "Status": {"State": "Enabled", "Health": "OK"},
            "CommandShell": {"ServiceEnabled": False, "MaxConcurrentSessions": 0, "ConnectTypesSupported": ["SSH", "IPMI"]},
            "GraphicalConsole": {"ServiceEnabled": False, "MaxConcurrentSessions": 0, "ConnectTypesSupported": ["KVMIP"]},
            "EthernetInterfaces": link(ethernet_path(first).rpartition("/")[0]),
            "NetworkProtocol": link(protocol_path(first)),
            "SerialInterfaces": link(f"{path}/SerialInterfaces"),
            "HostInterfaces": link(f"{path}/HostInterfaces"),
            "LogServices": link(f"{path}/LogServices"),
        }
        if first.inventory.virtual_media == "manager":
            manager["VirtualMedia"] = link(f"{path}/VirtualMedia")
        around: Json = {
            "ManagerForServers": links(tuple(parts.system for parts in all_parts)),
            "ManagerForChassis": links(tuple(parts.chassis for parts in all_parts)),
            "ManagerInChassis": link(first.chassis),
        }
        if image is not None:
            around |= {"ActiveSoftwareImage": link(image), "SoftwareImages": [link(image)]}
        manager["Links"] = around
        if profile.bmc_reset.reset_types:
            manager["Actions"] = {"#Manager.Reset": reset_action(profile)}
        return head_of(path, odata_type, profile.ids.manager, "Manager") | without_newer(odata_type, manager)

    others = tuple(_other_manager(profile, other) for other in profile.managers)
    members = (path, *(other.path for other in others))
    listing = collection(MANAGERS, "ManagerCollection", "Manager Collection", lambda view: members)
    resets = manager_reset(profile) if profile.bmc_reset.reset_types else ()
    manager = Resource(path=path, type=odata_type, content=content_of(bmc_clock, body), power_in_links=True)
    return (listing, manager, *others, *resets)


def _other_manager(profile: Profile, other: OtherManager) -> Resource:
    path, odata_type = f"{MANAGERS}/{other.id}", profile.identity.manager_type
    named = {"Model": other.model, "FirmwareVersion": other.firmware}

    def body(view: RedfishBmc) -> Json:
        shown: Json = {"ManagerType": other.type, "PowerState": "On", "Status": {"State": "Enabled", "Health": "OK"}}
        shown |= {name: value for name, value in named.items() if value != ABSENT}
        return head_of(path, odata_type, other.id, "Manager") | without_newer(odata_type, shown)

    return Resource(path=path, type=odata_type, content=fixed_content(body))
