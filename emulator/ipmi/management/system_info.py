"""System Info parameters: names and versions that the host's software gives its BMC (IPMI 2.0, 22.14a, 22.14b, table 22-16c).

The command table calls the handlers, in the emulator's one thread. A string has blocks of sixteen bytes; the first block starts
with encoding and length. The system name is the host name, which Redfish shows too; the rest only IPMI shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.parameters import (
    REVISION,
    REVISION_ONLY,
    ConfigParameter,
    Family,
    ParameterTable,
    in_progress,
    read,
    store_value,
    stored_value,
    write,
)
from profiles.model import ABSENT

BLOCK = 16
BLOCKS = 17
"""Enough for 255 characters, the largest possible length."""
UTF_8, LATIN_1 = 0x01, 0x00
SYSTEM_NAME = 2


def _firmware(call: IpmiCall) -> str:
    version = call.view.profile.identity.bios_version
    return "" if version == ABSENT else version


def _nothing(_call: IpmiCall) -> str:
    return ""


def _url(call: IpmiCall) -> str:
    return f"https://{call.view.network.interface().address}/"


DEFAULTS: Final[dict[int, Callable[[IpmiCall], str]]] = {
    1: _firmware,
    2: lambda call: call.view.chassis.host_name(),
    3: _nothing,  # primary operating system
    4: _nothing,  # operating system
    5: _nothing,  # its present version
    6: _url,
    7: _nothing,  # where to manage the base system or hypervisor
}


def _blocks(call: IpmiCall, number: int) -> bytes:
    """The whole parameter. If a client has set any block, the BMC's own value is not shown."""
    stored = [stored_value(call.state, Family.SYSTEM_INFO, number, b"", at) for at in range(BLOCKS)]
    if any(stored):
        return b"".join(block.ljust(BLOCK, b"\0") for block in stored)
    text = DEFAULTS[number](call).encode()[: BLOCK * BLOCKS - 2]
    return (bytes((UTF_8, len(text))) + text).ljust(BLOCK * BLOCKS, b"\0")


def _string(number: int) -> ConfigParameter:
    def get(call: IpmiCall) -> bytes:
        at = call.data[2]
        if at >= BLOCKS:
            raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
        return bytes((at,)) + _blocks(call, number)[at * BLOCK : (at + 1) * BLOCK]

    def put(call: IpmiCall, value: bytes) -> None:
        at, block = value[0], value[1:]
        if at >= BLOCKS:
            raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
        if at == 0:
            _forget(call, number)  # a new string begins
        store_value(call.state, Family.SYSTEM_INFO, number, block, at)
        if number == SYSTEM_NAME:
            _name_the_host(call)

    return ConfigParameter(get, put, (2, 1 + BLOCK))


def _forget(call: IpmiCall, number: int) -> None:
    state = call.state
    state.stored = {key: value for key, value in state.stored.items() if key[:2] != (Family.SYSTEM_INFO, number)}


def _name_the_host(call: IpmiCall) -> None:
    """When all blocks of the string are set, makes it the host name and removes the stored blocks."""
    whole = _blocks(call, SYSTEM_NAME)
    length, blocks = whole[1], range(-(-(whole[1] + 2) // BLOCK))
    if not all(stored_value(call.state, Family.SYSTEM_INFO, SYSTEM_NAME, b"", at) for at in blocks):
        return
    text = whole[2 : 2 + length].rstrip(b"\0").decode("latin-1" if whole[0] & 0x0F == LATIN_1 else "utf-8", "replace")
    _forget(call, SYSTEM_NAME)
    call.view.chassis.set_host_name(text, cause=call.cause)


PARAMETERS: Final[ParameterTable] = {0: in_progress(Family.SYSTEM_INFO)} | {number: _string(number) for number in DEFAULTS}


def get_parameter(call: IpmiCall) -> bytes:
    if call.data[0] & REVISION_ONLY:
        return bytes((REVISION,))
    return bytes((REVISION,)) + read(PARAMETERS, call, call.data[1])


def set_parameter(call: IpmiCall) -> bytes:
    write(PARAMETERS, call, call.data[0], call.data[1:])
    return b""
