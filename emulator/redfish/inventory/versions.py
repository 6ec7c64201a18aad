"""Which schema version introduced which property, for the resources whose version a profile chooses.

A property that is newer than the profile's schema version is not sent: clients of that version do not know it, and DMTF's
validator reports it. `power.systems`, `power.hardware` and `host` call this module for each body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.redfish.service.resource import version_of
from emulator.redfish.service.shapes import Json

SINCE: Final[Mapping[str, Mapping[str, int]]] = {
    "ComputerSystem": {
        "SecureBoot": 1,
        "Bios": 1,
        "Memory": 1,
        "Storage": 1,
        "PCIeDevices": 2,
        "PCIeFunctions": 2,
        "NetworkInterfaces": 3,
        "HostWatchdogTimer": 5,
        "PowerRestorePolicy": 6,
        "LastResetTime": 12,
        "LocationIndicatorActive": 13,
        "BootProgress": 13,
        "SerialConsole": 13,
        "GraphicalConsole": 13,
        "VirtualMediaConfig": 13,
        "VirtualMedia": 13,
        "LastResetCause": 23,
        "Boot/BootSourceOverrideMode": 1,
        "Boot/BootNext": 5,
        "Boot/BootOrder": 5,
        "Boot/BootOptions": 5,
        "ProcessorSummary/LogicalProcessorCount": 5,
        "ProcessorSummary/CoreCount": 14,
        "ProcessorSummary/ThreadingEnabled": 15,
        "MemorySummary/MemoryMirroring": 1,
    },
    "Chassis": {
        "HeightMm": 4,
        "WidthMm": 4,
        "DepthMm": 4,
        "WeightKg": 4,
        "NetworkAdapters": 4,
        "Location": 2,
        "PhysicalSecurity": 1,
        "UUID": 7,
        "EnvironmentalClass": 9,
        "Sensors": 9,
        "PCIeDevices": 10,
        "MaxPowerWatts": 12,
        "MinPowerWatts": 12,
        "LocationIndicatorActive": 14,
        "Drives": 14,
        "PowerSubsystem": 15,
        "ThermalSubsystem": 15,
        "EnvironmentMetrics": 15,
        "PoweredByParent": 20,
        "ThermalManagedByParent": 20,
        "ThermalDirection": 20,
        "HotPluggable": 21,
        "Replaceable": 21,
        "RackUnits": 28,
        "HeightRackUnits": 28,
        "Links/ManagersInChassis": 2,
        "Links/Drives": 2,
        "Links/Storage": 2,
        "Links/Processors": 9,
        "Links/PowerSupplies": 20,
        "Links/Fans": 20,
    },
    "Manager": {
        "PowerState": 2,
        "HostInterfaces": 3,
        "Manufacturer": 7,
        "SerialNumber": 7,
        "LastResetTime": 9,
        "TimeZoneName": 10,
        "Location": 11,
        "LocationIndicatorActive": 11,
        "ServiceIdentification": 15,
        "DateTimeSource": 20,
        "SecurityMode": 21,
        "Links/ManagerInChassis": 1,
        "Links/ActiveSoftwareImage": 6,
        "Links/SoftwareImages": 6,
    },
}


def has_property(odata_type: str, name: str) -> bool:
    """Whether this schema version has the property; `name` may be "Boot/BootNext"."""
    schema = odata_type.removeprefix("#").partition(".")[0]
    return version_of(odata_type)[1] >= SINCE.get(schema, {}).get(name, 0)


def without_newer(odata_type: str, body: Json) -> Json:
    """The body without properties that are newer than its schema version; looks one level deep."""
    kept: Json = {}
    for name, value in body.items():
        if not has_property(odata_type, name.partition("@")[0]):
            continue
        if isinstance(value, dict):
            value = {key: inner for key, inner in value.items() if has_property(odata_type, f"{name}/{key.partition('@')[0]}")}
        kept[name] = value
    return kept
