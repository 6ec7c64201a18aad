"""DCMI power commands (DCMI 1.5, 6.6): power readings in W, and the power limit.

The command table calls the handlers, in the emulator's one thread. A limit is stored, and shown with "no active limit" until a
client activates it. It has no effect on the emulated host, and no exception action is ever carried out.
"""

from __future__ import annotations

from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.dcmi import GROUP, body
from emulator.ipmi.management.parameters import Family, store_value, stored_value
from emulator.ipmi.management.sel import seconds

SYSTEM_POWER = 0x01
MEASURING = 0x40
NO_ACTIVE_LIMIT = 0x80
LIMIT, ACTIVE = 0x100, 0x101
"""Keys of the stored limit and activation, above the numbers of DCMI's own parameters."""
LAST_ACTION = 0x11  # actions: none, power off, OEM, log entry only
OUT_OF_RANGE, BAD_CORRECTION_TIME = 0x84, 0x85


def get_power_reading(call: IpmiCall) -> bytes:
    """Present, minimum, maximum and average power (6.6.1). A host whose rail is unknown reads 0 and "not measuring"."""
    request = body(call)
    if len(request) != 3 or request[0] != SYSTEM_POWER:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    power = call.view.sensors.power()
    watts = (power.current or 0.0, power.low, power.high, power.average)
    return (
        bytes((GROUP,))
        + b"".join(min(round(w), 0xFFFF).to_bytes(2, "little") for w in watts)
        + seconds(call.view.log.wall())
        + min(round(power.period_s * 1000), 0xFFFFFFFF).to_bytes(4, "little")
        + bytes((MEASURING if power.current is not None else 0,))
    )


def get_power_limit(call: IpmiCall) -> bytes:
    """Completion code 80h (no active limit) is answered with the limit too (6.6.2)."""
    body(call)
    data = bytes((GROUP, 0, 0)) + (stored_value(call.state, Family.DCMI, LIMIT, b"") or _at_first(call))
    if not any(stored_value(call.state, Family.DCMI, ACTIVE, b"\0")):
        raise CompletionError(NO_ACTIVE_LIMIT, data)
    return data


def _at_first(call: IpmiCall) -> bytes:
    """The default limit: the power of one supply, no action, 1000 ms correction time, 1 s sampling period."""
    watts = call.view.profile.inventory.psu_watts
    return bytes((0,)) + watts.to_bytes(2, "little") + (1000).to_bytes(4, "little") + bytes(2) + (1).to_bytes(2, "little")


def set_power_limit(call: IpmiCall) -> bytes:
    """Three reserved bytes, exception action, watts, correction time in ms, two reserved bytes, sampling period in s (6.6.3)."""
    request = body(call)
    if len(request) != 14:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    action, watts, correction = request[3], int.from_bytes(request[4:6], "little"), int.from_bytes(request[6:10], "little")
    if action > LAST_ACTION:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if not watts:
        raise CompletionError(OUT_OF_RANGE)
    if not correction:
        raise CompletionError(BAD_CORRECTION_TIME)
    store_value(call.state, Family.DCMI, LIMIT, request[3:])
    return bytes((GROUP,))


def activate_power_limit(call: IpmiCall) -> bytes:
    request = body(call)
    if len(request) != 3 or request[0] > 1:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    store_value(call.state, Family.DCMI, ACTIVE, request[:1])
    return bytes((GROUP,))
