"""The LAN channel: how a client may log in, with which ciphers, and what it is (IPMI 2.0, 22.13, 22.15, 22.23, 22.24)."""

from __future__ import annotations

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.sessions import Privilege
from emulator.ipmi.suites import CipherSuite

LAN_CHANNEL = 0x01
THIS_CHANNEL = 0x0E
ASKS_FOR_2_0 = 0x80
HAS_EXTENDED = 0x80
USERS_WITH_NAMES = 0x04
KG_IS_SET = 0x20
SPEAKS_1_5, SPEAKS_2_0 = 0x01, 0x02
RECORDS_PER_PAGE = 16
LIST_BY_SUITE = 0x80
MEDIUM_LAN, PROTOCOL_IPMB, MULTI_SESSION = 0x04, 0x01, 0x80
IPMI_FORUM = (7154).to_bytes(3, "little")
NON_VOLATILE, VOLATILE = 0x40, 0x80
ALWAYS_AVAILABLE = 0x22  # alerts are switched off
PAYLOADS = frozenset({0x00, 0x01, 0x02})  # IPMI, serial over LAN, OEM


def lan_channel(number: int) -> int:
    """The one channel that exists; 0xE is the one that the request came through."""
    if number & 0x0F not in (LAN_CHANNEL, THIS_CHANNEL):
        raise Refused(CompletionCode.INVALID_FIELD)
    return LAN_CHANNEL


def get_authentication_capabilities(call: Call) -> bytes:
    channel, level = lan_channel(call.data[0]), call.data[1] & 0x0F
    if not Privilege.CALLBACK <= level <= Privilege.ADMINISTRATOR:
        raise Refused(CompletionCode.INVALID_FIELD)
    types = sum(1 << auth_type for auth_type in call.bmc.auth_types)
    status = USERS_WITH_NAMES | (KG_IS_SET if call.bmc.kg is not None else 0)
    extended = 0
    if call.data[0] & ASKS_FOR_2_0:
        types |= HAS_EXTENDED
        extended = SPEAKS_2_0 | (SPEAKS_1_5 if call.bmc.auth_types else 0)
    return bytes((channel, types, status, extended, 0, 0, 0, 0))


def algorithms_record(suites: tuple[CipherSuite, ...]) -> bytes:
    """All algorithms of all suites, each once, without saying which belong together."""
    auth = sorted({suite.auth for suite in suites})
    integrity = sorted({0x40 | suite.integrity for suite in suites})
    confidentiality = sorted({0x80 | suite.confidentiality for suite in suites})
    return bytes((*auth, *integrity, *confidentiality))


def get_cipher_suites(call: Call) -> bytes:
    """Sixteen bytes of the list at a time; a client asks on until it gets fewer."""
    channel, page = lan_channel(call.data[0]), call.data[2] & 0x3F
    if call.data[1] & 0x3F not in PAYLOADS:
        raise Refused(CompletionCode.INVALID_FIELD)
    by_suite = call.data[2] & LIST_BY_SUITE
    whole = b"".join(suite.record for suite in call.bmc.suites) if by_suite else algorithms_record(call.bmc.suites)
    return bytes((channel,)) + whole[page * RECORDS_PER_PAGE : (page + 1) * RECORDS_PER_PAGE]


def get_channel_info(call: Call) -> bytes:
    channel = lan_channel(call.data[0])
    return bytes((channel, MEDIUM_LAN, PROTOCOL_IPMB, MULTI_SESSION | len(call.sessions.live))) + IPMI_FORUM + bytes(2)


def get_channel_access(call: Call) -> bytes:
    """The same now and after a restart: nothing here can change it."""
    lan_channel(call.data[0])
    if call.data[1] & 0xC0 not in (NON_VOLATILE, VOLATILE):
        raise Refused(CompletionCode.INVALID_FIELD)
    return bytes((ALWAYS_AVAILABLE, Privilege.ADMINISTRATOR))
