"""UpdateService as an inventory: which firmware runs on which parts. The service is disabled: nothing can be updated.

`all_resources` calls it when a tree is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.network import FIRMWARE, adapter_path
from emulator.redfish.inventory.power import supply_paths
from emulator.redfish.inventory.storage import controller_path, drive_paths, pools
from emulator.redfish.inventory.system_parts import SystemParts, fixed_part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import Resource, collection, fixed_content, head_of, link, links
from emulator.redfish.service.shapes import Json
from profiles.model import ABSENT

SERVICE: Final = f"{ROOT}/UpdateService"
SERVICE_TYPE: Final = "#UpdateService.v1_17_0.UpdateService"
TYPE: Final = "#SoftwareInventory.v1_13_0.SoftwareInventory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Firmware:
    """One SoftwareInventory. `items` are the paths of the parts that run it."""

    id: str
    name: str
    version: str
    maker: str
    items: tuple[str, ...]


def firmware_of(all_parts: tuple[SystemParts, ...]) -> Iterator[Firmware]:
    """One SoftwareInventory per kind of part, over all systems: equal parts run the same firmware."""
    first = all_parts[0]
    identity = first.profile.identity
    maker = identity.manufacturer if identity.manufacturer != ABSENT else "Contoso"
    if identity.bmc_firmware != ABSENT:
        yield Firmware(id="BMC", name="BMC Firmware", version=identity.bmc_firmware, maker=maker, items=(first.manager,))
    if identity.bios_version != ABSENT:
        systems = tuple(parts.system for parts in all_parts)
        yield Firmware(id="BIOS", name="System BIOS", version=identity.bios_version, maker=maker, items=systems)
    for pool in pools(first):
        controllers = tuple(controller_path(parts, pool) for parts in all_parts)
        version = "51.16.0-4076" if pool.raid else "2.0.1"
        yield Firmware(
            id=pool.device, name=f"{pool.name} controller", version=version, maker="Contoso Storage", items=controllers
        )
        drives = tuple(path for parts in all_parts for path in drive_paths(parts, pool))
        yield Firmware(
            id=f"{pool.device}-Drives", name=f"{pool.name} drives", version="A102", maker="Contoso Drives", items=drives
        )
    for n in range(1, first.inventory.network_adapters + 1):
        adapters = tuple(adapter_path(parts, n) for parts in all_parts)
        yield Firmware(id=f"NIC{n}", name=f"Network Adapter {n}", version=FIRMWARE, maker="Contoso Networks", items=adapters)
    supplies = tuple(path for parts in all_parts if parts.inventory.power_and_thermal != "legacy" for path in supply_paths(parts))
    yield Firmware(id="PSU", name="Power Supplies", version="1.07", maker="Contoso Power", items=supplies)


def bmc_image(parts: SystemParts) -> str | None:
    """The path of the BMC's SoftwareInventory; None if the profile does not show its version."""
    return None if parts.profile.identity.bmc_firmware == ABSENT else f"{SERVICE}/FirmwareInventory/BMC"


def software(all_parts: tuple[SystemParts, ...]) -> tuple[Resource, ...]:
    known = tuple(firmware_of(all_parts))
    paths = tuple(f"{SERVICE}/FirmwareInventory/{image.id}" for image in known)

    def service(view: RedfishBmc) -> Json:
        return head_of(SERVICE, SERVICE_TYPE, "UpdateService", "Update Service") | {
            "Status": {"State": "Enabled", "Health": "OK"},
            "ServiceEnabled": False,
            "FirmwareInventory": link(f"{SERVICE}/FirmwareInventory"),
            "SoftwareInventory": link(f"{SERVICE}/SoftwareInventory"),
        }

    return (
        Resource(path=SERVICE, type=SERVICE_TYPE, content=fixed_content(service)),
        collection(
            f"{SERVICE}/FirmwareInventory", "SoftwareInventoryCollection", "Firmware Inventory Collection", lambda view: paths
        ),
        collection(
            f"{SERVICE}/SoftwareInventory", "SoftwareInventoryCollection", "Software Inventory Collection", lambda view: ()
        ),
        *(_image(path, image) for path, image in zip(paths, known, strict=True)),
    )


def _image(path: str, image: Firmware) -> Resource:
    def body(view: RedfishBmc) -> Json:
        return {
            "Version": image.version,
            "VersionScheme": "OEM",
            "ReleaseType": "Production",
            "Manufacturer": image.maker,
            "SoftwareId": image.id,
            "Updateable": False,
            "WriteProtected": True,
            "Active": True,
            "Staged": False,
            "Status": {"State": "Enabled", "Health": "OK"},
            "RelatedItem": links(image.items),
        }

    return fixed_part(path, TYPE, image.name, body)
