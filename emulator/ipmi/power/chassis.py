"""Chassis commands (IPMI 2.0, chapter 28) without the boot options. Redfish shows and changes the same data.

The command table calls the handlers, in the emulator's one thread.

Power states without a bit in IPMI
  A fencer reads "off" from one bit. The bit is clear only where the BMC says exactly Off; while it says PoweringOn or PoweringOff
  the bit says on. Where the BMC cannot say (null, absent, or a word that is not a power state), Get Chassis Status answers 0xFF,
  as OpenBMC does, because either value of the bit would be wrong.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.machine import IDENTIFY_SECONDS, Led, RestorePolicy
from emulator.core.power.commands import PowerCommand
from emulator.core.vocab import RESET_OF_CONTROL, ChassisControl, CompletionCode, ResetType
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.power import boot_options as bootoptions
from emulator.ipmi.session.rmcp import BMC_ADDRESS

POWER_BIT: Mapping[str | None, int] = {"On": 1, "PoweringOn": 1, "PoweringOff": 1, "Paused": 1, "Off": 0}
CAPABILITIES = bytes((0x00, BMC_ADDRESS, BMC_ADDRESS, BMC_ADDRESS, BMC_ADDRESS))
ON_BY_COMMAND, MAINS_FAILED = 0x10, 0x01
IDENTIFY_SUPPORTED = 0x40
IDENTIFY_TIMED, IDENTIFY_FOREVER = 0x10, 0x20
PANEL_BUTTONS = 0x0F  # power, reset, diagnostic interrupt, standby
POLICIES = tuple(RestorePolicy)
POLICIES_SUPPORTED = 0x07
POLICY_NO_CHANGE = 0x03
CHANNEL_LAN = 0x01
MINUTES_PER_COUNT = 60


def control_of(data: bytes) -> ChassisControl | None:
    """The control that a request names; None for a control that does not exist."""
    return ChassisControl(data[0]) if data and data[0] <= ChassisControl.SOFT else None


def reset_of(data: bytes) -> ResetType | None:
    """The ResetType of a Chassis Control request, for triggers and the journal."""
    control = control_of(data)
    return None if control is None else RESET_OF_CONTROL[control]


def get_capabilities(_call: IpmiCall) -> bytes:
    return CAPABILITIES


def get_status(call: IpmiCall) -> bytes:
    word = call.power()
    if word not in POWER_BIT:
        raise CompletionError(CompletionCode.UNSPECIFIED)
    call.tells("On" if POWER_BIT[word] else "Off")
    chassis = call.view.chassis
    commanded = call.view.last_power_event() == "On" and chassis.powered_by() is RestartCause.CHASSIS_CONTROL
    event = (ON_BY_COMMAND if commanded else 0) | (MAINS_FAILED if chassis.mains_failed() else 0)
    light = 0
    if chassis.led() is not Led.OFF:
        light = IDENTIFY_FOREVER if math.isinf(chassis.led_left()) else IDENTIFY_TIMED
    power = POWER_BIT[word] | chassis.restore_policy().ipmi << 5
    return bytes((power, event, IDENTIFY_SUPPORTED | light, PANEL_BUTTONS << 4 | call.state.panel_disabled))


def control(call: IpmiCall) -> bytes:
    wanted = control_of(call.data)
    if wanted is None:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    reply = call.view.command(call.system, PowerCommand.ipmi(wanted), call.cause)
    if reply.code:
        raise CompletionError(reply.code)
    bootoptions.power_was_commanded(call.state, call.view.now)
    return b""


def identify(call: IpmiCall) -> bytes:
    """Byte 1: seconds (default 15; 0 is off). Byte 2, bit 0: identify until the next command (28.5)."""
    if len(call.data) > 1 and call.data[1] & 0x01:
        call.view.chassis.set_led(Led.BLINKING, cause=call.cause)
    else:
        call.view.chassis.identify(seconds=call.data[0] if call.data else IDENTIFY_SECONDS, cause=call.cause)
    return b""


def set_restore_policy(call: IpmiCall) -> bytes:
    policy = call.data[0] & 0x07
    if policy > POLICY_NO_CHANGE:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if policy != POLICY_NO_CHANGE:
        call.view.chassis.set_restore_policy(POLICIES[policy], cause=call.cause)
    return bytes((POLICIES_SUPPORTED,))


def set_front_panel(call: IpmiCall) -> bytes:
    """Disables front panel buttons, one bit each (28.6). Get Chassis Status shows them; they have no other effect."""
    call.state.panel_disabled = call.data[0] & PANEL_BUTTONS
    return b""


def get_restart_cause(call: IpmiCall) -> bytes:
    return bytes((call.view.chassis.restart_cause(), CHANNEL_LAN))


def get_poh_counter(call: IpmiCall) -> bytes:
    """Power-on hours since the rack was made (28.14)."""
    hours = int(call.view.chassis.on_seconds() // (60 * MINUTES_PER_COUNT))
    return bytes((MINUTES_PER_COUNT,)) + hours.to_bytes(4, "little")
