"""UpdateService as an inventory: what firmware runs where. Nothing can be updated, and nothing says that it could."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.network import FIRMWARE, adapter_path
from emulator.redfish.inventory.power import supply_paths
from emulator.redfish.inventory.storage import controller_path, drive_paths, pools
from emulator.redfish.inventory.system_parts import SystemParts, part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import ROOT, Resource, collection, head_of, link, links
from emulator.redfish.service.shapes import Json
from profiles.model import ABSENT

SERVICE: Final = f"{ROOT}/UpdateService"
SERVICE_TYPE: Final = "#UpdateService.v1_17_0.UpdateService"
TYPE: Final = "#SoftwareInventory.v1_13_0.SoftwareInventory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    id: str
    name: str
    version: str
    maker: str
    items: tuple[str, ...]


def images(boxes: tuple[SystemParts, ...]) -> Iterator[Image]:
    """One of a kind for each kind of part, over all systems: a firmware is the same on equal parts."""
    first = boxes[0]
    identity = first.profile.identity
    maker = identity.manufacturer if identity.manufacturer != ABSENT else "Contoso"
    if identity.bmc_firmware != ABSENT:
        yield Image(id="BMC", name="BMC Firmware", version=identity.bmc_firmware, maker=maker, items=(first.manager,))
    if identity.bios_version != ABSENT:
        systems = tuple(box.system for box in boxes)
        yield Image(id="BIOS", name="System BIOS", version=identity.bios_version, maker=maker, items=systems)
    for pool in pools(first):
        controllers = tuple(controller_path(box, pool) for box in boxes)
        version = "51.16.0-4076" if pool.raid else "2.0.1"
        yield Image(id=pool.device, name=f"{pool.name} controller", version=version, maker="Contoso Storage", items=controllers)
        drives = tuple(path for box in boxes for path in drive_paths(box, pool))
        yield Image(id=f"{pool.device}-Drives", name=f"{pool.name} drives", version="A102", maker="Contoso Drives", items=drives)
    for n in range(1, first.parts.network_adapters + 1):
        adapters = tuple(adapter_path(box, n) for box in boxes)
        yield Image(id=f"NIC{n}", name=f"Network Adapter {n}", version=FIRMWARE, maker="Contoso Networks", items=adapters)
    supplies = tuple(path for box in boxes if box.parts.power_and_thermal != "legacy" for path in supply_paths(box))
    yield Image(id="PSU", name="Power Supplies", version="1.07", maker="Contoso Power", items=supplies)


def bmc_image(box: SystemParts) -> str | None:
    """The SoftwareInventory of the BMC; None where its version is not told."""
    return None if box.profile.identity.bmc_firmware == ABSENT else f"{SERVICE}/FirmwareInventory/BMC"


def software(boxes: tuple[SystemParts, ...]) -> tuple[Resource, ...]:
    known = tuple(images(boxes))
    paths = tuple(f"{SERVICE}/FirmwareInventory/{image.id}" for image in known)

    def service(view: RedfishBmc, state: Hashable) -> Json:
        return head_of(SERVICE, SERVICE_TYPE, "UpdateService", "Update Service") | {
            "Status": {"State": "Enabled", "Health": "OK"},
            "ServiceEnabled": False,
            "FirmwareInventory": link(f"{SERVICE}/FirmwareInventory"),
            "SoftwareInventory": link(f"{SERVICE}/SoftwareInventory"),
        }

    return (
        Resource(path=SERVICE, type=SERVICE_TYPE, body=service),
        collection(
            f"{SERVICE}/FirmwareInventory", "SoftwareInventoryCollection", "Firmware Inventory Collection", lambda view: paths
        ),
        collection(
            f"{SERVICE}/SoftwareInventory", "SoftwareInventoryCollection", "Software Inventory Collection", lambda view: ()
        ),
        *(_image(path, image) for path, image in zip(paths, known, strict=True)),
    )


def _image(path: str, image: Image) -> Resource:
    def body(view: RedfishBmc, state: Hashable) -> Json:
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

    return part(path, TYPE, image.name, body)
