"""Chassis and Manager: the box around a system, and the BMC itself."""

from __future__ import annotations

from collections.abc import Hashable

from emulator.core.bmc.machine import Led
from emulator.core.bmc.view import SystemName
from emulator.redfish.inventory import host, power, thermal
from emulator.redfish.inventory.manager_network import ethernet_path, protocol_path
from emulator.redfish.inventory.processors import processor_paths
from emulator.redfish.inventory.saved_settings import ASSET, keeper
from emulator.redfish.inventory.software import bmc_image
from emulator.redfish.inventory.storage import drive_paths, pool_path, pools
from emulator.redfish.inventory.system_parts import SystemParts, local_time
from emulator.redfish.inventory.versions import fitted
from emulator.redfish.power.manager import manager_reset, reset_action
from emulator.redfish.power.systems import power_and_status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.paths import CHASSIS, MANAGERS
from emulator.redfish.service.resource import RedfishPrivilege, Resource, collection, head_of, link, links
from emulator.redfish.service.root import root_uuid
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import patch
from profiles.model import ABSENT, Profile, View


def chassis(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    boxes = tuple(SystemParts(profile, name.id, name.chassis_id) for name in names)
    members = tuple(box.chassis for box in boxes)
    listing = collection(CHASSIS, "ChassisCollection", "Chassis Collection", lambda view: members, power_below=1)
    return (listing, *(_one_chassis(box) for box in boxes))


def _one_chassis(box: SystemParts) -> Resource:
    path, system_id = box.chassis, box.system_id
    identity = box.profile.identity
    fixed = _inside(box)

    def state(call: RedfishCall) -> Hashable:
        return (call.power(system_id, View.CHASSIS), call.view.chassis.led(system_id))

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        says, led = state
        assert isinstance(led, Led)
        told: Json = head_of(path, identity.chassis_type, box.chassis_id, "Computer System Chassis") | {
            "ChassisType": "RackMount"
        }
        names = {"Manufacturer": identity.manufacturer, "Model": identity.model, "SerialNumber": view.system(system_id).serial}
        told |= {key: value for key, value in names.items() if value != ABSENT}
        told |= (
            power_and_status(says)
            | {"AssetTag": "", "UUID": box.uuid(view, "chassis")}
            | host.led(box, identity.chassis_type, led)
        )
        return fitted(identity.chassis_type, told | fixed) | view.settings.of(path)

    def write(call: RedfishCall, taken: Json) -> None:
        host.write_led(call, system_id, taken)
        tag = {name: value for name, value in taken.items() if name == "AssetTag"}
        if tag:
            keeper(path)(call, tag)

    fields = {**ASSET, **host.led_rule(box, identity.chassis_type)}
    return Resource(
        path=path,
        type=identity.chassis_type,
        body=body,
        state=state,
        operations={"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, fields, write)},
        system=system_id,
        tells=View.CHASSIS,
        power_in_links=True,
    )


def _inside(box: SystemParts) -> Json:
    """What never changes of a chassis: its measures and what is in it."""
    modern = box.parts.power_and_thermal != "legacy"
    told: Json = {
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
        "MaxPowerWatts": box.parts.psu_watts,
        "MinPowerWatts": 0,
        "Location": {"Placement": {"Rack": "1", "RackOffset": 20, "RackOffsetUnits": "EIA_310", "Row": "1"}},
        "Sensors": link(f"{box.chassis}/Sensors"),
        "NetworkAdapters": link(f"{box.chassis}/NetworkAdapters"),
        "PCIeDevices": link(f"{box.chassis}/PCIeDevices"),
        "Drives": link(f"{box.chassis}/Drives"),
    }
    if modern:
        told |= {name: link(f"{box.chassis}/{name}") for name in ("PowerSubsystem", "ThermalSubsystem", "EnvironmentMetrics")}
    if box.parts.power_and_thermal != "subsystems":
        told |= {name: link(f"{box.chassis}/{name}") for name in ("Power", "Thermal")}
    inside: Json = {
        "ComputerSystems": [link(box.system)],
        "ManagedBy": [link(box.manager)],
        "ManagersInChassis": [link(box.manager)],
        "Processors": links(processor_paths(box)),
        "Storage": links(tuple(pool_path(box, pool) for pool in pools(box))),
        "Drives": links(tuple(path for pool in pools(box) for path in drive_paths(box, pool))),
    }
    if modern:
        inside |= {"PowerSupplies": links(power.supply_paths(box)), "Fans": links(thermal.fan_paths(box))}
    return told | {"Links": inside}


def managers(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    boxes = tuple(SystemParts(profile, name.id, name.chassis_id) for name in names)
    first = boxes[0]
    path, odata_type, identity = first.manager, profile.identity.manager_type, profile.identity
    image = bmc_image(first)

    def state(call: RedfishCall) -> Hashable:
        return (int(call.view.log.wall()), call.view.log.utc_offset())

    def body(view: RedfishBmc, state: Hashable) -> Json:
        told = {"Model": identity.bmc_model, "FirmwareVersion": identity.bmc_firmware, "ServiceEntryPointUUID": root_uuid(view)}
        manager: Json = {
            "ManagerType": "BMC",
            **{key: value for key, value in told.items() if value != ABSENT},
            "UUID": first.uuid(view, "bmc"),
            "SerialNumber": first.serial(view, "bmc"),
            "PowerState": "On",
            **local_time(state),
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
        if first.parts.virtual_media == "manager":
            manager["VirtualMedia"] = link(f"{path}/VirtualMedia")
        around: Json = {
            "ManagerForServers": links(tuple(box.system for box in boxes)),
            "ManagerForChassis": links(tuple(box.chassis for box in boxes)),
            "ManagerInChassis": link(first.chassis),
        }
        if image is not None:
            around |= {"ActiveSoftwareImage": link(image), "SoftwareImages": [link(image)]}
        manager["Links"] = around
        if profile.bmc_reset.reset_types:
            manager["Actions"] = {"#Manager.Reset": reset_action(profile)}
        return head_of(path, odata_type, profile.ids.manager, "Manager") | fitted(odata_type, manager)

    listing = collection(MANAGERS, "ManagerCollection", "Manager Collection", lambda view: (path,))
    resets = manager_reset(profile) if profile.bmc_reset.reset_types else ()
    return (listing, Resource(path=path, type=odata_type, body=body, state=state, power_in_links=True), *resets)
