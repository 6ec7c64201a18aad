"""Drives with their metrics, and the volumes on them.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.power import part_environment
from emulator.redfish.inventory.saved_settings import ASSET, LOCATION, save_patch, save_to
from emulator.redfish.inventory.storage import StoragePool, controller_path, drive_paths, pool_path, pools
from emulator.redfish.inventory.system_parts import SystemParts, energised, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import RedfishPrivilege, Resource, collection, link, links
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, OneOfRule, TextRule, WritableFields, patch

DRIVE_TYPE: Final = "#Drive.v1_22_0.Drive"
METRICS_TYPE: Final = "#DriveMetrics.v1_3_0.DriveMetrics"
VOLUME_TYPE: Final = "#Volume.v1_10_2.Volume"
GB: Final = 1_000_000_000
VOLUME_FIELDS: Final[WritableFields] = {
    "DisplayName": TextRule(high=32),
    "ReadCachePolicy": OneOfRule(("ReadAhead", "AdaptiveReadAhead", "Off")),
    "WriteCachePolicy": OneOfRule(("WriteThrough", "ProtectedWriteBack", "UnprotectedWriteBack")),
}
NVME_VOLUME_FIELDS: Final[WritableFields] = {"DisplayName": TextRule(high=32)}
DRIVE_FIELDS: Final[WritableFields] = {**LOCATION, **ASSET, "WriteCacheEnabled": BooleanRule()}


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeLayout:
    """A volume on some drives of a pool."""

    id: str
    name: str
    raid: str
    drives: tuple[str, ...]
    usable: int  # its capacity, in drives


def layouts(parts: SystemParts, pool: StoragePool) -> tuple[VolumeLayout, ...]:
    """Behind the RAID controller: a mirror of two drives, and a volume on the others. NVMe: one volume per drive."""
    paths = drive_paths(parts, pool)
    if not pool.raid:
        return tuple(
            VolumeLayout(id=f"NS{n}", name=f"Namespace on {label}", raid="None", drives=(path,), usable=1)
            for n, (path, (_, label)) in enumerate(zip(paths, pool.drives, strict=True), start=1)
        )
    found: list[VolumeLayout] = []
    rest = paths
    if len(rest) >= 2:
        found.append(VolumeLayout(id="1", name="System", raid="RAID1", drives=rest[:2], usable=1))
        rest = rest[2:]
    if len(rest) >= 4:
        found.append(VolumeLayout(id="2", name="Data", raid="RAID6", drives=rest, usable=len(rest) - 2))
    elif rest:
        found.append(VolumeLayout(id="2", name="Data", raid="RAID0", drives=rest, usable=len(rest)))
    return tuple(found)


def drives(parts: SystemParts) -> tuple[Resource, ...]:
    every = tuple(path for pool in pools(parts) for path in drive_paths(parts, pool))
    found = [collection(f"{parts.chassis}/Drives", "DriveCollection", "Drives", lambda view: every)]
    for pool in pools(parts):
        for n, path in enumerate(drive_paths(parts, pool)):
            label = pool.drives[n][1]
            found += [_drive(parts, pool, path, n), _metrics(parts, path, label), part_environment(parts, path, label)]
        found += _volumes(parts, pool)
    return tuple(found)


def volume_path(parts: SystemParts, pool: StoragePool, layout: VolumeLayout) -> str:
    return f"{pool_path(parts, pool)}/Volumes/{layout.id}"


def _drive(parts: SystemParts, pool: StoragePool, path: str, n: int) -> Resource:
    label = pool.drives[n][1]
    on = tuple(volume_path(parts, pool, layout) for layout in layouts(parts, pool) if path in layout.drives)
    speed = 12 if pool.raid else 32

    def body(view: RedfishBmc, powered: bool) -> Json:
        properties: Json = {
            "Model": f"CD-{pool.drive_gb}" + ("S" if pool.raid else "N"),
            "Manufacturer": "Contoso Drives",
            "Revision": "A102",
            "FirmwareVersion": "A102",
            "HardwareVersion": "2",
            "SKU": f"CD{pool.drive_gb}",
            "SerialNumber": parts.serial(view, path),
            "PartNumber": f"CD{pool.drive_gb}-11",
            "SparePartNumber": f"CD{pool.drive_gb}-00",
            "AssetTag": "",
            "Identifiers": [{"DurableName": f"50{parts.uuid(view, path).replace('-', '')[:14]}", "DurableNameFormat": "NAA"}],
            "MediaType": "SSD",
            "Protocol": pool.protocol,
            "CapacityBytes": pool.drive_gb * GB,
            "BlockSizeBytes": 512,
            "CapableSpeedGbs": speed,
            "NegotiatedSpeedGbs": speed,
            "RotationSpeedRPM": 0,
            "PredictedMediaLifeLeftPercent": 98,
            "FailurePredicted": False,
            "EncryptionAbility": "SelfEncryptingDrive",
            "EncryptionStatus": "Unencrypted",
            "HotspareType": "None",
            "StatusIndicator": "OK",
            "WriteCacheEnabled": False,
            "Multipath": False,
            "DriveFormFactor": "Drive2_5" if pool.raid else "M2_2280",
            "SlotFormFactor": "Drive2_5" if pool.raid else "M2_2280",
            "SlotCapableProtocols": ["SAS", "SATA"] if pool.raid else ["NVMe"],
            "Status": status(powered),
            "PhysicalLocation": place(label, "Bay" if pool.raid else "Slot", n),
            "LocationIndicatorActive": False,
            "Metrics": link(f"{path}/Metrics"),
            "EnvironmentMetrics": link(f"{path}/EnvironmentMetrics"),
            "Links": {"Chassis": link(parts.chassis), "Storage": link(pool_path(parts, pool)), "Volumes": links(on)},
        }
        return properties | view.settings.of(path)

    return part(path, DRIVE_TYPE, label, body, state=parts.powered, operations=save_patch(path, DRIVE_FIELDS))


def _metrics(parts: SystemParts, drive: str, label: str) -> Resource:
    def state(call: RedfishCall) -> int:
        return int(call.view.chassis.on_seconds(parts.system_id) // 3600)

    def body(view: RedfishBmc, hours: int) -> Json:
        return {
            "PowerOnHours": hours,
            "BadBlockCount": 0,
            "CorrectableIOReadErrorCount": 0,
            "CorrectableIOWriteErrorCount": 0,
            "UncorrectableIOReadErrorCount": 0,
            "UncorrectableIOWriteErrorCount": 0,
        }

    return part(f"{drive}/Metrics", METRICS_TYPE, f"Metrics for {label}", body, state=state)


def _volumes(parts: SystemParts, pool: StoragePool) -> list[Resource]:
    known = layouts(parts, pool)
    paths = tuple(volume_path(parts, pool, layout) for layout in known)
    listing = collection(f"{pool_path(parts, pool)}/Volumes", "VolumeCollection", "Volumes", lambda view: paths)
    return [listing, *(_volume(parts, pool, layout) for layout in known)]


def _volume(parts: SystemParts, pool: StoragePool, layout: VolumeLayout) -> Resource:
    path = volume_path(parts, pool, layout)
    size = layout.usable * pool.drive_gb * GB
    cached: Json = {
        "RAIDType": layout.raid,
        "StripSizeBytes": 262_144,
        "MediaSpanCount": len(layout.drives),
        "ReadCachePolicy": "ReadAhead",
        "WriteCachePolicy": "ProtectedWriteBack",
        "WriteCacheState": "Protected",
    }
    nvme: Json = {"NVMeNamespaceProperties": {"NamespaceId": "0x1", "IsShareable": False, "NVMeVersion": "1.4"}}

    def body(view: RedfishBmc, powered: bool) -> Json:
        properties: Json = {
            "Status": status(powered),
            "DisplayName": layout.name,
            "CapacityBytes": size,
            "BlockSizeBytes": 512,
            "OptimumIOSizeBytes": 262_144,
            "Encrypted": False,
            "EncryptionTypes": [],
            "VolumeUsage": "SystemData" if layout.name == "System" else "Data",
            "IsBootCapable": True,
            "Identifiers": [{"DurableName": parts.uuid(view, path), "DurableNameFormat": "UUID"}],
            "Links": {"Drives": links(layout.drives), "Controllers": [link(controller_path(parts, pool))]},
        }
        return properties | (cached if pool.raid else nvme) | view.settings.of(path)

    fields = VOLUME_FIELDS if pool.raid else NVME_VOLUME_FIELDS
    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, fields, save_to(path))}
    return part(
        path, VOLUME_TYPE, layout.name, body, state=lambda call: energised(call.view, parts.system_id), operations=operations
    )
