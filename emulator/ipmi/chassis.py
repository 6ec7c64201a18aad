"""Chassis commands (IPMI 2.0, chapter 28). Power goes through the view; everything else is the BMC's own small memory.

A power state that IPMI has no bit for
  A fencer reads "off" from one bit. It is clear only where the BMC's word is exactly Off: a BMC that is still powering on or off
  says on. Where the BMC cannot tell (null, absent, a word that is no power state) it answers 0xFF, as OpenBMC's does; a bit would
  be a lie.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from emulator.core.vocab import RESET_OF_CONTROL, ChassisControl, CompletionCode, ResetType
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.rmcp import BMC_ADDRESS
from emulator.ipmi.state import BOOT_FLAGS, BOOT_PARAMETERS, SET_IN_PROGRESS, VALID_FLAGS
from profiles.model import View

POWER_BIT: Mapping[str | None, int] = {"On": 1, "PoweringOn": 1, "PoweringOff": 1, "Paused": 1, "Off": 0}
CAPABILITIES = bytes((0x00, BMC_ADDRESS, BMC_ADDRESS, BMC_ADDRESS, BMC_ADDRESS))
ON_BY_IPMI = 0x10
IDENTIFY_SUPPORTED = 0x40
IDENTIFY_TIMED, IDENTIFY_FOREVER = 0x10, 0x20
FRONT_PANEL_NOTHING_DISABLED = 0x00
POLICIES_SUPPORTED = 0x07
POLICY_NO_CHANGE = 0x03
IDENTIFY_SECONDS = 15
CONTROLS_THAT_SWITCH_ON = frozenset({ChassisControl.UP, ChassisControl.CYCLE, ChassisControl.RESET})

CAUSE_UNKNOWN, CAUSE_CHASSIS_CONTROL = 0x00, 0x01
CHANNEL_LAN = 0x01

PARAMETER_UNSUPPORTED, PARAMETER_BUSY = 0x80, 0x81
BOOT_OPTIONS_VERSION = 0x01
PARAMETER_INVALID = 0x80


def control_of(data: bytes) -> ChassisControl | None:
    """The control that a request names; None for a directive that does not exist."""
    return ChassisControl(data[0]) if data and data[0] <= ChassisControl.SOFT else None


def reset_of(data: bytes) -> ResetType | None:
    control = control_of(data)
    return None if control is None else RESET_OF_CONTROL[control]


def get_capabilities(_call: Call) -> bytes:
    return CAPABILITIES


def get_status(call: Call) -> bytes:
    word = call.view.power(call.view.first_system().id, View.IPMI, call.request, call.cause)
    if word not in POWER_BIT:
        raise Refused(CompletionCode.UNSPECIFIED)
    state = call.state
    event = ON_BY_IPMI if state.on_by_ipmi and call.view.last_power_event() == "On" else 0
    light = (
        0 if call.view.now >= state.identify_until else IDENTIFY_FOREVER if math.isinf(state.identify_until) else IDENTIFY_TIMED
    )
    return bytes((POWER_BIT[word] | state.restore_policy << 5, event, IDENTIFY_SUPPORTED | light, FRONT_PANEL_NOTHING_DISABLED))


def control(call: Call) -> bytes:
    wanted = control_of(call.data)
    if wanted is None:
        raise Refused(CompletionCode.INVALID_FIELD)
    if code := call.view.chassis_control(wanted, call.cause):
        raise Refused(code)
    call.state.last_control = wanted
    call.state.on_by_ipmi = wanted in CONTROLS_THAT_SWITCH_ON
    return b""


def identify(call: Call) -> bytes:
    """Seconds (15 if not given, 0 is off), and a bit for "until told otherwise" (28.5)."""
    seconds = call.data[0] if call.data else IDENTIFY_SECONDS
    forever = len(call.data) > 1 and call.data[1] & 0x01
    call.state.identify_until = math.inf if forever else call.view.now + seconds
    return b""


def set_restore_policy(call: Call) -> bytes:
    policy = call.data[0] & 0x07
    if policy > POLICY_NO_CHANGE:
        raise Refused(CompletionCode.INVALID_FIELD)
    if policy != POLICY_NO_CHANGE:
        call.state.restore_policy = policy
    return bytes((POLICIES_SUPPORTED,))


def get_restart_cause(call: Call) -> bytes:
    by_ipmi = call.state.last_control in CONTROLS_THAT_SWITCH_ON
    return bytes((CAUSE_CHASSIS_CONTROL if by_ipmi else CAUSE_UNKNOWN, CHANNEL_LAN))


def set_boot_option(call: Call) -> bytes:
    """Bit 7 of the first byte locks the parameter as invalid; without data only that bit changes (28.12)."""
    number, value, boot = call.data[0] & 0x7F, call.data[1:], call.state.boot
    if number not in BOOT_PARAMETERS:
        raise Refused(PARAMETER_UNSUPPORTED)
    if value:
        if len(value) != BOOT_PARAMETERS[number]:
            raise Refused(CompletionCode.INVALID_LENGTH)
        if number == SET_IN_PROGRESS and value[0] & boot.value(number)[0] & 0x03 == 1:
            raise Refused(PARAMETER_BUSY)  # somebody else is in the middle of a change
        boot.set(number, value)
    boot.lock(number, bool(call.data[0] & PARAMETER_INVALID))
    return b""


def get_boot_option(call: Call) -> bytes:
    number, boot = call.data[0] & 0x7F, call.state.boot
    if number not in BOOT_PARAMETERS:
        raise Refused(PARAMETER_UNSUPPORTED)
    value = boot.value(number)
    if number == BOOT_FLAGS and not value[0] & VALID_FLAGS:
        value = bytes(len(value))  # flags that are not valid say nothing
    return bytes((BOOT_OPTIONS_VERSION, number | (PARAMETER_INVALID if number in boot.locked else 0))) + value


def get_poh_counter(call: Call) -> bytes:
    """Hours since the rack was switched on: the hosts of an emulator have no past (28.14)."""
    return bytes((60,)) + int(call.view.now // 3600).to_bytes(4, "little")
