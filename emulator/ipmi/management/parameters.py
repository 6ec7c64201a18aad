"""Configuration parameters in general, for LAN, serial over LAN, PEF, system information and DCMI.

The command handlers of those families call it, in the emulator's one thread.

Rules
  1. Parameter 0 is "set in progress". Setting it while it is set is refused, whichever client set it. It ends with "set complete"
     or with a restart of the BMC.
  2. Values that a client sets are stored in `IpmiState.stored` and read back. Defaults use no memory: they are in the table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.state import IpmiState

REVISION, REVISION_ONLY = 0x11, 0x80
NO_SUCH_PARAMETER, BUSY, READ_ONLY, WRITE_ONLY = 0x80, 0x81, 0x82, 0x83
SET_COMPLETE, SETTING = 0, 1


class Family(IntEnum):
    """The families of parameters, each with numbers of its own."""

    LAN = 0
    SOL = 1
    PEF = 2
    SYSTEM_INFO = 3
    DCMI = 4


@dataclass(frozen=True, slots=True)
class ConfigParameter:
    """One parameter. `get` returns the data after the revision byte. `put` stores the data after the parameter number, which has
    `size` bytes (smallest and largest number); None: read-only."""

    get: Callable[[IpmiCall], bytes]
    put: Callable[[IpmiCall, bytes], None] | None = None
    size: tuple[int, int] = (1, 1)


ParameterTable = Mapping[int, ConfigParameter]


def read(table: ParameterTable, call: IpmiCall, number: int) -> bytes:
    """The value of a parameter. Raises CompletionError."""
    parameter = table.get(number)
    if parameter is None:
        raise CompletionError(NO_SUCH_PARAMETER)
    return parameter.get(call)


def write(table: ParameterTable, call: IpmiCall, number: int, value: bytes) -> None:
    """Sets a parameter. Raises CompletionError for one that does not exist or is read-only, and for a wrong length or value."""
    parameter = table.get(number)
    if parameter is None:
        raise CompletionError(NO_SUCH_PARAMETER)
    if parameter.put is None:
        raise CompletionError(READ_ONLY)
    if not parameter.size[0] <= len(value) <= parameter.size[1]:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    parameter.put(call, value)


# -- what is kept ------------------------------------------------------------------------------------------------------


def stored_value(state: IpmiState, family: Family, number: int, otherwise: bytes, selector: int = 0) -> bytes:
    """The stored value of a parameter, or `otherwise`."""
    return state.stored.get((family, number, selector), otherwise)


def store_value(state: IpmiState, family: Family, number: int, value: bytes, selector: int = 0) -> None:
    """Stores the value of a parameter."""
    state.stored = {**state.stored, (family, number, selector): value}


def in_progress(family: Family) -> ConfigParameter:
    """Parameter 0, set in progress. "Commit write" is refused: this BMC has no rollback."""

    def get(call: IpmiCall) -> bytes:
        return bytes((SETTING if family in call.state.set_in_progress else SET_COMPLETE,))

    def put(call: IpmiCall, value: bytes) -> None:
        state, wanted = call.state, value[0] & 0x03
        if wanted not in (SET_COMPLETE, SETTING):
            raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
        if wanted == SETTING and family in state.set_in_progress:
            raise CompletionError(BUSY)
        state.set_in_progress = state.set_in_progress | {family} if wanted == SETTING else state.set_in_progress - {family}

    return ConfigParameter(get, put)


def accept_any(_value: bytes) -> bool:
    return True


def stored_parameter(family: Family, number: int, default: bytes, fits: Callable[[bytes], bool] = accept_any) -> ConfigParameter:
    """A parameter that is only stored. It has as many bytes as its default; `fits` says whether a value is valid."""

    def put(call: IpmiCall, value: bytes) -> None:
        if not fits(value):
            raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
        store_value(call.state, family, number, value)

    return ConfigParameter(lambda call: stored_value(call.state, family, number, default), put, (len(default), len(default)))


def read_only(get: Callable[[IpmiCall], bytes]) -> ConfigParameter:
    """A read-only parameter."""
    return ConfigParameter(get)


def constant(value: bytes) -> ConfigParameter:
    """A read-only parameter with a fixed value."""
    return ConfigParameter(lambda _call: value)
