"""The network interface of a BMC: the values it started with, and what a client has set since.

`NetworkView` calls it for Redfish's EthernetInterface and IPMI's LAN parameters, which show the same, in the emulator's one
thread. Addresses are dotted quads, except where an int is named.

Rules
  1. A set address is only stored and shown. The emulated BMC goes on answering on the address where it listens.
  2. With DHCP it shows the values it started with. A static address that was set is kept, and shown again when DHCP is off.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Protocol

from emulator.core.errors import SettingRefused
from emulator.core.naming import derived_uuid

NO_ADDRESS = "0.0.0.0"
MASK, LOOPBACK_MASK = "255.255.255.0", "255.0.0.0"
DOCUMENTATION = "192.0.2"
"""A network for documentation (RFC 5737), for a BMC that does not know where it listens."""
VLAN_MAX = 4094
HOST_NAME_MAX = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What a client has set. None: the value that the BMC started with."""

    dhcp: bool = False
    address: str | None = None
    mask: str | None = None
    gateway: str | None = None
    vlan: bool = False
    vlan_id: int = 101
    host_name: str | None = None


AS_FOUND = Network()


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """What the BMC shows, addresses as dotted quads. A gateway of 0.0.0.0 means none."""

    dhcp: bool
    address: str
    mask: str
    gateway: str
    vlan: bool
    vlan_id: int
    host_name: str
    mac: str


class FoundNames(Protocol):
    """What belongs to the machine whose BMC it is."""

    @property
    def serial(self) -> str: ...

    @property
    def mac(self) -> str: ...

    @property
    def drawn(self) -> str: ...


def interface(network: Network, listens: int, found: FoundNames) -> Interface:
    """What the BMC shows now. `listens` is the IPv4 address of its sockets as an int, 0 for none."""
    address, mask, gateway = _found(listens, found.drawn)
    if not network.dhcp:
        address = network.address or address
        mask = network.mask or mask
        gateway = network.gateway or gateway
    return Interface(
        dhcp=network.dhcp,
        address=address,
        mask=mask,
        gateway=gateway,
        vlan=network.vlan,
        vlan_id=network.vlan_id,
        host_name=f"bmc-{found.serial.lower()}" if network.host_name is None else network.host_name,
        mac=found.mac,
    )


def _found(listens: int, drawn: str) -> tuple[str, str, str]:
    if not listens:
        last = int(derived_uuid("random", f"{drawn}/bmc/address")[:2], 16)
        return f"{DOCUMENTATION}.{2 + last % 250}", MASK, f"{DOCUMENTATION}.1"
    address = ipaddress.IPv4Address(listens)
    return str(address), LOOPBACK_MASK if address.is_loopback else MASK, NO_ADDRESS


def _is_ipv4(text: str) -> bool:
    try:
        ipaddress.IPv4Address(text)
    except ValueError:
        return False
    return True


def listening(address: str) -> int:
    """An address as an int, for `interface`; 0 where it is not an IPv4 address."""
    try:
        return int(ipaddress.IPv4Address(address))
    except ValueError:
        return 0


def check(network: Network) -> None:
    """Raises SettingRefused for values that no interface can have."""
    for what, text in (("address", network.address), ("mask", network.mask), ("gateway", network.gateway)):
        if text is not None and not _is_ipv4(text):
            raise SettingRefused(f"{text!r} is no IPv4 {what}")
    for text in (network.address, network.gateway):
        if text is not None and int(ipaddress.IPv4Address(text)) >= int(ipaddress.IPv4Address("224.0.0.0")):
            raise SettingRefused(f"{text} is no address of one machine")
    if network.mask is not None and not _contiguous(int(ipaddress.IPv4Address(network.mask))):
        raise SettingRefused(f"{network.mask} is no network mask")
    if not 0 <= network.vlan_id <= VLAN_MAX:
        raise SettingRefused(f"a VLAN id is 0 to {VLAN_MAX}")
    if network.host_name is not None and len(network.host_name.encode()) > HOST_NAME_MAX:
        raise SettingRefused(f"a host name has at most {HOST_NAME_MAX} bytes")


def _contiguous(mask: int) -> bool:
    gap = ~mask & 0xFFFFFFFF
    return gap & (gap + 1) == 0
