"""Channel commands: authentication types, cipher suites, K_g and privilege limits (IPMI 2.0, 22.13, 22.15, 22.22 to 22.25).

The command table calls the handlers, in the emulator's one thread. There are three channels: IPMB (0) and the system interface
(0xF), which have no sessions, and the LAN (1), which clients use.
"""

from __future__ import annotations

from collections.abc import Mapping

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.parameters import Family, stored_value
from emulator.ipmi.session.handshake import KG_BYTES
from emulator.ipmi.session.sessions import IpmiPrivilege
from emulator.ipmi.session.suites import CipherSuite, usable

LAN_CHANNEL = 0x01
THIS_CHANNEL = 0x0E
ASKS_FOR_2_0 = 0x80
HAS_EXTENDED = 0x80
USERS_WITH_NAMES = 0x04
EACH_MESSAGE_OFF = 0x10
"""Bit for "per-message authentication is disabled", in the channel access and in Get Channel Authentication Capabilities."""
KG_IS_SET = 0x20
SPEAKS_1_5, SPEAKS_2_0 = 0x01, 0x02
RECORDS_PER_PAGE = 16
LIST_BY_SUITE = 0x80
MEDIUM_LAN, PROTOCOL_IPMB, MULTI_SESSION = 0x04, 0x01, 0x80
IPMI_FORUM = (7154).to_bytes(3, "little")
WITHOUT_SESSIONS: Mapping[int, bytes] = {
    0x0: bytes((0x0, 0x01, PROTOCOL_IPMB, 0x00)) + IPMI_FORUM + bytes(2),
    0xF: bytes((0xF, 0x0C, 0x05, 0x00)) + IPMI_FORUM + bytes((0xFF, 0xFF)),  # KCS without interrupts
}
NO_SESSIONS_THERE, NO_SUCH_MODE = 0x82, 0x83
DONT_SET, NON_VOLATILE, VOLATILE = 0x00, 0x40, 0x80
SELECTION = 0xC0
MODE, MODE_OFF, MODE_BEFORE_BOOT = 0x07, 0x00, 0x01
FLAGS = 0x3F
PAYLOADS = frozenset({0x00, 0x01, 0x02})  # IPMI, serial over LAN, OEM

READ_KEY, SET_KEY = 0, 1
KEY_R, KEY_G = 0, 1
KEY_NOT_TO_BE_LOCKED = b"\x00"
KEY_IS_LOCKED, TOO_FEW_BYTES, TOO_MANY_BYTES, NO_KEY_R = 0x80, 0x81, 0x82, 0x84


def lan_channel(number: int) -> int:
    """The LAN channel, the only one with sessions; 0xE means the channel of the request. Raises CompletionError for others."""
    if number & 0x0F not in (LAN_CHANNEL, THIS_CHANNEL):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return LAN_CHANNEL


# -- before the login --------------------------------------------------------------------------------------------------


def supported_auth_types(call: IpmiCall) -> int:
    """The IPMI 1.5 authentication types that the BMC supports, one bit each."""
    return sum(1 << kind for kind in call.bmc.auth_types)


def auth_types_at(call: IpmiCall, level: int) -> int:
    """The IPMI 1.5 authentication types that are enabled for a privilege level (1 to 5), one bit each: LAN parameter 2."""
    enabled = stored_value(call.state, Family.LAN, 2, b"")
    return enabled[level - 1] if enabled else supported_auth_types(call) if level <= IpmiPrivilege.ADMINISTRATOR else 0


def get_authentication_capabilities(call: IpmiCall) -> bytes:
    channel, level = lan_channel(call.data[0]), call.data[1] & 0x0F
    if not IpmiPrivilege.CALLBACK <= level <= IpmiPrivilege.ADMINISTRATOR:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    types = auth_types_at(call, level)
    status = USERS_WITH_NAMES | call.state.access[0] & EACH_MESSAGE_OFF | (KG_IS_SET if call.bmc.key is not None else 0)
    extended = 0
    if call.data[0] & ASKS_FOR_2_0:
        types |= HAS_EXTENDED
        extended = SPEAKS_2_0 | (SPEAKS_1_5 if call.bmc.auth_types else 0)
    return bytes((channel, types, status, extended, 0, 0, 0, 0))


def algorithms_record(suites: tuple[CipherSuite, ...]) -> bytes:
    """All algorithms of all suites, each once (the list by algorithm)."""
    auth = sorted({suite.auth for suite in suites})
    integrity = sorted({0x40 | suite.integrity for suite in suites})
    confidentiality = sorted({0x80 | suite.confidentiality for suite in suites})
    return bytes((*auth, *integrity, *confidentiality))


def get_cipher_suites(call: IpmiCall) -> bytes:
    """Sixteen bytes of the list at a time; a client asks until it gets fewer. Suites that LAN parameter 24 sets to unused are not
    in the list, because many clients take the best suite that they find here."""
    channel, page = lan_channel(call.data[0]), call.data[2] & 0x3F
    if call.data[1] & 0x3F not in PAYLOADS:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    suites = usable(call.bmc.suites, call.state.suite_levels)
    whole = b"".join(suite.record for suite in suites) if call.data[2] & LIST_BY_SUITE else algorithms_record(suites)
    return bytes((channel,)) + whole[page * RECORDS_PER_PAGE : (page + 1) * RECORDS_PER_PAGE]


# -- what a channel is -------------------------------------------------------------------------------------------------


def get_channel_info(call: IpmiCall) -> bytes:
    if (number := call.data[0] & 0x0F) in WITHOUT_SESSIONS:
        return WITHOUT_SESSIONS[number]
    channel = lan_channel(call.data[0])
    return bytes((channel, MEDIUM_LAN, PROTOCOL_IPMB, MULTI_SESSION | min(len(call.sessions.live), 0x3F))) + IPMI_FORUM + bytes(2)


def _with_sessions(number: int) -> None:
    if number & 0x0F in WITHOUT_SESSIONS:
        raise CompletionError(NO_SESSIONS_THERE)
    lan_channel(number)


def get_channel_access(call: IpmiCall) -> bytes:
    _with_sessions(call.data[0])
    match call.data[1] & SELECTION:
        case 0x40:
            return bytes(call.state.access_non_volatile)
        case 0x80:
            return bytes(call.state.access)
    raise CompletionError(CompletionCode.INVALID_FIELD)


def set_channel_access(call: IpmiCall) -> bytes:
    """The privilege limit has effect at the next login. Disabling the channel switches IPMI over LAN off, which Redfish shows
    too; only Redfish can switch it on again. Non-volatile settings, without the mode, have effect after a restart."""
    _with_sessions(call.data[0])
    mode, limit = call.data[1], call.data[2]
    if mode & SELECTION == SELECTION or limit & SELECTION == SELECTION:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if limit & SELECTION and not IpmiPrivilege.CALLBACK <= limit & 0x0F <= 5:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if mode & SELECTION and mode & MODE not in (MODE_OFF, 0x02, 0x03):
        raise CompletionError(NO_SUCH_MODE)
    state = call.state
    state.access_non_volatile = _changed(state.access_non_volatile, call.data, NON_VOLATILE)
    if mode & SELECTION == VOLATILE and mode & MODE == MODE_OFF:
        call.view.set_ipmi_lan(False, call.cause)
    else:
        state.access = _changed(state.access, call.data, VOLATILE)
    return b""


def _changed(access: tuple[int, int], data: bytes, selection: int) -> tuple[int, int]:
    mode, limit = access
    if data[1] & SELECTION == selection:
        mode = data[1] & FLAGS
    if data[2] & SELECTION == selection:
        limit = data[2] & 0x0F
    return mode, limit


def set_security_keys(call: IpmiCall) -> bytes:
    """K_g can be read and set; zeros mean no K_g. Keys cannot be locked, and there is no K_r (22.25)."""
    lan_channel(call.data[0])
    operation, key, value = call.data[1] & 0x03, call.data[2], call.data[3:]
    if key == KEY_R:
        raise CompletionError(NO_KEY_R)
    if key != KEY_G or operation not in (READ_KEY, SET_KEY):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if operation == READ_KEY:
        return KEY_NOT_TO_BE_LOCKED + (call.bmc.key or bytes(KG_BYTES))
    if len(value) != KG_BYTES:
        raise CompletionError(TOO_FEW_BYTES if len(value) < KG_BYTES else TOO_MANY_BYTES)
    call.state.kg = value if any(value) else b""
    return KEY_NOT_TO_BE_LOCKED
