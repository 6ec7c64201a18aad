"""LAN configuration parameters (IPMI 2.0, 23.1, 23.2, table 23-4) and IP/UDP/RMCP statistics (23.4).

The command table calls the handlers, in the emulator's one thread.

What the parameters do
  Address, mask, gateway, DHCP and VLAN are those of Redfish's EthernetInterface; a change is visible in both. They are only
  stored: the emulated BMC goes on answering on the address where it listens. The bad password threshold is the lockout of the
  accounts, which Redfish shows too.
  Only IPMI has the other parameters. Authentication types and privileges of cipher suites are enforced. The rest is stored and
  shown; nothing is ever sent to an alert destination.

Invalid values are answered with 0xC9, "parameter out of range", because ipmitool repeats the command for minutes after 0xCC.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from emulator.core.bmc.network import Network
from emulator.core.errors import SettingRefused
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.channel import LAN_CHANNEL, auth_types_at, supported_auth_types
from emulator.ipmi.management.parameters import (
    READ_ONLY,
    REVISION,
    REVISION_ONLY,
    ConfigParameter,
    Family,
    ParameterTable,
    constant,
    in_progress,
    read,
    read_only,
    store_value,
    stored_parameter,
    stored_value,
    write,
)
from emulator.ipmi.session.suites import SUITE_SLOTS, levels_of

STATIC, DHCP = 0x01, 0x02
TTL_FLAGS_SERVICE = bytes((0x40, 0x40, 0x10))
COMMUNITY_BYTES = 18
COMMUNITY = b"public".ljust(COMMUNITY_BYTES, b"\0")
DESTINATIONS = 4
"""The number of non-volatile alert destinations; destination 0 is volatile."""
ALERT_TYPES = (0, 6, 7)  # PET, OEM 1, OEM 2
VLAN_ON = 0x8000
LOCKOUT = 26
LOCKOUT_UNIT = 10.0
"""Seconds per unit of parameter 26."""
LEVELS = range(6)
"""The values of a nibble of parameter 24: unused, or callback to OEM."""


# -- what Redfish shows too --------------------------------------------------------------------------------------------


def _quad(text: str) -> bytes:
    return ipaddress.IPv4Address(text).packed


def _configure(call: IpmiCall, change: Callable[[Network], Network]) -> None:
    """Changes the network settings. Raises CompletionError for values that no interface can have."""
    network = call.view.network
    try:
        network.configure(change(network.configured), call.cause)
    except SettingRefused:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE) from None


def _only_static(call: IpmiCall) -> None:
    """Raises CompletionError while DHCP is on, as OpenBMC answers: DHCP sets these values."""
    if call.view.network.configured.dhcp:
        raise CompletionError(CompletionCode.NOT_IN_STATE)


def _put_address(call: IpmiCall, value: bytes) -> None:
    _only_static(call)
    _configure(call, lambda network: replace(network, address=str(ipaddress.IPv4Address(value))))


def _put_mask(call: IpmiCall, value: bytes) -> None:
    _only_static(call)
    _configure(call, lambda network: replace(network, mask=str(ipaddress.IPv4Address(value))))


def _put_gateway(call: IpmiCall, value: bytes) -> None:
    _only_static(call)
    _configure(call, lambda network: replace(network, gateway=str(ipaddress.IPv4Address(value))))


def _put_source(call: IpmiCall, value: bytes) -> None:
    source = value[0] & 0x0F
    if source not in (STATIC, DHCP):
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    _configure(call, lambda network: replace(network, dhcp=source == DHCP))


def _mac(call: IpmiCall) -> bytes:
    return bytes.fromhex(call.view.network.interface().mac.replace(":", ""))


def _put_mac(call: IpmiCall, value: bytes) -> None:
    """The MAC address cannot be changed. Writing the present one is no error: some clients write a whole configuration."""
    if value != _mac(call):
        raise CompletionError(READ_ONLY)


def _vlan(call: IpmiCall) -> bytes:
    found = call.view.network.interface()
    return (found.vlan_id | (VLAN_ON if found.vlan else 0)).to_bytes(2, "little")


def _put_vlan(call: IpmiCall, value: bytes) -> None:
    """When the VLAN is switched off its id is kept, because clients send zeros then."""
    wanted = int.from_bytes(value, "little")
    on, vlan_id = bool(wanted & VLAN_ON), wanted & 0x0FFF
    if on and vlan_id == 0:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    _configure(call, lambda network: replace(network, vlan=on, vlan_id=vlan_id or network.vlan_id))


def _lockout(call: IpmiCall) -> bytes:
    rule = call.view.lockout
    window, penalty = (min(round(s / LOCKOUT_UNIT), 0xFFFF).to_bytes(2, "little") for s in (rule.window_s, rule.penalty_s))
    return stored_value(call.state, Family.LAN, LOCKOUT, b"\0") + bytes((min(rule.failures, 0xFF),)) + window + penalty


def _put_lockout(call: IpmiCall, value: bytes) -> None:
    """The bad password threshold. Writing back what was read changes nothing, although the units are 10 s.

    The bit for an event message is only stored: failed logins are always logged.
    """
    rule = call.view.lockout
    store_value(call.state, Family.LAN, LOCKOUT, value[:1])
    if value[1:] == _lockout(call)[1:]:
        return
    window, penalty = (int.from_bytes(value[at : at + 2], "little") * LOCKOUT_UNIT for at in (2, 4))
    call.view.set_lockout(replace(rule, failures=value[1], window_s=window, penalty_s=penalty), call.cause)


# -- what only IPMI has ------------------------------------------------------------------------------------------------


def _auth_enables(call: IpmiCall) -> bytes:
    return bytes(auth_types_at(call, level) for level in range(1, 6))


def _put_auth_enables(call: IpmiCall, value: bytes) -> None:
    """Read-only for a BMC without IPMI 1.5, which has nothing to enable."""
    if not supported_auth_types(call):
        raise CompletionError(READ_ONLY)
    if any(types & ~supported_auth_types(call) for types in value):
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    store_value(call.state, Family.LAN, 2, value)


def _put_community(call: IpmiCall, value: bytes) -> None:
    store_value(call.state, Family.LAN, 16, value.ljust(COMMUNITY_BYTES, b"\0"))


def _suite_ids(call: IpmiCall) -> bytes:
    return b"\0" + bytes(suite.id for suite in call.bmc.suites).ljust(SUITE_SLOTS, b"\0")


def _suite_levels(call: IpmiCall) -> bytes:
    return b"\0" + levels_of(call.bmc.suites, call.state.suite_levels)


def _put_suite_levels(call: IpmiCall, value: bytes) -> None:
    if any(half not in LEVELS for byte in value[1:] for half in (byte & 0x0F, byte >> 4)):
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    call.state.suite_levels = value[1:]


def _destination(selector: int) -> int:
    if selector & 0x0F > DESTINATIONS:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return selector & 0x0F


def _of_destination(number: int, otherwise: bytes) -> Callable[[IpmiCall], bytes]:
    def get(call: IpmiCall) -> bytes:
        at = _destination(call.data[2])
        return bytes((at,)) + stored_value(call.state, Family.LAN, number, otherwise, at)

    return get


def _put_destination_type(call: IpmiCall, value: bytes) -> None:
    if value[1] & 0x07 not in ALERT_TYPES:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    store_value(call.state, Family.LAN, 18, value[1:], _destination(value[0]))


def _put_destination_address(call: IpmiCall, value: bytes) -> None:
    if value[1] >> 4:  # IPv4 with a MAC address is 0
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    store_value(call.state, Family.LAN, 19, value[1:], _destination(value[0]))


PARAMETERS: Final[ParameterTable] = {
    0: in_progress(Family.LAN),
    1: read_only(lambda call: bytes((supported_auth_types(call),))),
    2: ConfigParameter(_auth_enables, _put_auth_enables, (5, 5)),
    3: ConfigParameter(lambda call: _quad(call.view.network.interface().address), _put_address, (4, 4)),
    4: ConfigParameter(lambda call: bytes((DHCP if call.view.network.configured.dhcp else STATIC,)), _put_source),
    5: ConfigParameter(_mac, _put_mac, (6, 6)),
    6: ConfigParameter(lambda call: _quad(call.view.network.interface().mask), _put_mask, (4, 4)),
    7: stored_parameter(Family.LAN, 7, TTL_FLAGS_SERVICE),
    8: read_only(lambda call: call.bmc.here.port.to_bytes(2, "little")),
    10: stored_parameter(Family.LAN, 10, b"\0", lambda value: value[0] < 4),
    11: stored_parameter(Family.LAN, 11, b"\0"),
    12: ConfigParameter(lambda call: _quad(call.view.network.interface().gateway), _put_gateway, (4, 4)),
    13: stored_parameter(Family.LAN, 13, bytes(6)),
    14: stored_parameter(Family.LAN, 14, bytes(4)),
    15: stored_parameter(Family.LAN, 15, bytes(6)),
    16: ConfigParameter(lambda call: stored_value(call.state, Family.LAN, 16, COMMUNITY), _put_community, (1, COMMUNITY_BYTES)),
    17: constant(bytes((DESTINATIONS,))),
    18: ConfigParameter(_of_destination(18, bytes(3)), _put_destination_type, (4, 4)),
    19: ConfigParameter(_of_destination(19, bytes(12)), _put_destination_address, (13, 13)),
    20: ConfigParameter(_vlan, _put_vlan, (2, 2)),
    21: stored_parameter(Family.LAN, 21, b"\0", lambda value: value[0] < 8),
    22: read_only(lambda call: bytes((len(call.bmc.suites),))),
    23: read_only(_suite_ids),
    24: ConfigParameter(_suite_levels, _put_suite_levels, (9, 9)),
    LOCKOUT: ConfigParameter(_lockout, _put_lockout, (6, 6)),
}
"""The parameters that the BMC has. Others are answered with 0x80."""


def _channel(number: int) -> None:
    if number & 0x0F not in (LAN_CHANNEL, 0x0E):
        raise CompletionError(CompletionCode.INVALID_FIELD)


def get_parameter(call: IpmiCall) -> bytes:
    _channel(call.data[0])
    if call.data[0] & REVISION_ONLY:
        return bytes((REVISION,))
    return bytes((REVISION,)) + read(PARAMETERS, call, call.data[1])


def set_parameter(call: IpmiCall) -> bytes:
    _channel(call.data[0])
    write(PARAMETERS, call, call.data[1], call.data[2:])
    return b""


# -- statistics --------------------------------------------------------------------------------------------------------

CLEAR = 0x01


def get_statistics(call: IpmiCall) -> bytes:
    """Nine counters of 16 bits that stop at 0xFFFF (table 23-9). Those for a proxy and for IP errors are 0: there is no proxy,
    and the operating system drops broken IP packets. In a fleet, the counters of an idle BMC start from 0 again."""
    _channel(call.data[0])
    traffic = call.bmc.traffic
    heard, valid, sent = (min(n, 0xFFFF).to_bytes(2, "little") for n in (traffic.heard, traffic.valid, traffic.sent))
    told = heard + bytes(6) + sent + heard + valid + bytes(4)
    if call.data[1] & CLEAR:
        traffic.clear()
    return told
