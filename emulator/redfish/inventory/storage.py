"""Storage: a RAID controller with its drives and volumes, and the NVMe drives that the machine boots from."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.saved_settings import ASSET, keeps
from emulator.redfish.inventory.system_parts import SystemParts, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

STORAGE_TYPE: Final = "#Storage.v1_21_0.Storage"
CONTROLLER_TYPE: Final = "#StorageController.v1_11_0.StorageController"
RAID_TYPES: Final = ["RAID0", "RAID1", "RAID5", "RAID6", "RAID10"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """One Storage resource: `device` is its PCIeDevice, `drives` are (Id, label) in order."""

    id: str
    name: str
    device: str
    raid: bool
    drives: tuple[tuple[str, str], ...]
    drive_gb: int

    @property
    def protocol(self) -> str:
        return "SAS" if self.raid else "NVMe"


def pools(box: SystemParts) -> tuple[Pool, ...]:
    parts = box.parts
    boot = Pool(
        id="Boot",
        name="NVMe boot storage",
        device="NVMe1",
        raid=False,
        drives=tuple((f"M2-{n}", f"M.2 Slot {n}") for n in range(1, parts.boot_drives + 1)),
        drive_gb=480,
    )
    if not parts.drives:
        return (boot,)
    bays = tuple((f"Bay{n}", f"Drive Bay {n}") for n in range(1, parts.drives + 1))
    raid = Pool(id="RAID1", name="RAID storage", device="RAID1", raid=True, drives=bays, drive_gb=parts.drive_gb)
    return (raid, boot)


def pool_path(box: SystemParts, pool: Pool) -> str:
    return f"{box.system}/Storage/{pool.id}"


def controller_path(box: SystemParts, pool: Pool) -> str:
    return f"{pool_path(box, pool)}/Controllers/1"


def drive_paths(box: SystemParts, pool: Pool) -> tuple[str, ...]:
    return tuple(f"{box.chassis}/Drives/{drive}" for drive, _ in pool.drives)


def storage(box: SystemParts) -> tuple[Resource, ...]:
    known = pools(box)
    paths = tuple(pool_path(box, pool) for pool in known)
    found = [collection(f"{box.system}/Storage", "StorageCollection", "Storage Collection", lambda view: paths)]
    for pool in known:
        found += [_storage(box, pool), *_controllers(box, pool)]
    return tuple(found)


def _storage(box: SystemParts, pool: Pool) -> Resource:
    path = pool_path(box, pool)
    drives = drive_paths(box, pool)

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        return {
            "Status": status(powered) | {"HealthRollup": "OK"},
            "Controllers": link(f"{path}/Controllers"),
            "Drives@odata.count": len(drives),
            "Drives": links(drives),
            "Volumes": link(f"{path}/Volumes"),
            "Identifiers": [{"DurableName": box.uuid(view, pool.id), "DurableNameFormat": "UUID"}],
            "EncryptionMode": "Disabled",
            "Links": {"Enclosures": [link(box.chassis)]},
        }

    return part(path, STORAGE_TYPE, pool.name, body, state=box.powered)


def _controllers(box: SystemParts, pool: Pool) -> tuple[Resource, ...]:
    path = controller_path(box, pool)
    listing = collection(
        f"{pool_path(box, pool)}/Controllers", "StorageControllerCollection", "Storage Controllers", lambda view: (path,)
    )
    cache: Json = {"CacheSummary": {"TotalCacheSizeMiB": 4096, "PersistentCacheSizeMiB": 4096, "Status": status()}}
    rates: Json = {
        "SupportedRAIDTypes": RAID_TYPES,
        "ControllerRates": {"RebuildRatePercent": 30, "ConsistencyCheckRatePercent": 30, "TransformationRatePercent": 30},
    }
    nvme: Json = {"NVMeControllerProperties": {"NVMeVersion": "1.4", "ControllerType": "IO", "MaxQueueSize": 1024}}

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        told: Json = {
            "Status": status(powered),
            "SpeedGbps": 12 if pool.raid else 32,
            "FirmwareVersion": "51.16.0-4076" if pool.raid else "2.0.1",
            "Manufacturer": "Contoso Storage",
            "Model": "CS-9500-16i" if pool.raid else "CS-M2-2",
            "SKU": "CS95" if pool.raid else "CSM2",
            "SerialNumber": box.serial(view, f"{pool.id}/controller"),
            "PartNumber": "CS9500-03" if pool.raid else "CSM2-01",
            "AssetTag": "",
            "SupportedControllerProtocols": ["PCIe"],
            "SupportedDeviceProtocols": ["SAS", "SATA"] if pool.raid else ["NVMe"],
            "Identifiers": [{"DurableName": box.uuid(view, f"{pool.id}/1"), "DurableNameFormat": "UUID"}],
            "Location": place("Slot 3" if pool.raid else "M.2 carrier", "Slot", 2 if pool.raid else 3),
            "PCIeInterface": {"PCIeType": "Gen4", "MaxPCIeType": "Gen4", "LanesInUse": 8, "MaxLanes": 8},
            "Links": {"PCIeFunctions": [link(f"{box.chassis}/PCIeDevices/{pool.device}/PCIeFunctions/0")]},
        }
        return told | (cache | rates if pool.raid else nvme) | view.settings.of(path)

    return (
        listing,
        part(path, CONTROLLER_TYPE, f"{pool.name} controller", body, state=box.powered, operations=keeps(path, ASSET)),
    )
