"""The sensor data records of a BMC and the commands that read the SDR repository (IPMI 2.0, chapters 33 and 43).

The command table calls the handlers, in the emulator's one thread. All BMCs have the same sensors, so the records are made once.
They show the default settings of sensors; changed settings are read with the sensor commands. The repository is read-only:
commands that change it are not supported.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from emulator.core.bmc.sensor_setup import default_setup, events_of, supported
from emulator.core.bmc.sensors import LOWER, SENSORS, Sensor, SensorNumber, SensorType, Thresholds
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.session.rmcp import BMC_ADDRESS

VERSION = 0x51
FULL, COMPACT, EVENT_ONLY, CONTROLLER = 0x01, 0x02, 0x03, 0x12
THRESHOLD_TYPE, SENSOR_SPECIFIC = 0x01, 0x6F
FIRST, LAST, NONE_LEFT, WHOLE = 0x0000, 0xFFFF, 0xFFFF, 0xFF
CAN_RESERVE, CAN_TELL_ALLOCATION = 0x02, 0x01
RESERVATION_LOST, NO_SUCH_RECORD, TOO_MUCH_AT_ONCE = 0xC5, 0xCB, 0xCA
HEADER_BYTES = 5
MOST_AT_ONCE = 250

ENTITY_SYSTEM, ENTITY_CONTROLLER = 0x17, 0x06
SCANNING_AND_EVENTS_ON = 0x7F
AUTO_REARM, CAN_SET_HYSTERESIS, CAN_SET_THRESHOLDS, NO_EVENTS = 0x40, 0x20, 0x08, 0x03
COUNT_RECORDS = 0x01
LUN_0_HAS_SENSORS = 0x01
INITIALISED = b"\x01"
RUN_AGENT = 0x01
EVENTS_GO_TO_THE_LOG = 0x00
UNSIGNED_NO_RATE = 0x00
NAME_IN_8_BIT_ASCII = 0xC0
CONTROLLER_NAME = "BMC"
DEVICE_SUPPORT = 0x8F
"""Sensors, SDR repository, SEL, FRU and chassis, as in Get Device ID."""

STATES: Mapping[SensorNumber, tuple[str, SensorType, int, int]] = {
    SensorNumber.POWER_UNIT: ("Power Unit", SensorType.POWER_UNIT, ENTITY_SYSTEM, 0x0013),
    SensorNumber.ACPI_POWER_STATE: ("ACPI State", SensorType.ACPI_POWER_STATE, ENTITY_SYSTEM, 0x0061),
}
"""Sensors with states but without a reading: name, type, entity, and possible states (table 42-3)."""

EVENTS: Mapping[SensorNumber, tuple[str, SensorType, int]] = {
    SensorNumber.WATCHDOG: ("Watchdog", SensorType.WATCHDOG, ENTITY_CONTROLLER),
    SensorNumber.OS_STOP: ("OS Stop", SensorType.OS_STOP, ENTITY_SYSTEM),
    SensorNumber.SYSTEM_RESTART: ("System Restart", SensorType.SYSTEM_RESTART, ENTITY_SYSTEM),
    SensorNumber.EVENT_LOG: ("Event Log", SensorType.EVENT_LOG, ENTITY_CONTROLLER),
    SensorNumber.SESSION_AUDIT: ("Session Audit", SensorType.SESSION_AUDIT, ENTITY_CONTROLLER),
    SensorNumber.BMC_HEALTH: ("BMC Health", SensorType.MANAGEMENT_HEALTH, ENTITY_CONTROLLER),
}
"""Sensors with events only: name, type, entity."""


def raw_limits(sensor: Sensor, thresholds: Thresholds) -> tuple[int, ...]:
    """The thresholds as raw bytes, in the order of IPMI's bits; 0 for one that the sensor does not have."""
    return tuple(0 if limit is None else sensor.raw(limit) for limit in thresholds.levels())


def _name(name: str) -> bytes:
    return bytes((NAME_IN_8_BIT_ASCII | len(name),)) + name.encode()


def _key(number: int, entity: int, instance: int) -> bytes:
    return bytes((BMC_ADDRESS, 0x00, number, entity, instance))


def full(sensor: Sensor) -> bytes:
    """A full sensor record (43.1), from byte 6 on."""
    low_caution, low_critical, low_fatal, high_caution, high_critical, high_fatal = raw_limits(sensor, sensor.thresholds)
    levels = supported(sensor.thresholds)
    lower, upper = levels & 0x07, levels >> LOWER
    can = AUTO_REARM | (CAN_SET_HYSTERESIS | CAN_SET_THRESHOLDS if levels else NO_EVENTS)
    events = events_of(levels)
    steps = sensor.hysteresis
    return (
        _key(sensor.number, sensor.entity, sensor.instance)
        + bytes((SCANNING_AND_EVENTS_ON, can, sensor.type, THRESHOLD_TYPE))
        + (lower << 12 | events).to_bytes(2, "little")
        + (upper << 12 | events).to_bytes(2, "little")
        + bytes((levels, levels))
        + bytes((UNSIGNED_NO_RATE, sensor.unit, 0x00))
        + factors(sensor)
        + bytes((0x00, 0x00, 0x00, 0x00))
        + bytes((0xFF, 0x00))
        + bytes((high_fatal, high_critical, high_caution, low_fatal, low_critical, low_caution))
        + bytes((steps, steps))
        + bytes(3)
        + _name(sensor.name)
    )


def factors(sensor: Sensor) -> bytes:
    """Linearisation, M, tolerance, B, accuracy and the exponents: value = M * raw * 10 ** exponent."""
    m = sensor.m
    return bytes((0x00, m & 0xFF, m >> 8 << 6, 0x00, 0x00, 0x00, (sensor.r_exp & 0x0F) << 4))


def compact(number: SensorNumber) -> bytes:
    """A compact sensor record (43.2), from byte 6 on."""
    name, kind, entity, states = STATES[number]
    setup = default_setup(number)
    can = AUTO_REARM | (0 if setup.asserts else NO_EVENTS)
    masks = (mask.to_bytes(2, "little") for mask in (setup.asserts, setup.deasserts, states))
    return (
        _key(number, entity, 1)
        + bytes((SCANNING_AND_EVENTS_ON, can, kind, SENSOR_SPECIFIC))
        + b"".join(masks)
        + bytes((0xC0, 0x00, 0x00))
        + bytes((0x01, 0x00, 0x00, 0x00))
        + bytes(4)
        + _name(name)
    )


def event_only(number: SensorNumber) -> bytes:
    """An event-only record (43.3), from byte 6 on."""
    name, kind, entity = EVENTS[number]
    return _key(number, entity, 1) + bytes((kind, SENSOR_SPECIFIC, 0x01, 0x00, 0x00, 0x00)) + _name(name)


def controller() -> bytes:
    """The management controller device locator record (43.9), from byte 6 on."""
    return bytes((BMC_ADDRESS, 0x00, 0x00, DEVICE_SUPPORT, 0, 0, 0, ENTITY_CONTROLLER, 0x01, 0x00)) + _name(CONTROLLER_NAME)


@cache
def records() -> tuple[bytes, ...]:
    """All records, by record id from 1."""
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


def get_repository_info(_call: IpmiCall) -> bytes:
    never_changed = bytes(8)
    can = CAN_RESERVE | CAN_TELL_ALLOCATION
    return bytes((VERSION,)) + len(records()).to_bytes(2, "little") + bytes(2) + never_changed + bytes((can,))


def get_allocation_info(_call: IpmiCall) -> bytes:
    """33.10. Allocation units of one byte; none is free."""
    size, longest = sum(map(len, records())), max(map(len, records()))
    return size.to_bytes(2, "little") + (1).to_bytes(2, "little") + bytes(4) + bytes((longest,))


def run_agent(call: IpmiCall) -> bytes:
    """33.21, Run Initialization Agent: gives sensors the settings of their records. It always answers "completed"."""
    if call.data[0] & RUN_AGENT:
        call.view.sensors.restore(call.cause)
    return INITIALISED


def get_device_info(call: IpmiCall) -> bytes:
    """35.2. All sensors are at LUN 0, and the population is static."""
    counts_records = bool(call.data) and call.data[0] & COUNT_RECORDS
    count = len(records()) if counts_records else len(SENSORS) + len(STATES) + len(EVENTS)
    return bytes((count, LUN_0_HAS_SENSORS))


def reserve(call: IpmiCall) -> bytes:
    call.state.sdr_reservation = call.state.sdr_reservation % 0xFFFF + 1
    return call.state.sdr_reservation.to_bytes(2, "little")


def get_record(call: IpmiCall) -> bytes:
    reservation, number = (int.from_bytes(call.data[at : at + 2], "little") for at in (0, 2))
    offset, count = call.data[4], call.data[5]
    if offset and reservation != call.state.sdr_reservation:
        raise CompletionError(RESERVATION_LOST)
    known = records()
    if number in (FIRST, LAST):
        number = 1 if number == FIRST else len(known)
    if number > len(known):
        raise CompletionError(NO_SUCH_RECORD)
    whole = known[number - 1]
    if offset > len(whole):
        raise CompletionError(CompletionCode.PARAMETER_OUT_OF_RANGE)
    if count != WHOLE and count > MOST_AT_ONCE:
        raise CompletionError(TOO_MUCH_AT_ONCE)
    part = whole[offset:] if count == WHOLE else whole[offset : offset + count]
    following = number + 1 if number < len(known) else NONE_LEFT
    return following.to_bytes(2, "little") + part
