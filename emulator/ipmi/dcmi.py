"""DCMI 1.5: capabilities, power reading, asset tag, and who the controller is. It is a body in IPMI's group extension."""

from __future__ import annotations

from emulator.core.eventlog import Overflow
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.sel import seconds

GROUP = 0xDC
VERSION = bytes((0x01, 0x05, 0x02))
OTHER_GROUP = CompletionCode.INVALID_COMMAND  # PICMG's and VITA's bodies are not spoken here

POWER_MANAGEMENT = bytes((0x00, 0x01, 0x00))
"""Power management is the one optional feature, the primary LAN channel the one way in (DCMI 1.5, table 6-3, parameter 1)."""
ROLLS_OVER = 0x8000
POWER_DEVICE = bytes((0x20, 0x00))
MANAGEABILITY = bytes((0x01, 0xFF, 0xFF))

SYSTEM_POWER = 0x01
MEASURING = 0x40
NO_LIMIT_IS_SET = 0x80
TAG_CHUNK, NAME_CHUNK = 16, 16
NAME_MAX = 63


def body(call: Call) -> bytes:
    """The request after the group. Raises Refused for another group than DCMI."""
    if call.data[0] != GROUP:
        raise Refused(OTHER_GROUP)
    return call.data[1:]


def get_capabilities(call: Call) -> bytes:
    request = body(call)
    known = {1: POWER_MANAGEMENT, 2: _platform(call), 3: POWER_DEVICE, 4: MANAGEABILITY}
    if len(request) != 1 or request[0] not in known:
        raise Refused(CompletionCode.INVALID_FIELD)
    return bytes((GROUP,)) + VERSION + known[request[0]]


def _platform(call: Call) -> bytes:
    """Parameter 2: how the SEL is; no identification and no temperature attributes beyond the mandatory ones."""
    log = call.view.log
    rolls = ROLLS_OVER if log.overflow is Overflow.DROP_OLDEST else 0
    return (rolls | min(log.limit, 0x0FFF)).to_bytes(2, "little") + bytes(3)


def get_power_reading(call: Call) -> bytes:
    """Least, greatest and average since counting began (6.6.1). A host out of sight reads 0 and "not measuring"."""
    request = body(call)
    if len(request) != 3 or request[0] != SYSTEM_POWER:
        raise Refused(CompletionCode.INVALID_FIELD)
    power = call.view.sensors.power()
    watts = (power.current or 0.0, power.low, power.high, power.average)
    return (
        bytes((GROUP,))
        + b"".join(min(round(w), 0xFFFF).to_bytes(2, "little") for w in watts)
        + seconds(call.view.log.wall())
        + min(round(power.period_s * 1000), 0xFFFFFFFF).to_bytes(4, "little")
        + bytes((MEASURING if power.current is not None else 0,))
    )


def get_power_limit(call: Call) -> bytes:
    body(call)
    raise Refused(NO_LIMIT_IS_SET)


def get_asset_tag(call: Call) -> bytes:
    return _chunk(call, call.view.chassis.asset_tag().encode(), TAG_CHUNK)


def set_asset_tag(call: Call) -> bytes:
    tag = _changed(call, call.view.chassis.asset_tag().encode())
    call.view.chassis.set_asset_tag(tag, cause=call.cause)
    return bytes((GROUP, len(tag.encode())))


def get_controller_name(call: Call) -> bytes:
    """The management controller identifier string (6.4.6.1) is the host's name, as clients of DCMI use it."""
    return _chunk(call, call.view.chassis.host_name().encode()[:NAME_MAX] + b"\0", NAME_CHUNK)


def _chunk(call: Call, whole: bytes, most: int) -> bytes:
    request = body(call)
    if len(request) != 2 or request[1] > most:
        raise Refused(CompletionCode.INVALID_FIELD)
    offset, count = request
    if offset > len(whole):
        raise Refused(CompletionCode.PARAMETER_OUT_OF_RANGE)
    return bytes((GROUP, len(whole))) + whole[offset : offset + count]


def _changed(call: Call, old: bytes) -> str:
    request = body(call)
    if len(request) < 2 or len(request) != 2 + request[1] or request[1] > TAG_CHUNK:
        raise Refused(CompletionCode.INVALID_FIELD)
    offset, new = request[0], request[2:]
    if offset > len(old):
        raise Refused(CompletionCode.PARAMETER_OUT_OF_RANGE)
    try:
        return (old[:offset] + new).rstrip(b"\0").decode()
    except UnicodeDecodeError:
        raise Refused(CompletionCode.INVALID_FIELD) from None
