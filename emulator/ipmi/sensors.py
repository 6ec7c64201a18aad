"""Sensor readings, states and thresholds (IPMI 2.0, chapter 35)."""

from __future__ import annotations

from emulator.core.sensors import SENSORS, Sensor, SensorNumber, SensorType
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import Call, Refused
from emulator.ipmi.sdr import EVENTS, SENSOR_SPECIFIC, STATES, THRESHOLD_TYPE, limits, raw_limits, readable
from profiles.model import View

EVENTS_ON, SCANNING_ON, UNAVAILABLE = 0x80, 0x40, 0x20
RESERVED_BITS = 0xC0
STATE_RESERVED = 0x80
NO_SUCH_SENSOR = 0xCB
BY_NUMBER = {int(sensor.number): sensor for sensor in SENSORS}
LOWER = 3  # the first three limits are lower ones

UNIT_IS_OFF = 0x01
ACPI_ON, ACPI_SOFT_OFF = 0x01, 0x20
ACPI_UNKNOWN = 0x4000


def _with_value(call: Call) -> Sensor:
    """Raises Refused: a sensor that is not there, or one that has states only."""
    sensor = BY_NUMBER.get(call.data[0])
    if sensor is None:
        known = call.data[0] in STATES or call.data[0] in EVENTS
        raise Refused(CompletionCode.INVALID_COMMAND if known else NO_SUCH_SENSOR)
    return sensor


def beyond(sensor: Sensor, value: float) -> int:
    """Which limits a value is at or beyond, a bit each (35.14)."""
    return sum(
        1 << bit
        for bit, limit in enumerate(limits(sensor.thresholds))
        if limit is not None and (value <= limit if bit < LOWER else value >= limit)
    )


def get_reading(call: Call) -> bytes:
    number = call.data[0]
    if number in STATES:
        return bytes((0x00, EVENTS_ON | SCANNING_ON)) + _states(call, SensorNumber(number)).to_bytes(2, "little")
    if number in EVENTS:
        raise Refused(NO_SUCH_SENSOR)  # events come from it, and nothing can be read
    sensor = _with_value(call)
    reading = call.view.sensors.read(sensor, ripple=True)
    if reading.value is None:
        return bytes((0x00, EVENTS_ON | SCANNING_ON | UNAVAILABLE, RESERVED_BITS))
    # Fans of a machine that is off stand still as they should: the machine says whether a reading is an alarm.
    alarm = 0 if reading.health == "OK" else beyond(sensor, reading.value)
    return bytes((sensor.raw(reading.value), EVENTS_ON | SCANNING_ON, RESERVED_BITS | alarm))


def _states(call: Call, number: SensorNumber) -> int:
    word = call.view.power(call.system, View.IPMI, call.request, call.cause)
    if number is SensorNumber.POWER_UNIT:
        return STATE_RESERVED << 8 | (UNIT_IS_OFF if word == "Off" else 0)
    return STATE_RESERVED << 8 | {"On": ACPI_ON, "Off": ACPI_SOFT_OFF}.get(str(word), ACPI_UNKNOWN)


def get_thresholds(call: Call) -> bytes:
    sensor = _with_value(call)
    return bytes((readable(sensor), *raw_limits(sensor)))


def get_hysteresis(call: Call) -> bytes:
    _with_value(call)
    return bytes(2)


def get_event_enable(call: Call) -> bytes:
    _known(call)
    return bytes((EVENTS_ON | SCANNING_ON,))


def get_event_status(call: Call) -> bytes:
    _known(call)
    return bytes((EVENTS_ON | SCANNING_ON,))


def get_type(call: Call) -> bytes:
    kind = _known(call)
    return bytes((kind, THRESHOLD_TYPE if call.data[0] in BY_NUMBER else SENSOR_SPECIFIC))


def _known(call: Call) -> SensorType:
    number = call.data[0]
    if number in BY_NUMBER:
        return BY_NUMBER[number].type
    if number in STATES:
        return STATES[SensorNumber(number)][1]
    if number in EVENTS:
        return EVENTS[SensorNumber(number)][1]
    raise Refused(NO_SUCH_SENSOR)
