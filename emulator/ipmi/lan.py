"""LAN configuration parameters (IPMI 2.0, 23.1, 23.2, table 23-4), told and not set: the wire is not the BMC's to change."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Mapping

from emulator.core.view import BmcView
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.channel import LAN_CHANNEL
from emulator.ipmi.sessions import Privilege
from emulator.ipmi.suites import CipherSuite

REVISION = 0x11
REVISION_ONLY = 0x80
NO_SUCH_PARAMETER, READ_ONLY = 0x80, 0x82
SET_IN_PROGRESS = 0
STATIC_ADDRESS = 0x01
MASK, LOOPBACK_MASK = bytes((255, 255, 255, 0)), bytes((255, 0, 0, 0))
TTL_FLAGS_SERVICE = bytes((0x40, 0x40, 0x10))
COMMUNITY = b"public"
SUITE_SLOTS = 16
LOCALLY_ADMINISTERED = 0x02


def mac_of(view: BmcView) -> bytes:
    """A locally administered address of its own for every machine."""
    system = view.first_system()
    digest = hashlib.sha256(f"mac/{system.serial}/{view.name}".encode()).digest()
    return bytes((LOCALLY_ADMINISTERED,)) + digest[:5]


def _address(call: Call) -> bytes:
    try:
        return ipaddress.IPv4Address(call.bmc.here.address).packed
    except ValueError:
        return bytes(4)  # IPv6 has parameters of its own, which nobody here has asked for


def _mask(call: Call) -> bytes:
    return LOOPBACK_MASK if _address(call)[0] == 127 else MASK


def _auth_types(call: Call) -> bytes:
    return bytes((sum(1 << kind for kind in call.bmc.auth_types),))


def _suite_ids(call: Call) -> bytes:
    ids = bytes(suite.id for suite in call.bmc.suites)
    return b"\0" + ids.ljust(SUITE_SLOTS, b"\0")


def _suite_privileges(call: Call) -> bytes:
    """A nibble for each entry of parameter 23, the first one in the low half: what it may be used for at most."""

    def level(at: int, suites: tuple[CipherSuite, ...]) -> int:
        return Privilege.ADMINISTRATOR if at < len(suites) else 0

    suites = call.bmc.suites
    return b"\0" + bytes(level(at, suites) | level(at + 1, suites) << 4 for at in range(0, SUITE_SLOTS, 2))


def _fixed(value: bytes) -> Callable[[Call], bytes]:
    return lambda _call: value


PARAMETERS: Mapping[int, Callable[[Call], bytes]] = {
    SET_IN_PROGRESS: _fixed(b"\0"),
    1: _auth_types,
    2: lambda call: _auth_types(call) * 4 + b"\0",
    3: _address,
    4: _fixed(bytes((STATIC_ADDRESS,))),
    5: lambda call: mac_of(call.view),
    6: _mask,
    7: _fixed(TTL_FLAGS_SERVICE),
    8: lambda call: call.bmc.here.port.to_bytes(2, "little"),
    10: _fixed(b"\0"),  # neither answers ARP by itself nor sends gratuitous ones
    11: _fixed(b"\0"),
    12: _fixed(bytes(4)),
    13: _fixed(bytes(6)),
    14: _fixed(bytes(4)),
    15: _fixed(bytes(6)),
    16: _fixed(COMMUNITY.ljust(18, b"\0")),
    17: _fixed(b"\0"),  # no alert destinations
    20: _fixed(bytes(2)),  # no VLAN
    21: _fixed(b"\0"),
    22: lambda call: bytes((len(call.bmc.suites),)),
    23: _suite_ids,
    24: _suite_privileges,
}
"""What is not here is answered 0x80."""


def _channel(number: int) -> None:
    if number & 0x0F not in (LAN_CHANNEL, 0x0E):
        raise Refused(CompletionCode.INVALID_FIELD)


def get_parameter(call: Call) -> bytes:
    _channel(call.data[0])
    if call.data[0] & REVISION_ONLY:
        return bytes((REVISION,))
    value = PARAMETERS.get(call.data[1])
    if value is None:
        raise Refused(NO_SUCH_PARAMETER)
    return bytes((REVISION,)) + value(call)


def set_parameter(call: Call) -> bytes:
    _channel(call.data[0])
    if call.data[1] not in PARAMETERS:
        raise Refused(NO_SUCH_PARAMETER)
    if call.data[1] != SET_IN_PROGRESS:
        raise Refused(READ_ONLY)
    return b""
