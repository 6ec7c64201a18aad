"""PCIe devices of a chassis and their functions.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.network import FIRMWARE, adapter_ports, function_path
from emulator.redfish.inventory.saved_settings import ASSET, LOCATION, save_patch
from emulator.redfish.inventory.storage import pools
from emulator.redfish.inventory.system_parts import SystemParts, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

DEVICE_TYPE: Final = "#PCIeDevice.v1_21_0.PCIeDevice"
FUNCTION_TYPE: Final = "#PCIeFunction.v1_7_0.PCIeFunction"


@dataclass(frozen=True, slots=True, kw_only=True)
class PcieCard:
    """A PCIe device. All its functions have the same vendor and device ids; `links` are the Links of each function."""

    id: str
    name: str
    model: str
    firmware: str
    functions: int
    device_class: str
    class_code: str
    vendor: str
    device: str
    bus: int
    slot: int | None  # None: soldered on the board
    lanes: int
    links: tuple[Json, ...]


def cards(parts: SystemParts) -> Iterator[PcieCard]:
    for n in range(1, parts.inventory.network_adapters + 1):
        here = tuple(at for at in adapter_ports(parts) if at.adapter == n)
        yield PcieCard(
            id=f"NIC{n}",
            name=f"Network adapter in slot {n}",
            model=f"CN-{parts.inventory.port_gbps}G{len(here)}P",
            firmware=FIRMWARE,
            functions=len(here),
            device_class="NetworkController",
            class_code="0x020000",
            vendor="0x15B3",
            device="0x1015",
            bus=0x10 * n,
            slot=n,
            lanes=8,
            links=tuple({"NetworkDeviceFunctions": [link(function_path(parts, at))]} for at in here),
        )
    for pool in pools(parts):
        yield PcieCard(
            id=pool.device,
            name=f"{pool.name} controller",
            model="CS-9500-16i" if pool.raid else "CS-M2-2",
            firmware="51.16.0-4076" if pool.raid else "2.0.1",
            functions=1,
            device_class="MassStorageController",
            class_code="0x010400" if pool.raid else "0x010802",
            vendor="0x1000" if pool.raid else "0x1B4B",
            device="0x10E2" if pool.raid else "0x2241",
            bus=0xA0 if pool.raid else 0xB0,
            slot=None,
            lanes=8,
            links=({},),
        )
    yield PcieCard(
        id="VGA1",
        name="Embedded graphics of the BMC",
        model="CV-2600",
        firmware="1.0",
        functions=1,
        device_class="DisplayController",
        class_code="0x030000",
        vendor="0x1A03",
        device="0x2000",
        bus=0x03,
        slot=None,
        lanes=1,
        links=({},),
    )


def device_paths(parts: SystemParts) -> tuple[str, ...]:
    return tuple(f"{parts.chassis}/PCIeDevices/{card.id}" for card in cards(parts))


def function_paths(parts: SystemParts, card: PcieCard) -> tuple[str, ...]:
    return tuple(f"{parts.chassis}/PCIeDevices/{card.id}/PCIeFunctions/{n}" for n in range(card.functions))


def pcie(parts: SystemParts) -> tuple[Resource, ...]:
    paths = device_paths(parts)
    found = [collection(f"{parts.chassis}/PCIeDevices", "PCIeDeviceCollection", "PCIe Devices", lambda view: paths)]
    for path, card in zip(paths, cards(parts), strict=True):
        found += _device(parts, path, card)
    return tuple(found)


def _device(parts: SystemParts, path: str, card: PcieCard) -> list[Resource]:
    functions = function_paths(parts, card)
    slot: Json = {}
    if card.slot is not None:
        slot = {
            "Slot": {
                "PCIeType": "Gen4",
                "SlotType": "LowProfile",
                "Lanes": 16,
                "LaneSplitting": "None",
                "HotPluggable": False,
                "Location": place(f"Slot {card.slot}", "Slot", card.slot - 1),
            }
        }

    def body(view: RedfishBmc, powered: bool) -> Json:
        properties: Json = {
            "Manufacturer": "Contoso",
            "Model": card.model,
            "SKU": card.model.partition("-")[0],
            "SerialNumber": parts.serial(view, f"PCIe/{card.id}"),
            "PartNumber": f"{card.model}-01",
            "SparePartNumber": f"{card.model}-00",
            "AssetTag": "",
            "UUID": parts.uuid(view, f"PCIe/{card.id}"),
            "DeviceType": "MultiFunction" if card.functions > 1 else "SingleFunction",
            "FirmwareVersion": card.firmware,
            "Status": status(powered),
            "LocationIndicatorActive": False,
            "PCIeInterface": {
                "PCIeType": "Gen4",
                "MaxPCIeType": "Gen4",
                "LanesInUse": card.lanes if powered else 0,
                "MaxLanes": card.lanes,
            },
            "PCIeFunctions": link(f"{path}/PCIeFunctions"),
            "Links": {"Chassis": [link(parts.chassis)], "Processors": [link(f"{parts.system}/Processors/CPU1")]},
        }
        return properties | slot | view.settings.of(path)

    listing = collection(f"{path}/PCIeFunctions", "PCIeFunctionCollection", "PCIe Functions", lambda view: functions)
    device = part(path, DEVICE_TYPE, card.name, body, state=parts.powered, operations=save_patch(path, {**ASSET, **LOCATION}))
    return [device, listing, *(_function(parts, path, card, n) for n in range(card.functions))]


def _function(parts: SystemParts, device: str, card: PcieCard, n: int) -> Resource:
    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "FunctionId": n,
            "FunctionType": "Physical",
            "FunctionProtocol": "PCIe",
            "DeviceClass": card.device_class,
            "ClassCode": card.class_code,
            "VendorId": card.vendor,
            "DeviceId": card.device,
            "SubsystemVendorId": card.vendor,
            "SubsystemId": "0x0001",
            "RevisionId": "0x01",
            "SegmentNumber": "0x0000",
            "BusNumber": f"0x{card.bus:02X}",
            "DeviceNumber": "0x00",
            "FunctionNumber": f"0x{n}",
            "Enabled": True,
            "Status": status(powered),
            "Links": {"PCIeDevice": link(device)} | card.links[n],
        }

    return part(f"{device}/PCIeFunctions/{n}", FUNCTION_TYPE, f"{card.name} function {n}", body, state=parts.powered)


def function_links(parts: SystemParts) -> list[Json]:
    """ComputerSystem.PCIeFunctions."""
    return links(tuple(path for card in cards(parts) for path in function_paths(parts, card)))
