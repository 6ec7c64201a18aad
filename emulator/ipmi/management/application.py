"""Commands about the device and the session: device id, resets, GUID, session privilege (IPMI 2.0, chapters 20 and 22).

The command table calls the handlers, in the emulator's one thread.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from emulator.core.journal import EventKind
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.sdr import DEVICE_SUPPORT
from emulator.ipmi.session.rmcp import NO_SESSION
from emulator.ipmi.session.sessions import IpmiPrivilege

IPMI_2_0 = 0x02
EVENT_LOGGING = 0x08
SELF_TEST_PASSED = bytes((0x55, 0x00))

REQUESTED_LEVEL_NOT_AVAILABLE = 0x81
INVALID_SESSION_ID, INVALID_SESSION_HANDLE = 0x87, 0x88

KCS, KCS_INPUT_BYTES = 0x01, 40

ACPI_STATE: Mapping[str | None, int] = {"On": 0x00, "Off": 0x05}
"""Get ACPI Power State (20.6): S0/G0 and S5/G2."""
ACPI_UNKNOWN = 0x2A


def firmware_bytes(version: str) -> tuple[int, int, bytes]:
    """(major, minor as BCD, four auxiliary bytes) of the first dotted number in a version text; zeros where there is none."""
    found = re.search(r"\d+(\.\d+)+", version)
    numbers = [int(word) for word in found[0].split(".")] if found else [0, 0]
    tens, ones = divmod(min(numbers[1], 99), 10)
    auxiliary = [min(n, 0xFF) for n in numbers[2:6]]
    return min(numbers[0], 0x7F), tens << 4 | ones, bytes(auxiliary).ljust(4, b"\0")


def get_device_id(call: IpmiCall) -> bytes:
    """15 bytes, with the four auxiliary bytes, because some clients refuse fewer (20.1)."""
    device, version = call.view.profile.ipmi.device, call.view.profile.identity.bmc_firmware
    major, minor, auxiliary = firmware_bytes(version)
    return (
        bytes((device.device_id, device.revision & 0x0F, major, minor, IPMI_2_0, DEVICE_SUPPORT))
        + device.manufacturer.to_bytes(3, "little")
        + device.product.to_bytes(2, "little")
        + auxiliary
    )


def cold_reset(call: IpmiCall) -> bytes:
    """Answers, and then the BMC is away for as long as the profile says (20.2)."""
    call.view.reset_bmc("cold", call.cause)
    return b""


def warm_reset(call: IpmiCall) -> bytes:
    call.view.reset_bmc("warm", call.cause)
    return b""


def get_self_test_results(_call: IpmiCall) -> bytes:
    return SELF_TEST_PASSED


def get_guid(call: IpmiCall) -> bytes:
    return call.bmc.guid


def get_acpi_power_state(call: IpmiCall) -> bytes:
    word = call.power()
    call.tells(word if word in ACPI_STATE else None)
    return bytes((ACPI_STATE.get(word, ACPI_UNKNOWN), 0x00 if word == "On" else ACPI_UNKNOWN))


def get_global_enables(call: IpmiCall) -> bytes:
    return bytes((call.state.enables & ~EVENT_LOGGING | (EVENT_LOGGING if call.view.log.enabled else 0),))


def set_global_enables(call: IpmiCall) -> bytes:
    """Event logging switches the event log on or off; the other bits are only stored."""
    call.state.enables = call.data[0]
    logs = bool(call.data[0] & EVENT_LOGGING)
    if logs is not call.view.log.enabled:
        call.view.log.enable(logs, call.cause)
    return b""


def get_interface_capabilities(call: IpmiCall) -> bytes:
    """The host's system interface: KCS, version 1, with messages of standard length (22.9)."""
    if call.data[0] & 0x0F != KCS:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return bytes((0, 0, KCS_INPUT_BYTES))


def set_session_privilege(call: IpmiCall) -> bytes:
    """Level 0 changes nothing and reads the present privilege (22.18)."""
    session, level = call.session, call.data[0] & 0x0F
    if level > IpmiPrivilege.ADMINISTRATOR or level == IpmiPrivilege.CALLBACK:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if level > session.limit:
        raise CompletionError(REQUESTED_LEVEL_NOT_AVAILABLE)
    if level:
        session.privilege = IpmiPrivilege(level)
    return bytes((session.privilege,))


def close_session(call: IpmiCall) -> bytes:
    """Every client may close its own session, only an administrator another one (22.19). With session id 0 a handle names it."""
    session_id, handle = call.data[:4], call.data[4:]
    if session_id == NO_SESSION and handle:
        target, unknown = call.sessions.by_handle(handle[0]), INVALID_SESSION_HANDLE
    else:
        target, unknown = call.sessions.live.get(session_id), INVALID_SESSION_ID
    if target is None:
        raise CompletionError(unknown)
    if target is not call.session and call.session.privilege < IpmiPrivilege.ADMINISTRATOR:
        raise CompletionError(CompletionCode.INSUFFICIENT_PRIVILEGE)
    call.sessions.close(target.id)
    if call.bmc.sol.session is target:
        call.bmc.sol.deactivate(call.cause, tell=target is not call.session)
    call.view.record(
        EventKind.SESSION, call.cause, what="closed", via="ipmi", user=target.account.name, live=len(call.sessions.live)
    )
    return b""
