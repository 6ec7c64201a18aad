"""Set and Get System Boot Options (IPMI 2.0, 28.12, 28.13). The boot flags are the boot override that Redfish shows too.

The command table calls the handlers, the responder calls `lapse`, in the emulator's one thread.

Expiry after 60 seconds
  Boot flags expire after 60 s without a power command, unless parameter 3 says otherwise; every power command starts the 60 s
  again (table 28-14). An override that was set, or changed, over Redfish does not expire.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from emulator.core.bmc.boot import (
    IPMI_DEVICE,
    NO_OVERRIDE,
    TARGET_OF_IPMI_DEVICE,
    BootEnabled,
    BootMode,
    BootOverride,
    BootTarget,
)
from emulator.core.bmc.view import BmcView
from emulator.core.clock import Instant
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.state import IpmiState

SET_IN_PROGRESS, VALID_BIT_CLEARING, BOOT_FLAGS = 0, 3, 5
MAILBOX, MAILBOX_BLOCKS, BLOCK_BYTES = 7, 5, 16
LENGTHS: Mapping[int, int] = MappingProxyType({0: 1, 1: 1, 2: 1, 3: 1, 4: 2, 5: 5, 6: 9, 7: 17})
"""The length in bytes of each boot option, by parameter number (table 28-14)."""

VERSION = 0x01
PARAMETER_UNSUPPORTED, PARAMETER_BUSY = 0x80, 0x81
PARAMETER_INVALID = 0x80
FLAGS_VALID, FLAGS_PERSISTENT, FLAGS_UEFI = 0x80, 0x40, 0x20
DEVICE_BITS = 0x3C
KEEP_WITHOUT_POWER_COMMAND = 0x08
FLAGS_EXPIRE_S = 60.0
"""Seconds until boot flags expire."""


def set_boot_option(call: IpmiCall) -> bytes:
    """Bit 7 of the first byte marks the parameter as invalid. A request without data changes only that bit."""
    number, value, state = call.data[0] & 0x7F, call.data[1:], call.state
    if number not in LENGTHS:
        raise CompletionError(PARAMETER_UNSUPPORTED)
    if value and number == MAILBOX:
        _put_block(state, value)
    elif value:
        if len(value) != LENGTHS[number]:
            raise CompletionError(CompletionCode.INVALID_LENGTH)
        if number == SET_IN_PROGRESS and value[0] & _stored(state, number)[0] & 0x03 == 1:
            raise CompletionError(PARAMETER_BUSY)  # another client has set "set in progress"
        if number == BOOT_FLAGS:
            _set_flags(call, value)
        else:
            state.boot_options = {**state.boot_options, number: value}
    locked = bool(call.data[0] & PARAMETER_INVALID)
    state.boot_locked = state.boot_locked | {number} if locked else state.boot_locked - {number}
    return b""


def get_boot_option(call: IpmiCall) -> bytes:
    number = call.data[0] & 0x7F
    if number not in LENGTHS:
        raise CompletionError(PARAMETER_UNSUPPORTED)
    lapse(call.view, call.state, call.view.now)
    if number == MAILBOX:
        value = _block(call.state, call.data[1])
    else:
        value = _flags(call) if number == BOOT_FLAGS else _stored(call.state, number)
    return bytes((VERSION, number | (PARAMETER_INVALID if number in call.state.boot_locked else 0))) + value


def _stored(state: IpmiState, number: int) -> bytes:
    return state.boot_options.get(number) or bytes(LENGTHS[number])


def _put_block(state: IpmiState, value: bytes) -> None:
    """Stores one block of the boot initiator mailbox. Bytes that are missing at its end become 0."""
    if len(value) > 1 + BLOCK_BYTES:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    if value[0] >= MAILBOX_BLOCKS:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    state.boot_options = {**state.boot_options, _key(value[0]): value[1:].ljust(BLOCK_BYTES, b"\0")}


def _block(state: IpmiState, selector: int) -> bytes:
    if selector >= MAILBOX_BLOCKS:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return bytes((selector,)) + state.boot_options.get(_key(selector), bytes(BLOCK_BYTES))


def _key(selector: int) -> int:
    """The key of a mailbox block among the boot options: above all parameter numbers."""
    return MAILBOX | selector + 1 << 8


def _set_flags(call: IpmiCall, value: bytes) -> None:
    override = _override(value)
    call.view.boot.set(override, cause=call.cause)
    call.state.boot_rest = bytes((value[1] & ~DEVICE_BITS,)) + value[2:]
    call.state.boot_set = override
    kept = override is NO_OVERRIDE or _stored(call.state, VALID_BIT_CLEARING)[0] & KEEP_WITHOUT_POWER_COMMAND
    call.state.boot_until = math.inf if kept else call.view.now + FLAGS_EXPIRE_S


def _override(value: bytes) -> BootOverride:
    """The override that boot flags ask for. Raises CompletionError for a device that the system does not have."""
    device = value[1] >> 2 & 0x0F
    if not value[0] & FLAGS_VALID or device == IPMI_DEVICE[BootTarget.NONE]:
        return NO_OVERRIDE
    if device not in TARGET_OF_IPMI_DEVICE:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    return BootOverride(
        target=TARGET_OF_IPMI_DEVICE[device],
        enabled=BootEnabled.CONTINUOUS if value[0] & FLAGS_PERSISTENT else BootEnabled.ONCE,
        mode=BootMode.UEFI if value[0] & FLAGS_UEFI else BootMode.LEGACY,
    )


def _flags(call: IpmiCall) -> bytes:
    """The boot flags of the override in force; all 0 (not valid) without one. A target without an IPMI number is device 0."""
    override = call.view.boot.override()
    if override.enabled is BootEnabled.DISABLED:
        return bytes(LENGTHS[BOOT_FLAGS])
    persistent = FLAGS_PERSISTENT if override.enabled is BootEnabled.CONTINUOUS else 0
    uefi = FLAGS_UEFI if override.mode is BootMode.UEFI else 0
    ours = override == call.state.boot_set
    beside, *rest = call.state.boot_rest if ours else bytes(4)
    device = IPMI_DEVICE.get(override.target, 0)
    return bytes((FLAGS_VALID | persistent | uefi, device << 2 | beside, *rest))


def power_was_commanded(state: IpmiState, now: Instant) -> None:
    """Starts the 60 s again."""
    if not math.isinf(state.boot_until):
        state.boot_until = now + FLAGS_EXPIRE_S


def lapse(view: BmcView, state: IpmiState, now: Instant) -> None:
    """Removes boot flags that have expired."""
    if now < state.boot_until:
        return
    state.boot_until = math.inf
    if view.boot.override() == state.boot_set:
        view.boot.set(NO_OVERRIDE)
