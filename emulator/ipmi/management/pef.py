"""The configuration of platform event filtering (IPMI 2.0, 30.1 to 30.6, tables 30-2 and 30-6).

The command table calls the handlers, in the emulator's one thread. The whole configuration is stored and read back without
effect: Get PEF Capabilities says that the BMC supports no action. It sends no alerts, and no event makes it act on its host.
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
    constant,
    in_progress,
    read,
    store_value,
    stored_parameter,
    stored_value,
    write,
)
from emulator.ipmi.management.sel import record_id, seconds

VERSION = 0x51
ACTIONS = 0x00
FILTERS, POLICIES, STRINGS, STRING_BLOCKS = 16, 16, 8, 5
FILTER_BYTES, POLICY_BYTES, BLOCK_BYTES = 20, 3, 16
DEFAULT_POLICY = bytes((0x10, 0x10, 0x00))  # number 1, disabled; the LAN channel, destination 0
GUID_NOT_USED = bytes(17)
FILTER, FILTER_HEAD, POLICY, STRING_KEY, STRING = 6, 7, 9, 12, 13
NOTHING_THERE = 0x0000
BY_THE_BMC = 0x01
HOW_LONG = 0xFF
TIMER, LAST_BY_SOFTWARE, LAST_BY_BMC = 0x100, 0x101, 0x102
"""Keys of stored values that are not parameters."""


def _entry(call: IpmiCall, number: int, size: int, at: int) -> bytes:
    return stored_value(call.state, Family.PEF, number, DEFAULT_POLICY if number == POLICY else bytes(size), at)


def _selected(selector: int, count: int, *, first: int = 1) -> int:
    at = selector & 0x7F
    if not first <= at < first + count:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return at


def _rows(number: int, count: int, size: int, *, first: int = 1) -> ConfigParameter:
    """A parameter that is a table; its entries are numbered from `first`."""

    def get(call: IpmiCall) -> bytes:
        at = _selected(call.data[1], count, first=first)
        return bytes((at,)) + _entry(call, number, size, at)

    def put(call: IpmiCall, value: bytes) -> None:
        store_value(call.state, Family.PEF, number, value[1:], _selected(value[0], count, first=first))

    return ConfigParameter(get, put, (1 + size, 1 + size))


def _filter_head(call: IpmiCall) -> bytes:
    at = _selected(call.data[1], FILTERS)
    return bytes((at,)) + _entry(call, FILTER, FILTER_BYTES, at)[:1]


def _put_filter_head(call: IpmiCall, value: bytes) -> None:
    at = _selected(value[0], FILTERS)
    store_value(call.state, Family.PEF, FILTER, value[1:] + _entry(call, FILTER, FILTER_BYTES, at)[1:], at)


def _place(string: int, block: int) -> int:
    if not 1 <= block <= STRING_BLOCKS:
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return _selected(string, 1 + STRINGS, first=0) << 8 | block


def _string(call: IpmiCall) -> bytes:
    string, block = call.data[1] & 0x7F, call.data[2]
    return bytes((string, block)) + _entry(call, STRING, BLOCK_BYTES, _place(string, block))


def _put_string(call: IpmiCall, value: bytes) -> None:
    store_value(call.state, Family.PEF, STRING, value[2:].ljust(BLOCK_BYTES, b"\0"), _place(value[0] & 0x7F, value[1]))


def _below(limit: int) -> Callable[[bytes], bool]:
    return lambda value: value[0] < limit


PARAMETERS: Final[ParameterTable] = {
    0: in_progress(Family.PEF),
    1: stored_parameter(Family.PEF, 1, b"\0", _below(0x10)),  # control: nothing enabled
    2: stored_parameter(Family.PEF, 2, b"\0", _below(0x40)),  # actions
    3: stored_parameter(Family.PEF, 3, b"\0"),  # seconds of delay at a start
    4: stored_parameter(Family.PEF, 4, b"\0"),
    5: constant(bytes((FILTERS,))),
    FILTER: _rows(FILTER, FILTERS, FILTER_BYTES),
    FILTER_HEAD: ConfigParameter(_filter_head, _put_filter_head, (2, 2)),
    8: constant(bytes((POLICIES,))),
    POLICY: _rows(POLICY, POLICIES, POLICY_BYTES),
    10: stored_parameter(Family.PEF, 10, GUID_NOT_USED),
    11: constant(bytes((STRINGS,))),
    STRING_KEY: _rows(STRING_KEY, 1 + STRINGS, 2, first=0),  # 0 is the volatile one
    STRING: ConfigParameter(_string, _put_string, (3, 2 + BLOCK_BYTES)),
}


def get_capabilities(_call: IpmiCall) -> bytes:
    return bytes((VERSION, ACTIONS, FILTERS))


def get_parameter(call: IpmiCall) -> bytes:
    number = call.data[0] & 0x7F
    if call.data[0] & REVISION_ONLY:
        return bytes((REVISION,))
    return bytes((REVISION,)) + read(PARAMETERS, call, number)


def set_parameter(call: IpmiCall) -> bytes:
    write(PARAMETERS, call, call.data[0] & 0x7F, call.data[1:])
    return b""


def arm_postpone_timer(call: IpmiCall) -> bytes:
    """The timer has no effect and does not run: the answer is the value that was set (30.2)."""
    if call.data[0] != HOW_LONG:
        store_value(call.state, Family.PEF, TIMER, call.data)
    return stored_value(call.state, Family.PEF, TIMER, b"\0")


def set_last_processed(call: IpmiCall) -> bytes:
    store_value(call.state, Family.PEF, LAST_BY_BMC if call.data[0] & BY_THE_BMC else LAST_BY_SOFTWARE, call.data[1:])
    return b""


def get_last_processed(call: IpmiCall) -> bytes:
    log = call.view.log
    entries = log.entries()
    newest = record_id(entries[-1]) if entries else NOTHING_THERE
    by = b"".join(stored_value(call.state, Family.PEF, who, bytes(2)) for who in (LAST_BY_SOFTWARE, LAST_BY_BMC))
    return seconds(log.last_added) + newest.to_bytes(2, "little") + by
