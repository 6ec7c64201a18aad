"""The network interface of the BMC, its protocols, serial interface and host interface.

`all_resources` calls it when a tree is built.

Rules
  1. If a client disables IPMI, IPMI is silent at once: the IPMI front end reads the core's `ipmi_lan`.
  2. Protocols that this emulator does not serve (SSH, SSDP, console) are shown as disabled, and a client cannot enable them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from emulator.core.bmc.network import NO_ADDRESS, Interface, Network
from emulator.core.errors import SettingRefused
from emulator.core.journal import EventKind
from emulator.redfish.inventory.saved_settings import save_to
from emulator.redfish.inventory.system_parts import SystemParts, fixed_part, part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall, RegistryError, shown
from emulator.redfish.service.resource import RedfishPrivilege, Resource, collection, link
from emulator.redfish.service.settings import merged
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import (
    BooleanRule,
    IntegerRule,
    ListRule,
    ObjectRule,
    OrNullRule,
    TextRule,
    WritableFields,
    WriteOperation,
    merged_list,
    patch,
)

ETHERNET_TYPE: Final = "#EthernetInterface.v1_12_4.EthernetInterface"
PROTOCOL_TYPE: Final = "#ManagerNetworkProtocol.v1_12_0.ManagerNetworkProtocol"
HOST_INTERFACE_TYPE: Final = "#HostInterface.v1_3_3.HostInterface"
SERIAL_TYPE: Final = "#SerialInterface.v1_3_0.SerialInterface"
NTP_MAX: Final = 4
HOST: Final = TextRule(low=1, high=255, pattern=r"[A-Za-z0-9.:_-]+")
QUAD: Final = TextRule(low=7, high=15, pattern=r"[0-9.]+")
ETHERNET_FIELDS: Final[WritableFields] = {
    "HostName": TextRule(low=1, high=63, pattern=r"[A-Za-z0-9-]+"),
    "FQDN": TextRule(low=1, high=255, pattern=r"[A-Za-z0-9.-]+"),
    "VLAN": ObjectRule({"VLANEnable": BooleanRule(), "VLANId": IntegerRule(low=1, high=4094)}),
    "DHCPv4": ObjectRule(
        {
            "DHCPEnabled": BooleanRule(),
            "UseDNSServers": BooleanRule(),
            "UseNTPServers": BooleanRule(),
            "UseDomainName": BooleanRule(),
        }
    ),
    "IPv4StaticAddresses": ListRule(item=ObjectRule({"Address": QUAD, "SubnetMask": QUAD, "Gateway": OrNullRule(QUAD)}), high=1),
}
IN_CORE: Final = frozenset({"HostName", "VLAN", "IPv4StaticAddresses", "DHCPv4"})
PROTOCOL_FIELDS: Final[WritableFields] = {
    "IPMI": ObjectRule({"ProtocolEnabled": BooleanRule()}),
    "NTP": ObjectRule({"ProtocolEnabled": BooleanRule(), "NTPServers": ListRule(item=HOST, high=NTP_MAX, sparse=True)}),
}


class ProtocolState(NamedTuple):
    """What a ManagerNetworkProtocol shows and a write to another resource, or IPMI, can change."""

    ipmi_lan: bool
    host_name: str
    fqdn: str


def ethernet_path(parts: SystemParts) -> str:
    return f"{parts.manager}/EthernetInterfaces/eth0"


def protocol_path(parts: SystemParts) -> str:
    return f"{parts.manager}/NetworkProtocol"


def manager_network(parts: SystemParts) -> tuple[Resource, ...]:
    ethernet = ethernet_path(parts)
    return (
        collection(
            f"{parts.manager}/EthernetInterfaces", "EthernetInterfaceCollection", "Manager Interfaces", lambda view: (ethernet,)
        ),
        _ethernet(parts),
        _protocols(parts),
        *_serial(parts),
        *_host_interface(parts),
    )


def _ethernet(parts: SystemParts) -> Resource:
    path = ethernet_path(parts)

    def body(view: RedfishBmc, interface: Interface) -> Json:
        network: Json = {
            "Address": interface.address,
            "SubnetMask": interface.mask,
            "AddressOrigin": "DHCP" if interface.dhcp else "Static",
            "Gateway": None if interface.gateway == NO_ADDRESS else interface.gateway,
        }
        static = {name: value for name, value in network.items() if name != "AddressOrigin"}
        properties: Json = {
            "Status": {"State": "Enabled", "Health": "OK"},
            "EthernetInterfaceType": "Physical",
            "InterfaceEnabled": True,
            "LinkStatus": "LinkUp",
            "PermanentMACAddress": interface.mac,
            "MACAddress": interface.mac,
            "SpeedMbps": 1000,
            "AutoNeg": True,
            "FullDuplex": True,
            "MTUSize": 1500,
            "HostName": interface.host_name,
            "FQDN": f"{interface.host_name}.example.com",
            "RoutingScope": "External",
            "IPv6Enabled": False,
            "IPv4Addresses": [network],
            "IPv4StaticAddresses": [] if interface.dhcp else [static],
            "IPv6Addresses": [],
            "NameServers": [] if interface.gateway == NO_ADDRESS else [interface.gateway],
            "VLAN": {"VLANEnable": interface.vlan, "VLANId": interface.vlan_id},
            "DHCPv4": {
                "DHCPEnabled": interface.dhcp,
                "UseDNSServers": True,
                "UseGateway": True,
                "UseNTPServers": False,
                "UseDomainName": True,
            },
            "Links": {"Chassis": link(parts.chassis)},
        }
        return merged(properties, view.settings.of(path))

    def state(call: RedfishCall) -> Interface:
        return call.view.network.interface()

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_MANAGER, ETHERNET_FIELDS, _configures(save_to(path)))}
    return part(path, ETHERNET_TYPE, "Manager Ethernet Interface", body, state=state, operations=operations)


def _configures(rest: WriteOperation) -> WriteOperation:
    """Settings that IPMI shares go to the core (`view.network`); `rest` stores the settings that only Redfish has."""

    def write(call: RedfishCall, taken: Json) -> None:
        try:
            call.view.network.configure(_changed(call.view.network.configured, taken), call.seq)
        except SettingRefused:
            at = "IPv4StaticAddresses"
            raise RegistryError(400, "PropertyValueFormatError", shown(taken.get(at)), at, related=(f"#/{at}",)) from None
        dhcp = taken.get("DHCPv4")
        other = {name: value for name, value in taken.items() if name not in IN_CORE}
        if isinstance(dhcp, dict) and (flags := {name: value for name, value in dhcp.items() if name != "DHCPEnabled"}):
            other["DHCPv4"] = flags
        if other:
            rest(call, other)

    return write


def _changed(network: Network, taken: Json) -> Network:
    """`network` with the changes of a PATCH. An empty list of static addresses restores the address at which the BMC listens."""
    vlan, dhcp, static = taken.get("VLAN"), taken.get("DHCPv4"), taken.get("IPv4StaticAddresses")
    if "HostName" in taken:
        network = replace(network, host_name=str(taken["HostName"]))
    if isinstance(vlan, dict):
        network = replace(network, vlan=vlan.get("VLANEnable", network.vlan), vlan_id=vlan.get("VLANId", network.vlan_id))
    if isinstance(dhcp, dict):
        network = replace(network, dhcp=dhcp.get("DHCPEnabled", network.dhcp))
    if isinstance(static, list):
        given = static[0] if static else {}
        network = replace(network, address=given.get("Address"), mask=given.get("SubnetMask"), gateway=given.get("Gateway"))
    return network


def _protocols(parts: SystemParts) -> Resource:
    path = protocol_path(parts)
    off: Json = {"ProtocolEnabled": False}

    def state(call: RedfishCall) -> ProtocolState:
        host_name = call.view.network.interface().host_name
        fqdn = call.view.settings.of(ethernet_path(parts)).get("FQDN", f"{host_name}.example.com")
        return ProtocolState(call.view.ipmi_lan, host_name, str(fqdn))

    def body(view: RedfishBmc, state: ProtocolState) -> Json:
        return {
            "Status": {"State": "Enabled", "Health": "OK"},
            "HostName": state.host_name,
            "FQDN": state.fqdn,
            "HTTP": {"ProtocolEnabled": parts.profile.http.redirect_http, "Port": 80},
            "HTTPS": {"ProtocolEnabled": True, "Port": 443, "Certificates": link(f"{path}/HTTPS/Certificates")},
            "IPMI": {"ProtocolEnabled": state.ipmi_lan, "Port": 623},
            "SSH": off | {"Port": 22},
            "KVMIP": off | {"Port": 5900},
            "VirtualMedia": {"ProtocolEnabled": parts.inventory.virtual_media != "none", "Port": 443},
            "SSDP": off | {"Port": 1900},
            "SNMP": off | {"Port": 161},
            "Telnet": off | {"Port": 23},
            "NTP": ntp(view, path),
        }

    def write(call: RedfishCall, taken: Json) -> None:
        servers = _ntp_change(call.view, path, taken)
        ipmi = taken.get("IPMI")
        if isinstance(ipmi, dict):
            call.view.set_ipmi_lan(bool(ipmi["ProtocolEnabled"]), call.seq)
        if servers is not None:
            call.view.settings.put(path, {"NTP": servers})
            call.view.record(EventKind.SETTING, call.seq, what="property", path=path, names="NTP")

    operations = {"PATCH": patch(RedfishPrivilege.CONFIGURE_MANAGER, PROTOCOL_FIELDS, write)}
    return part(path, PROTOCOL_TYPE, "Manager Network Protocol", body, state=state, operations=operations)


def ntp(view: RedfishBmc, path: str) -> Json:
    saved = view.settings.of(path).get("NTP")
    properties: Json = {"ProtocolEnabled": False, "Port": 123, "NTPServers": []}
    return properties | saved if isinstance(saved, dict) else properties


def _ntp_change(view: RedfishBmc, path: str, taken: Json) -> Json | None:
    """The NTP settings to store; None if the PATCH names none. Raises RegistryError (400) if there would be too many servers."""
    change = taken.get("NTP")
    if not isinstance(change, dict):
        return None
    servers = change.get("NTPServers")
    if not isinstance(servers, Sequence):
        return change
    current = ntp(view, path)["NTPServers"]
    assert isinstance(current, list)
    merged_servers = merged_list(current, servers)
    if len(merged_servers) > NTP_MAX:
        raise RegistryError(400, "ArraySizeTooLong", "NTP/NTPServers", str(NTP_MAX), related=("#/NTP/NTPServers",))
    return change | {"NTPServers": merged_servers}


def _serial(parts: SystemParts) -> tuple[Resource, ...]:
    path = f"{parts.manager}/SerialInterfaces/tty0"

    def body(view: RedfishBmc) -> Json:
        return {
            "InterfaceEnabled": False,
            "SignalType": "Rs232",
            "BitRate": "115200",
            "Parity": "None",
            "DataBits": "8",
            "StopBits": "1",
            "FlowControl": "None",
            "ConnectorType": "RJ45",
            "PinOut": "Cyclades",
        }

    listing = collection(
        f"{parts.manager}/SerialInterfaces", "SerialInterfaceCollection", "Serial Interfaces", lambda view: (path,)
    )
    return (listing, fixed_part(path, SERIAL_TYPE, "Manager Serial Interface", body))


def _host_interface(parts: SystemParts) -> tuple[Resource, ...]:
    path = f"{parts.manager}/HostInterfaces/1"

    def body(view: RedfishBmc) -> Json:
        return {
            "HostInterfaceType": "NetworkHostInterface",
            "Status": {"State": "Disabled", "Health": "OK"},
            "InterfaceEnabled": False,
            "ExternallyAccessible": False,
            "AuthenticationModes": ["BasicAuth", "RedfishSessionAuth"],
            "ManagerEthernetInterface": link(ethernet_path(parts)),
            "NetworkProtocol": link(protocol_path(parts)),
            "Links": {"ComputerSystems": [link(parts.system)]},
        }

    listing = collection(f"{parts.manager}/HostInterfaces", "HostInterfaceCollection", "Host Interfaces", lambda view: (path,))
    return (listing, fixed_part(path, HOST_INTERFACE_TYPE, "Host Interface", body))
