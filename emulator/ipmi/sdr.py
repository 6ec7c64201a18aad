"""The sensor data records of a BMC (IPMI 2.0, chapters 33 and 43) and the commands that read the repository.

The records come from the machine's sensors alone, so every BMC has the same ones; they are made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from emulator.core.sensors import SENSORS, Sensor, SensorNumber, SensorType, Thresholds
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.rmcp import BMC_ADDRESS

VERSION = 0x51
FULL, COMPACT, EVENT_ONLY, CONTROLLER = 0x01, 0x02, 0x03, 0x12
THRESHOLD_TYPE, SENSOR_SPECIFIC = 0x01, 0x6F
FIRST, LAST, NONE_LEFT, WHOLE = 0x0000, 0xFFFF, 0xFFFF, 0xFF
CAN_RESERVE = 0x02
RESERVATION_LOST, NO_SUCH_RECORD, TOO_MUCH_AT_ONCE = 0xC5, 0xCB, 0xCA
HEADER_BYTES = 5
MOST_AT_ONCE = 250

ENTITY_SYSTEM, ENTITY_CONTROLLER = 0x17, 0x06
SCANNING_AND_EVENTS_ON = 0x7F
AUTO_REARM_READABLE_THRESHOLDS = 0x40 | 0x04  # nothing can be set
EVENTS_GO_TO_THE_LOG = 0x00
UNSIGNED_NO_RATE = 0x00
NAME_IN_8_BIT_ASCII = 0xC0
CONTROLLER_NAME = "BMC"
DEVICE_SUPPORT = 0x8F
"""Sensors, SDR repository, SEL, FRU and chassis: what Get Device ID says too."""

STATES: Mapping[SensorNumber, tuple[str, SensorType, int, int]] = {
    SensorNumber.POWER_UNIT: ("Power Unit", SensorType.POWER_UNIT, ENTITY_SYSTEM, 0x0013),
    SensorNumber.ACPI_POWER_STATE: ("ACPI State", SensorType.ACPI_POWER_STATE, ENTITY_SYSTEM, 0x0061),
}
"""Sensors without a value that have a state: name, type, entity, and which states they can have (table 42-3)."""

EVENTS: Mapping[SensorNumber, tuple[str, SensorType, int]] = {
    SensorNumber.WATCHDOG: ("Watchdog", SensorType.WATCHDOG, ENTITY_CONTROLLER),
    SensorNumber.OS_STOP: ("OS Stop", SensorType.OS_STOP, ENTITY_SYSTEM),
    SensorNumber.SYSTEM_RESTART: ("System Restart", SensorType.SYSTEM_RESTART, ENTITY_SYSTEM),
    SensorNumber.EVENT_LOG: ("Event Log", SensorType.EVENT_LOG, ENTITY_CONTROLLER),
    SensorNumber.SESSION_AUDIT: ("Session Audit", SensorType.SESSION_AUDIT, ENTITY_CONTROLLER),
    SensorNumber.BMC_HEALTH: ("BMC Health", SensorType.MANAGEMENT_HEALTH, ENTITY_CONTROLLER),
}
"""Sensors that only events come from."""


def limits(thresholds: Thresholds) -> tuple[float | None, ...]:
    """In the order of IPMI's bits: lower non-critical, critical, non-recoverable, then upper."""
    t = thresholds
    return t.lower_caution, t.lower_critical, t.lower_fatal, t.upper_caution, t.upper_critical, t.upper_fatal


def readable(sensor: Sensor) -> int:
    """Which thresholds it has, a bit each."""
    return sum(1 << bit for bit, limit in enumerate(limits(sensor.thresholds)) if limit is not None)


def raw_limits(sensor: Sensor) -> tuple[int, ...]:
    return tuple(0 if limit is None else sensor.raw(limit) for limit in limits(sensor.thresholds))


def _name(name: str) -> bytes:
    return bytes((NAME_IN_8_BIT_ASCII | len(name),)) + name.encode()


def _key(number: int, entity: int, instance: int) -> bytes:
    return bytes((BMC_ADDRESS, 0x00, number, entity, instance))


def full(sensor: Sensor) -> bytes:
    """43.1, from byte 6 on."""
    low_caution, low_critical, low_fatal, high_caution, high_critical, high_fatal = raw_limits(sensor)
    mask = readable(sensor).to_bytes(2, "little")
    m = sensor.m
    return (
        _key(sensor.number, sensor.entity, sensor.instance)
        + bytes((SCANNING_AND_EVENTS_ON, AUTO_REARM_READABLE_THRESHOLDS, sensor.type, THRESHOLD_TYPE))
        + bytes(4)  # no threshold sends an event
        + mask[:1]
        + bytes(1)
        + bytes((UNSIGNED_NO_RATE, sensor.unit, 0x00))
        + bytes((0x00, m & 0xFF, m >> 8 << 6, 0x00, 0x00, 0x00, (sensor.r_exp & 0x0F) << 4))
        + bytes((0x00, 0x00, 0x00, 0x00))
        + bytes((0xFF, 0x00))
        + bytes((high_fatal, high_critical, high_caution, low_fatal, low_critical, low_caution))
        + bytes(5)
        + _name(sensor.name)
    )


def compact(number: SensorNumber) -> bytes:
    """43.2, from byte 6 on."""
    name, kind, entity, states = STATES[number]
    mask = states.to_bytes(2, "little")
    return (
        _key(number, entity, 1)
        + bytes((SCANNING_AND_EVENTS_ON, 0x40, kind, SENSOR_SPECIFIC))
        + mask * 3
        + bytes((0xC0, 0x00, 0x00))
        + bytes((0x01, 0x00, 0x00, 0x00))
        + bytes(4)
        + _name(name)
    )


def event_only(number: SensorNumber) -> bytes:
    """43.3, from byte 6 on."""
    name, kind, entity = EVENTS[number]
    return _key(number, entity, 1) + bytes((kind, SENSOR_SPECIFIC, 0x01, 0x00, 0x00, 0x00)) + _name(name)


def controller() -> bytes:
    """43.9, management controller device locator, from byte 6 on."""
    return bytes((BMC_ADDRESS, 0x00, 0x00, DEVICE_SUPPORT, 0, 0, 0, ENTITY_CONTROLLER, 0x01, 0x00)) + _name(CONTROLLER_NAME)


@cache
def records() -> tuple[bytes, ...]:
    """All of them; record n + 1 is the n-th."""
    bodies = [
        (CONTROLLER, controller()),
        *((FULL, full(sensor)) for sensor in SENSORS),
        *((COMPACT, compact(number)) for number in STATES),
        *((EVENT_ONLY, event_only(number)) for number in EVENTS),
    ]
    return tuple(
        number.to_bytes(2, "little") + bytes((VERSION, kind, len(body))) + body
        for number, (kind, body) in enumerate(bodies, start=1)
    )


def get_repository_info(_call: Call) -> bytes:
    never_changed = bytes(8)
    return bytes((VERSION,)) + len(records()).to_bytes(2, "little") + bytes(2) + never_changed + bytes((CAN_RESERVE,))


def reserve(call: Call) -> bytes:
    call.state.sdr_reservation = call.state.sdr_reservation % 0xFFFF + 1
    return call.state.sdr_reservation.to_bytes(2, "little")


def get_record(call: Call) -> bytes:
    reservation, number = (int.from_bytes(call.data[at : at + 2], "little") for at in (0, 2))
    offset, count = call.data[4], call.data[5]
    if offset and reservation != call.state.sdr_reservation:
        raise Refused(RESERVATION_LOST)
    known = records()
    if number in (FIRST, LAST):
        number = 1 if number == FIRST else len(known)
    if number > len(known):
        raise Refused(NO_SUCH_RECORD)
    whole = known[number - 1]
    if offset > len(whole):
        raise Refused(CompletionCode.PARAMETER_OUT_OF_RANGE)
    if count != WHOLE and count > MOST_AT_ONCE:
        raise Refused(TOO_MUCH_AT_ONCE)
    part = whole[offset:] if count == WHOLE else whole[offset : offset + count]
    following = number + 1 if number < len(known) else NONE_LEFT
    return following.to_bytes(2, "little") + part
