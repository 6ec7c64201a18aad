"""Network adapters of the chassis with ports and functions, and the network and Ethernet interfaces of the system.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from emulator.redfish.inventory.saved_settings import LOCATION, save_to
from emulator.redfish.inventory.system_parts import SystemParts, fixed_part, part, place, status
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
class AdapterPort:
    """One port of one network adapter; both numbers count from 1."""

    adapter: int
    port: int

    @property
    def name(self) -> str:
        return f"NIC{self.adapter}P{self.port}"


def adapter_ports(parts: SystemParts) -> Iterator[AdapterPort]:
    for adapter in range(1, parts.inventory.network_adapters + 1):
        for port in range(1, parts.inventory.ports + 1):
            yield AdapterPort(adapter, port)


def adapter_path(parts: SystemParts, adapter: int) -> str:
    return f"{parts.chassis}/NetworkAdapters/NIC{adapter}"


def port_path(parts: SystemParts, at: AdapterPort) -> str:
    return f"{adapter_path(parts, at.adapter)}/Ports/{at.port}"


def function_path(parts: SystemParts, at: AdapterPort) -> str:
    return f"{adapter_path(parts, at.adapter)}/NetworkDeviceFunctions/{at.port}"


def ethernet_path(parts: SystemParts, at: AdapterPort) -> str:
    return f"{parts.system}/EthernetInterfaces/{at.name}"


def pcie_path(parts: SystemParts, at: AdapterPort) -> str:
    return f"{parts.chassis}/PCIeDevices/NIC{at.adapter}/PCIeFunctions/{at.port - 1}"


def network(parts: SystemParts) -> tuple[Resource, ...]:
    numbers = range(1, parts.inventory.network_adapters + 1)
    adapters = tuple(adapter_path(parts, n) for n in numbers)
    interfaces = tuple(f"{parts.system}/NetworkInterfaces/NIC{n}" for n in numbers)
    ethernet = tuple(ethernet_path(parts, at) for at in adapter_ports(parts))
    found = [
        collection(f"{parts.chassis}/NetworkAdapters", "NetworkAdapterCollection", "Network Adapters", lambda view: adapters),
        collection(
            f"{parts.system}/NetworkInterfaces", "NetworkInterfaceCollection", "Network Interfaces", lambda view: interfaces
        ),
        collection(
            f"{parts.system}/EthernetInterfaces", "EthernetInterfaceCollection", "Ethernet Interfaces", lambda view: ethernet
        ),
    ]
    for n in numbers:
        found += [*_adapter(parts, n), _interface(parts, n)]
    for at in adapter_ports(parts):
        found += [_port(parts, at), _metrics(parts, at), _function(parts, at), _ethernet(parts, at)]
    return tuple(found)


def _adapter(parts: SystemParts, n: int) -> tuple[Resource, ...]:
    path = adapter_path(parts, n)
    here = tuple(at for at in adapter_ports(parts) if at.adapter == n)
    ports = tuple(port_path(parts, at) for at in here)
    functions = tuple(function_path(parts, at) for at in here)

    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "Status": status(powered),
            "Manufacturer": "Contoso Networks",
            "Model": f"CN-{parts.inventory.port_gbps}G{len(here)}P",
            "SKU": f"CN{parts.inventory.port_gbps}",
            "SerialNumber": parts.serial(view, f"NIC{n}"),
            "PartNumber": f"CN{parts.inventory.port_gbps}-0{len(here)}",
            "LLDPEnabled": True,
            "Identifiers": [{"DurableName": parts.mac(view, f"NIC{n}P1"), "DurableNameFormat": "MACAddress"}],
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
                        "PCIeDevices": [link(f"{parts.chassis}/PCIeDevices/NIC{n}")],
                        "Ports": links(ports),
                        "NetworkDeviceFunctions": links(functions),
                    },
                }
            ],
        }

    return (
        part(path, ADAPTER_TYPE, f"Network Adapter {n}", body, state=parts.powered),
        collection(f"{path}/Ports", "PortCollection", "Ports", lambda view: ports),
        collection(
            f"{path}/NetworkDeviceFunctions",
            "NetworkDeviceFunctionCollection",
            "Network Device Functions",
            lambda view: functions,
        ),
    )


def _port(parts: SystemParts, at: AdapterPort) -> Resource:
    path = port_path(parts, at)
    gbps = parts.inventory.port_gbps

    def body(view: RedfishBmc, powered: bool) -> Json:
        properties: Json = {
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
                "AssociatedMACAddresses": [parts.mac(view, at.name)],
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
            "Links": {"EthernetInterfaces": [link(ethernet_path(parts, at))]},
        }
        return merged(properties, view.settings.of(path))

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, PORT_FIELDS, save_to(path))}
    return part(path, PORT_TYPE, f"Port {at.port}", body, state=parts.powered, operations=operations)


def _metrics(parts: SystemParts, at: AdapterPort) -> Resource:
    """Only counters of errors and discards, which are 0 on a healthy port: the emulator has no traffic to count."""

    def body(view: RedfishBmc) -> Json:
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

    return fixed_part(f"{port_path(parts, at)}/Metrics", METRICS_TYPE, f"Metrics for {at.name}", body)


def _function(parts: SystemParts, at: AdapterPort) -> Resource:
    path = function_path(parts, at)

    def body(view: RedfishBmc, powered: bool) -> Json:
        mac = parts.mac(view, at.name)
        properties: Json = {
            "Status": status(powered),
            "NetDevFuncType": "Ethernet",
            "NetDevFuncCapabilities": ["Ethernet"],
            "DeviceEnabled": True,
            "BootMode": "PXE",
            "VirtualFunctionsEnabled": True,
            "MaxVirtualFunctions": 64,
            "AssignablePhysicalNetworkPorts": [link(port_path(parts, at))],
            "Ethernet": {"MACAddress": mac, "PermanentMACAddress": mac, "MTUSize": 1500, "MTUSizeMaximum": 9600},
            "Links": {
                "PCIeFunction": link(pcie_path(parts, at)),
                "PhysicalNetworkPortAssignment": link(port_path(parts, at)),
                "EthernetInterfaces": [link(ethernet_path(parts, at))],
            },
        }
        return merged(properties, view.settings.of(path))

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_COMPONENTS, FUNCTION_FIELDS, save_to(path))}
    return part(path, FUNCTION_TYPE, f"Network Device Function {at.port}", body, state=parts.powered, operations=operations)


def _interface(parts: SystemParts, n: int) -> Resource:
    adapter = adapter_path(parts, n)

    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "Status": status(powered),
            "Ports": link(f"{adapter}/Ports"),
            "NetworkDeviceFunctions": link(f"{adapter}/NetworkDeviceFunctions"),
            "Links": {"NetworkAdapter": link(adapter)},
        }

    path = f"{parts.system}/NetworkInterfaces/NIC{n}"
    return part(path, INTERFACE_TYPE, f"Network Interface {n}", body, state=parts.powered)


def _ethernet(parts: SystemParts, at: AdapterPort) -> Resource:
    def body(view: RedfishBmc, powered: bool) -> Json:
        mac = parts.mac(view, at.name)
        return {
            "Status": status(powered),
            "EthernetInterfaceType": "Physical",
            "InterfaceEnabled": True,
            "LinkStatus": "LinkUp" if powered else "LinkDown",
            "PermanentMACAddress": mac,
            "MACAddress": mac,
            "SpeedMbps": parts.inventory.port_gbps * 1000 if powered else 0,
            "AutoNeg": True,
            "FullDuplex": True,
            "MTUSize": 1500,
            "UefiDevicePath": f"PciRoot(0x0)/Pci(0x{at.adapter},0x{at.port - 1})/MAC({mac.replace(':', '')},0x1)",
            "Links": {
                "Chassis": link(parts.chassis),
                "NetworkDeviceFunctions": [link(function_path(parts, at))],
                "Ports": [link(port_path(parts, at))],
            },
        }

    return part(ethernet_path(parts, at), ETHERNET_TYPE, f"Ethernet Interface {at.name}", body, state=parts.powered)
