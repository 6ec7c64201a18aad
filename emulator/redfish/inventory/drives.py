"""Drives with their metrics, and the volumes on them."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.power import part_environment
from emulator.redfish.inventory.saved_settings import ASSET, LOCATION, keeper, keeps
from emulator.redfish.inventory.storage import Pool, controller_path, drive_paths, pool_path, pools
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
class Layout:
    """A volume over some drives of a pool."""

    id: str
    name: str
    raid: str
    drives: tuple[str, ...]
    usable: int  # how many drives' worth of data it holds


def layouts(box: SystemParts, pool: Pool) -> tuple[Layout, ...]:
    """Two disks mirrored and the rest striped with parity behind the RAID controller; one volume a drive for NVMe."""
    paths = drive_paths(box, pool)
    if not pool.raid:
        return tuple(
            Layout(id=f"NS{n}", name=f"Namespace on {label}", raid="None", drives=(path,), usable=1)
            for n, (path, (_, label)) in enumerate(zip(paths, pool.drives, strict=True), start=1)
        )
    found: list[Layout] = []
    rest = paths
    if len(rest) >= 2:
        found.append(Layout(id="1", name="System", raid="RAID1", drives=rest[:2], usable=1))
        rest = rest[2:]
    if len(rest) >= 4:
        found.append(Layout(id="2", name="Data", raid="RAID6", drives=rest, usable=len(rest) - 2))
    elif rest:
        found.append(Layout(id="2", name="Data", raid="RAID0", drives=rest, usable=len(rest)))
    return tuple(found)


def drives(box: SystemParts) -> tuple[Resource, ...]:
    every = tuple(path for pool in pools(box) for path in drive_paths(box, pool))
    found = [collection(f"{box.chassis}/Drives", "DriveCollection", "Drives", lambda view: every)]
    for pool in pools(box):
        for n, path in enumerate(drive_paths(box, pool)):
            label = pool.drives[n][1]
            found += [_drive(box, pool, path, n), _metrics(box, path, label), part_environment(box, path, label)]
        found += _volumes(box, pool)
    return tuple(found)


def volume_path(box: SystemParts, pool: Pool, layout: Layout) -> str:
    return f"{pool_path(box, pool)}/Volumes/{layout.id}"


def _drive(box: SystemParts, pool: Pool, path: str, n: int) -> Resource:
    label = pool.drives[n][1]
    on = tuple(volume_path(box, pool, layout) for layout in layouts(box, pool) if path in layout.drives)
    speed = 12 if pool.raid else 32

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        told: Json = {
            "Model": f"CD-{pool.drive_gb}" + ("S" if pool.raid else "N"),
            "Manufacturer": "Contoso Drives",
            "Revision": "A102",
            "FirmwareVersion": "A102",
            "HardwareVersion": "2",
            "SKU": f"CD{pool.drive_gb}",
            "SerialNumber": box.serial(view, path),
            "PartNumber": f"CD{pool.drive_gb}-11",
            "SparePartNumber": f"CD{pool.drive_gb}-00",
            "AssetTag": "",
            "Identifiers": [{"DurableName": f"50{box.uuid(view, path).replace('-', '')[:14]}", "DurableNameFormat": "NAA"}],
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
            "Links": {"Chassis": link(box.chassis), "Storage": link(pool_path(box, pool)), "Volumes": links(on)},
        }
        return told | view.settings.of(path)

    return part(path, DRIVE_TYPE, label, body, state=box.powered, operations=keeps(path, DRIVE_FIELDS))


def _metrics(box: SystemParts, drive: str, label: str) -> Resource:
    def state(call: RedfishCall) -> Hashable:
        return int(call.view.chassis.on_seconds(box.system_id) // 3600)

    def body(view: RedfishBmc, hours: Hashable) -> Json:
        return {
            "PowerOnHours": hours,
            "BadBlockCount": 0,
            "CorrectableIOReadErrorCount": 0,
            "CorrectableIOWriteErrorCount": 0,
            "UncorrectableIOReadErrorCount": 0,
            "UncorrectableIOWriteErrorCount": 0,
        }

    return part(f"{drive}/Metrics", METRICS_TYPE, f"Metrics for {label}", body, state=state)


def _volumes(box: SystemParts, pool: Pool) -> list[Resource]:
    known = layouts(box, pool)
    paths = tuple(volume_path(box, pool, layout) for layout in known)
    listing = collection(f"{pool_path(box, pool)}/Volumes", "VolumeCollection", "Volumes", lambda view: paths)
    return [listing, *(_volume(box, pool, layout) for layout in known)]


def _volume(box: SystemParts, pool: Pool, layout: Layout) -> Resource:
    path = volume_path(box, pool, layout)
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

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        told: Json = {
            "Status": status(powered),
            "DisplayName": layout.name,
            "CapacityBytes": size,
            "BlockSizeBytes": 512,
            "OptimumIOSizeBytes": 262_144,
            "Encrypted": False,
            "EncryptionTypes": [],
            "VolumeUsage": "SystemData" if layout.name == "System" else "Data",
            "IsBootCapable": True,
            "Identifiers": [{"DurableName": box.uuid(view, path), "DurableNameFormat": "UUID"}],
            "Links": {"Drives": links(layout.drives), "Controllers": [link(controller_path(box, pool))]},
        }
        return told | (cached if pool.raid else nvme) | view.settings.of(path)

    fields = VOLUME_FIELDS if pool.raid else NVME_VOLUME_FIELDS
    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, fields, keeper(path))}
    return part(
        path, VOLUME_TYPE, layout.name, body, state=lambda call: energised(call.view, box.system_id), operations=operations
    )
