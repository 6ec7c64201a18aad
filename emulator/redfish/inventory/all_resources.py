"""Builds the inventory resources of a BMC (processors, DIMMs, drives ...) from the counts in the profile.

`service.tree` calls `inventory` once for each combination of profile and systems. The system, chassis and manager resources
themselves come from `redfish.power`.
"""

from __future__ import annotations

from emulator.core.bmc.view import SystemName
from emulator.redfish.inventory.bios import bios
from emulator.redfish.inventory.bios_attributes import attribute_registry
from emulator.redfish.inventory.boot import boot_options
from emulator.redfish.inventory.boot_settings import boot_settings
from emulator.redfish.inventory.drives import drives
from emulator.redfish.inventory.legacy import legacy
from emulator.redfish.inventory.logs import logs, manager_log, system_log
from emulator.redfish.inventory.manager_network import manager_network
from emulator.redfish.inventory.media import media
from emulator.redfish.inventory.memory import memory
from emulator.redfish.inventory.network import network
from emulator.redfish.inventory.pcie import pcie
from emulator.redfish.inventory.power import power
from emulator.redfish.inventory.processors import processors
from emulator.redfish.inventory.secure_boot import secure_boot
from emulator.redfish.inventory.sensors import sensors
from emulator.redfish.inventory.software import software
from emulator.redfish.inventory.storage import storage
from emulator.redfish.inventory.system_parts import SystemParts
from emulator.redfish.inventory.thermal import thermal
from emulator.redfish.service.resource import Resource
from profiles.model import Profile


def parts_of(profile: Profile, names: tuple[SystemName, ...]) -> tuple[SystemParts, ...]:
    return tuple(SystemParts(profile, name.id, name.chassis_id) for name in names)


def inventory(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    all_parts = parts_of(profile, names)
    first = all_parts[0]
    found: list[Resource] = []
    for parts in all_parts:
        found += [
            *processors(parts),
            *memory(parts),
            *storage(parts),
            *drives(parts),
            *network(parts),
            *pcie(parts),
            *sensors(parts),
        ]
        found += [*bios(parts), *secure_boot(parts), *boot_options(parts), *boot_settings(parts), *logs(system_log(parts))]
        if parts.inventory.power_and_thermal != "legacy":
            found += [*power(parts), *thermal(parts)]
        if parts.inventory.power_and_thermal != "subsystems":
            found += legacy(parts)
        if parts.inventory.virtual_media == "system":
            found += media(parts.system)
    if first.inventory.virtual_media == "manager":
        found += media(first.manager)
    return (*found, *manager_network(first), *logs(manager_log(profile)), *software(all_parts), *attribute_registry(profile))
