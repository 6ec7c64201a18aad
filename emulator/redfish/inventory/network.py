"""Network adapters of the chassis with ports and functions, and what the system makes of them: interfaces."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.saved_settings import LOCATION, keeper
from emulator.redfish.inventory.system_parts import SystemParts, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import RedfishPrivilege, Resource, collection, link, links
from emulator.redfish.service.settings import merged
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, IntegerRule, ObjectRule, WritableFields, patch

ADAPTER_TYPE: Final = "#NetworkAdapter.v1_14_0.NetworkAdapter"
PORT_TYPE: Final = "#Port.v1_18_0.Port"
METRICS_TYPE: Final = "#PortMetrics.v1_8_1.PortMetrics"
FUNCTION_TYPE: Final = "#NetworkDeviceFunction.v1_11_1.NetworkDeviceFunction"
INTERFACE_TYPE: Final = "#NetworkInterface.v1_2_3.NetworkInterface"
ETHERNET_TYPE: Final = "#EthernetInterface.v1_12_4.EthernetInterface"
FIRMWARE: Final = "22.31.10.20"
PORT_FIELDS: Final[WritableFields] = {
    **LOCATION,
    "Ethernet": ObjectRule({"WakeOnLANEnabled": BooleanRule(), "LLDPEnabled": BooleanRule()}),
}
FUNCTION_FIELDS: Final[WritableFields] = {"Ethernet": ObjectRule({"MTUSize": IntegerRule(low=576, high=9600)})}


@dataclass(frozen=True, slots=True)
class Socket:
    """One port of one adapter; both count from 1."""

    adapter: int
    port: int

    @property
    def name(self) -> str:
        return f"NIC{self.adapter}P{self.port}"


def sockets(box: SystemParts) -> Iterator[Socket]:
    for adapter in range(1, box.parts.network_adapters + 1):
        for port in range(1, box.parts.ports + 1):
            yield Socket(adapter, port)


def adapter_path(box: SystemParts, adapter: int) -> str:
    return f"{box.chassis}/NetworkAdapters/NIC{adapter}"


def port_path(box: SystemParts, at: Socket) -> str:
    return f"{adapter_path(box, at.adapter)}/Ports/{at.port}"


def function_path(box: SystemParts, at: Socket) -> str:
    return f"{adapter_path(box, at.adapter)}/NetworkDeviceFunctions/{at.port}"


def ethernet_path(box: SystemParts, at: Socket) -> str:
    return f"{box.system}/EthernetInterfaces/{at.name}"


def pcie_path(box: SystemParts, at: Socket) -> str:
    return f"{box.chassis}/PCIeDevices/NIC{at.adapter}/PCIeFunctions/{at.port - 1}"


def network(box: SystemParts) -> tuple[Resource, ...]:
    numbers = range(1, box.parts.network_adapters + 1)
    adapters = tuple(adapter_path(box, n) for n in numbers)
    interfaces = tuple(f"{box.system}/NetworkInterfaces/NIC{n}" for n in numbers)
    ethernet = tuple(ethernet_path(box, at) for at in sockets(box))
    found = [
        collection(f"{box.chassis}/NetworkAdapters", "NetworkAdapterCollection", "Network Adapters", lambda view: adapters),
        collection(
            f"{box.system}/NetworkInterfaces", "NetworkInterfaceCollection", "Network Interfaces", lambda view: interfaces
        ),
        collection(
            f"{box.system}/EthernetInterfaces", "EthernetInterfaceCollection", "Ethernet Interfaces", lambda view: ethernet
        ),
    ]
    for n in numbers:
        found += [*_adapter(box, n), _interface(box, n)]
    for at in sockets(box):
        found += [_port(box, at), _metrics(box, at), _function(box, at), _ethernet(box, at)]
    return tuple(found)


def _adapter(box: SystemParts, n: int) -> tuple[Resource, ...]:
    path = adapter_path(box, n)
    here = tuple(at for at in sockets(box) if at.adapter == n)
    ports = tuple(port_path(box, at) for at in here)
    functions = tuple(function_path(box, at) for at in here)

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        return {
            "Status": status(powered),
            "Manufacturer": "Contoso Networks",
            "Model": f"CN-{box.parts.port_gbps}G{len(here)}P",
            "SKU": f"CN{box.parts.port_gbps}",
            "SerialNumber": box.serial(view, f"NIC{n}"),
            "PartNumber": f"CN{box.parts.port_gbps}-0{len(here)}",
            "LLDPEnabled": True,
            "Identifiers": [{"DurableName": box.mac(view, f"NIC{n}P1"), "DurableNameFormat": "MACAddress"}],
            "Location": place(f"Slot {n}", "Slot", n - 1),
            "Ports": link(f"{path}/Ports"),
            "NetworkDeviceFunctions": link(f"{path}/NetworkDeviceFunctions"),
            "Controllers": [
                {
                    "FirmwarePackageVersion": FIRMWARE,
                    "ControllerCapabilities": {
                        "NetworkPortCount": len(here),
                        "NetworkDeviceFunctionCount": len(here),
                        "DataCenterBridging": {"Capable": True},
                        "NPAR": {"NparCapable": False, "NparEnabled": False},
                        "VirtualizationOffload": {
                            "SRIOV": {"SRIOVVEPACapable": False, "SRIOVEnabled": True},
                            "VirtualFunction": {
                                "DeviceMaxCount": 128,
                                "NetworkPortMaxCount": 64,
                                "MinAssignmentGroupSize": 1,
                            },
                        },
                    },
                    "PCIeInterface": {"PCIeType": "Gen4", "MaxPCIeType": "Gen4", "LanesInUse": 8, "MaxLanes": 8},
                    "Links": {
                        "PCIeDevices": [link(f"{box.chassis}/PCIeDevices/NIC{n}")],
                        "Ports": links(ports),
                        "NetworkDeviceFunctions": links(functions),
                    },
                }
            ],
        }

    return (
        part(path, ADAPTER_TYPE, f"Network Adapter {n}", body, state=box.powered),
        collection(f"{path}/Ports", "PortCollection", "Ports", lambda view: ports),
        collection(
            f"{path}/NetworkDeviceFunctions",
            "NetworkDeviceFunctionCollection",
            "Network Device Functions",
            lambda view: functions,
        ),
    )


def _port(box: SystemParts, at: Socket) -> Resource:
    path = port_path(box, at)
    gbps = box.parts.port_gbps

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        told: Json = {
            "PortId": str(at.port),
            "PortProtocol": "Ethernet",
            "PortType": "BidirectionalPort",
            "PortMedium": "Optical",
            "LinkNetworkTechnology": "Ethernet",
            "CurrentSpeedGbps": gbps if powered else 0,
            "MaxSpeedGbps": gbps,
            "Width": 1,
            "ActiveWidth": 1 if powered else 0,
            "InterfaceEnabled": True,
            "LinkState": "Enabled",
            "LinkStatus": "LinkUp" if powered else "LinkDown",
            "SignalDetected": bool(powered),
            "MaxFrameSize": 9600,
            "LinkConfiguration": [
                {
                    "AutoSpeedNegotiationCapable": True,
                    "AutoSpeedNegotiationEnabled": True,
                    "CapableLinkSpeedGbps": sorted({10, gbps}),
                    "LinkNetworkTechnology": "Ethernet",
                }
            ],
            "Ethernet": {
                "AssociatedMACAddresses": [box.mac(view, at.name)],
                "FlowControlConfiguration": "TX_RX",
                "FlowControlStatus": "TX_RX",
                "LLDPEnabled": True,
                "WakeOnLANEnabled": True,
                "EEEEnabled": False,
            },
            "Location": place(f"Port {at.port}", "Connector", at.port - 1),
            "LocationIndicatorActive": False,
            "Metrics": link(f"{path}/Metrics"),
            "Status": status(powered),
            "Links": {"EthernetInterfaces": [link(ethernet_path(box, at))]},
        }
        return merged(told, view.settings.of(path))

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, PORT_FIELDS, keeper(path))}
    return part(path, PORT_TYPE, f"Port {at.port}", body, state=box.powered, operations=operations)


def _metrics(box: SystemParts, at: Socket) -> Resource:
    """Errors and discards only: what a healthy port counts as 0. There is no traffic here to be counted."""

    def body(view: RedfishBmc, state: Hashable) -> Json:
        return {
            "RXErrors": 0,
            "TXErrors": 0,
            "Networking": {
                "RXDiscards": 0,
                "RXFCSErrors": 0,
                "RXFrameAlignmentErrors": 0,
                "RXOversizeFrames": 0,
                "RXUndersizeFrames": 0,
                "TXDiscards": 0,
                "TXExcessiveCollisions": 0,
                "TXLateCollisions": 0,
            },
        }

    return part(f"{port_path(box, at)}/Metrics", METRICS_TYPE, f"Metrics for {at.name}", body)


def _function(box: SystemParts, at: Socket) -> Resource:
    path = function_path(box, at)

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        mac = box.mac(view, at.name)
        told: Json = {
            "Status": status(powered),
            "NetDevFuncType": "Ethernet",
            "NetDevFuncCapabilities": ["Ethernet"],
            "DeviceEnabled": True,
            "BootMode": "PXE",
            "VirtualFunctionsEnabled": True,
            "MaxVirtualFunctions": 64,
            "AssignablePhysicalNetworkPorts": [link(port_path(box, at))],
            "Ethernet": {"MACAddress": mac, "PermanentMACAddress": mac, "MTUSize": 1500, "MTUSizeMaximum": 9600},
            "Links": {
                "PCIeFunction": link(pcie_path(box, at)),
                "PhysicalNetworkPortAssignment": link(port_path(box, at)),
                "EthernetInterfaces": [link(ethernet_path(box, at))],
            },
        }
        return merged(told, view.settings.of(path))

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, FUNCTION_FIELDS, keeper(path))}
    return part(path, FUNCTION_TYPE, f"Network Device Function {at.port}", body, state=box.powered, operations=operations)


def _interface(box: SystemParts, n: int) -> Resource:
    adapter = adapter_path(box, n)

    def body(view: RedfishBmc, powered: Hashable) -> Json:
        return {
            "Status": status(powered),
            "Ports": link(f"{adapter}/Ports"),
            "NetworkDeviceFunctions": link(f"{adapter}/NetworkDeviceFunctions"),
            "Links": {"NetworkAdapter": link(adapter)},
        }

    path = f"{box.system}/NetworkInterfaces/NIC{n}"
    return part(path, INTERFACE_TYPE, f"Network Interface {n}", body, state=box.powered)


def _ethernet(box: SystemParts, at: Socket) -> Resource:
    def body(view: RedfishBmc, powered: Hashable) -> Json:
        mac = box.mac(view, at.name)
        return {
            "Status": status(powered),
            "EthernetInterfaceType": "Physical",
            "InterfaceEnabled": True,
            "LinkStatus": "LinkUp" if powered else "LinkDown",
            "PermanentMACAddress": mac,
            "MACAddress": mac,
            "SpeedMbps": box.parts.port_gbps * 1000 if powered else 0,
            "AutoNeg": True,
            "FullDuplex": True,
            "MTUSize": 1500,
            "UefiDevicePath": f"PciRoot(0x0)/Pci(0x{at.adapter},0x{at.port - 1})/MAC({mac.replace(':', '')},0x1)",
            "Links": {
                "Chassis": link(box.chassis),
                "NetworkDeviceFunctions": [link(function_path(box, at))],
                "Ports": [link(port_path(box, at))],
            },
        }

    return part(ethernet_path(box, at), ETHERNET_TYPE, f"Ethernet Interface {at.name}", body, state=box.powered)
