"""Chassis commands (IPMI 2.0, chapter 28), boot options excepted. What they change is the machine's and Redfish shows it too.

A power state that IPMI has no bit for
  A fencer reads "off" from one bit. It is clear only where the BMC's word is exactly Off: a BMC that is still powering on or off
  says on. Where the BMC cannot tell (null, absent, a word that is no power state) it answers 0xFF, as OpenBMC's does; a bit would
  be a lie.
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
    """The control that a request names; None for a directive that does not exist."""
    return ChassisControl(data[0]) if data and data[0] <= ChassisControl.SOFT else None


def reset_of(data: bytes) -> ResetType | None:
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
    """Seconds (15 if not given, 0 is off), and a bit for "until told otherwise" (28.5)."""
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
    """Which buttons are dead, a bit each (28.6); Get Chassis Status tells. What a BMC does by itself is not affected."""
    call.state.panel_disabled = call.data[0] & PANEL_BUTTONS
    return b""


def get_restart_cause(call: IpmiCall) -> bytes:
    return bytes((call.view.chassis.restart_cause(), CHANNEL_LAN))


def get_poh_counter(call: IpmiCall) -> bytes:
    """Hours that the host has been powered since the rack was made: the hosts of an emulator have no past (28.14)."""
    hours = int(call.view.chassis.on_seconds() // (60 * MINUTES_PER_COUNT))
    return bytes((MINUTES_PER_COUNT,)) + hours.to_bytes(4, "little")
