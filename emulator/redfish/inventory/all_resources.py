"""All families together: what a profile's box holds beside the system, chassis and manager themselves."""

from __future__ import annotations

from emulator.core.bmc.view import SystemName
from emulator.redfish.inventory.bios import bios
from emulator.redfish.inventory.bios_attributes import attribute_registry
from emulator.redfish.inventory.boot import boot_options
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


def boxes_of(profile: Profile, names: tuple[SystemName, ...]) -> tuple[SystemParts, ...]:
    return tuple(SystemParts(profile, name.id, name.chassis_id) for name in names)


def inventory(profile: Profile, names: tuple[SystemName, ...]) -> tuple[Resource, ...]:
    boxes = boxes_of(profile, names)
    first = boxes[0]
    found: list[Resource] = []
    for box in boxes:
        found += [*processors(box), *memory(box), *storage(box), *drives(box), *network(box), *pcie(box), *sensors(box)]
        found += [*bios(box), *secure_boot(box), *boot_options(box), *logs(system_log(box))]
        if box.parts.power_and_thermal != "legacy":
            found += [*power(box), *thermal(box)]
        if box.parts.power_and_thermal != "subsystems":
            found += legacy(box)
        if box.parts.virtual_media == "system":
            found += media(box.system)
    if first.parts.virtual_media == "manager":
        found += media(first.manager)
    return (*found, *manager_network(first), *logs(manager_log(profile)), *software(boxes), *attribute_registry(profile))
