"""Storage: a RAID controller with its drives and volumes, and the NVMe drives from which the system boots.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.saved_settings import ASSET, save_patch
from emulator.redfish.inventory.system_parts import SystemParts, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

STORAGE_TYPE: Final = "#Storage.v1_21_0.Storage"
CONTROLLER_TYPE: Final = "#StorageController.v1_11_0.StorageController"
RAID_TYPES: Final = ["RAID0", "RAID1", "RAID5", "RAID6", "RAID10"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoragePool:
    """One Storage resource. `device` is the Id of its PCIeDevice; `drives` are (Id, label); `drive_gb` is in 10^9 bytes."""

    id: str
    name: str
    device: str
    raid: bool
    drives: tuple[tuple[str, str], ...]
    drive_gb: int

    @property
    def protocol(self) -> str:
        return "SAS" if self.raid else "NVMe"


def pools(parts: SystemParts) -> tuple[StoragePool, ...]:
    inventory = parts.inventory
    boot = StoragePool(
        id="Boot",
        name="NVMe boot storage",
        device="NVMe1",
        raid=False,
        drives=tuple((f"M2-{n}", f"M.2 Slot {n}") for n in range(1, inventory.boot_drives + 1)),
        drive_gb=480,
    )
    if not inventory.drives:
        return (boot,)
    bays = tuple((f"Bay{n}", f"Drive Bay {n}") for n in range(1, inventory.drives + 1))
    raid = StoragePool(id="RAID1", name="RAID storage", device="RAID1", raid=True, drives=bays, drive_gb=inventory.drive_gb)
    return (raid, boot)


def pool_path(parts: SystemParts, pool: StoragePool) -> str:
    return f"{parts.system}/Storage/{pool.id}"


def controller_path(parts: SystemParts, pool: StoragePool) -> str:
    return f"{pool_path(parts, pool)}/Controllers/1"


def drive_paths(parts: SystemParts, pool: StoragePool) -> tuple[str, ...]:
    return tuple(f"{parts.chassis}/Drives/{drive}" for drive, _ in pool.drives)


def storage(parts: SystemParts) -> tuple[Resource, ...]:
    known = pools(parts)
    paths = tuple(pool_path(parts, pool) for pool in known)
    found = [collection(f"{parts.system}/Storage", "StorageCollection", "Storage Collection", lambda view: paths)]
    for pool in known:
        found += [_storage(parts, pool), *_controllers(parts, pool)]
    return tuple(found)


def _storage(parts: SystemParts, pool: StoragePool) -> Resource:
    path = pool_path(parts, pool)
    drives = drive_paths(parts, pool)

    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "Status": status(powered) | {"HealthRollup": "OK"},
            "Controllers": link(f"{path}/Controllers"),
            "Drives@odata.count": len(drives),
            "Drives": links(drives),
            "Volumes": link(f"{path}/Volumes"),
            "Identifiers": [{"DurableName": parts.uuid(view, pool.id), "DurableNameFormat": "UUID"}],
            "EncryptionMode": "Disabled",
            "Links": {"Enclosures": [link(parts.chassis)]},
        }

    return part(path, STORAGE_TYPE, pool.name, body, state=parts.powered)


def _controllers(parts: SystemParts, pool: StoragePool) -> tuple[Resource, ...]:
    path = controller_path(parts, pool)
    listing = collection(
        f"{pool_path(parts, pool)}/Controllers", "StorageControllerCollection", "Storage Controllers", lambda view: (path,)
    )
    cache: Json = {"CacheSummary": {"TotalCacheSizeMiB": 4096, "PersistentCacheSizeMiB": 4096, "Status": status()}}
    rates: Json = {
        "SupportedRAIDTypes": RAID_TYPES,
        "ControllerRates": {"RebuildRatePercent": 30, "ConsistencyCheckRatePercent": 30, "TransformationRatePercent": 30},
    }
    nvme: Json = {"NVMeControllerProperties": {"NVMeVersion": "1.4", "ControllerType": "IO", "MaxQueueSize": 1024}}

    def body(view: RedfishBmc, powered: bool) -> Json:
        properties: Json = {
            "Status": status(powered),
            "SpeedGbps": 12 if pool.raid else 32,
            "FirmwareVersion": "51.16.0-4076" if pool.raid else "2.0.1",
            "Manufacturer": "Contoso Storage",
            "Model": "CS-9500-16i" if pool.raid else "CS-M2-2",
            "SKU": "CS95" if pool.raid else "CSM2",
            "SerialNumber": parts.serial(view, f"{pool.id}/controller"),
            "PartNumber": "CS9500-03" if pool.raid else "CSM2-01",
            "AssetTag": "",
            "SupportedControllerProtocols": ["PCIe"],
            "SupportedDeviceProtocols": ["SAS", "SATA"] if pool.raid else ["NVMe"],
            "Identifiers": [{"DurableName": parts.uuid(view, f"{pool.id}/1"), "DurableNameFormat": "UUID"}],
            "Location": place("Slot 3" if pool.raid else "M.2 carrier", "Slot", 2 if pool.raid else 3),
            "PCIeInterface": {"PCIeType": "Gen4", "MaxPCIeType": "Gen4", "LanesInUse": 8, "MaxLanes": 8},
            "Links": {"PCIeFunctions": [link(f"{parts.chassis}/PCIeDevices/{pool.device}/PCIeFunctions/0")]},
        }
        return properties | (cache | rates if pool.raid else nvme) | view.settings.of(path)

    return (
        listing,
        part(path, CONTROLLER_TYPE, f"{pool.name} controller", body, state=parts.powered, operations=save_patch(path, ASSET)),
    )
