"""Sensor commands: readings, states, thresholds, hysteresis and event settings (IPMI 2.0, chapter 35).

The command table calls the handlers, in the emulator's one thread. Redfish shows the same readings and thresholds.
"""

from __future__ import annotations

from dataclasses import replace

from emulator.core.bmc.sensor_setup import BY_NUMBER, SensorSetup, default_setup, events_of, supported
from emulator.core.bmc.sensors import LEVELS, Sensor, SensorNumber, SensorType, Thresholds
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.sdr import EVENTS, SENSOR_SPECIFIC, STATES, THRESHOLD_TYPE, factors, raw_limits

EVENTS_ON, SCANNING_ON, UNAVAILABLE = 0x80, 0x40, 0x20
RESERVED_BITS = 0xC0
STATE_RESERVED = 0x80
NO_SUCH_SENSOR = 0xCB
ALL_LEVELS = 0x3F
ENABLE, DISABLE, WHICH_EVENTS, WHICH_SHIFT = 0b01, 0b10, 0b11, 4
ONLY_THESE = 0x80
NO_OTHER_FACTORS = 0xFF

UNIT_IS_OFF = 0x01
ACPI_ON, ACPI_SOFT_OFF = 0x01, 0x20
ACPI_UNKNOWN = 0x4000


def _with_value(call: IpmiCall) -> Sensor:
    """The sensor of a request. Raises CompletionError for one that does not exist, or has no readings."""
    sensor = BY_NUMBER.get(call.data[0])
    if sensor is None:
        raise CompletionError(CompletionCode.INVALID_COMMAND if _known(call) else NO_SUCH_SENSOR)
    return sensor


def _with_limits(call: IpmiCall) -> tuple[Sensor, SensorSetup]:
    """The sensor of a request and its settings. Raises CompletionError for one without thresholds."""
    sensor = _with_value(call)
    if not supported(sensor.thresholds):
        raise CompletionError(CompletionCode.INVALID_COMMAND)
    return sensor, call.view.sensors.setup(sensor.number)


def _known(call: IpmiCall) -> SensorNumber:
    """The sensor number of a request. Raises CompletionError for a sensor that does not exist."""
    number = call.data[0]
    if number in BY_NUMBER or number in STATES or number in EVENTS:
        return SensorNumber(number)
    raise CompletionError(NO_SUCH_SENSOR)


def _flags(setup: SensorSetup) -> int:
    return (EVENTS_ON if setup.events else 0) | (SCANNING_ON if setup.scanning else 0)


# -- readings ----------------------------------------------------------------------------------------------------------


def get_reading(call: IpmiCall) -> bytes:
    number = _known(call)
    if number in EVENTS:
        raise CompletionError(NO_SUCH_SENSOR)  # it has events only
    setup = call.view.sensors.setup(number)
    if number in STATES:
        states = _states(call, number) if setup.scanning else STATE_RESERVED << 8
        return bytes((0x00, _flags(setup) | (0 if setup.scanning else UNAVAILABLE))) + states.to_bytes(2, "little")
    sensor = BY_NUMBER[number]
    reading = call.view.sensors.read(sensor)
    if reading.value is None:
        return bytes((0x00, _flags(setup) | UNAVAILABLE, RESERVED_BITS))
    return bytes((sensor.raw(reading.value), _flags(setup), RESERVED_BITS | reading.beyond))


def tells_power(data: bytes) -> bool:
    """Whether Get Sensor Reading asks for a sensor that says whether the host is on."""
    return len(data) == 1 and data[0] in STATES


def _states(call: IpmiCall, number: SensorNumber) -> int:
    word = call.power()
    if number is SensorNumber.POWER_UNIT:
        call.tells("Off" if word == "Off" else "On")
        return STATE_RESERVED << 8 | (UNIT_IS_OFF if word == "Off" else 0)
    call.tells(word if word in ("On", "Off") else None)
    return STATE_RESERVED << 8 | {"On": ACPI_ON, "Off": ACPI_SOFT_OFF}.get(str(word), ACPI_UNKNOWN)


def get_factors(call: IpmiCall) -> bytes:
    """35.5. The factors are the same for every reading, because all sensors are linear."""
    return bytes((NO_OTHER_FACTORS,)) + factors(_with_value(call))[1:]


def get_type(call: IpmiCall) -> bytes:
    number = _known(call)
    kind: SensorType = (
        BY_NUMBER[number].type if number in BY_NUMBER else STATES[number][1] if number in STATES else EVENTS[number][1]
    )
    return bytes((kind, THRESHOLD_TYPE if number in BY_NUMBER else SENSOR_SPECIFIC))


# -- limits ------------------------------------------------------------------------------------------------------------


def get_thresholds(call: IpmiCall) -> bytes:
    """A sensor without thresholds answers an empty mask."""
    sensor = _with_value(call)
    limits = call.view.sensors.setup(sensor.number).thresholds
    return bytes((supported(limits), *raw_limits(sensor, limits)))


def set_thresholds(call: IpmiCall) -> bytes:
    """35.8: a mask, then the thresholds in its order. Whether the thresholds fit together is not checked."""
    sensor, setup = _with_limits(call)
    mask = call.data[1] & ALL_LEVELS
    if mask & ~supported(sensor.thresholds):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    levels = setup.thresholds.by_name()
    levels |= {name: sensor.value(call.data[2 + bit]) for bit, name in enumerate(LEVELS) if mask >> bit & 1}
    call.view.sensors.set(sensor.number, replace(setup, thresholds=Thresholds(**levels)), cause=call.cause)
    return b""


def get_hysteresis(call: IpmiCall) -> bytes:
    _, setup = _with_limits(call)
    return bytes((setup.positive_hysteresis, setup.negative_hysteresis))


def set_hysteresis(call: IpmiCall) -> bytes:
    sensor, setup = _with_limits(call)
    changed = replace(setup, positive_hysteresis=call.data[2], negative_hysteresis=call.data[3])
    call.view.sensors.set(sensor.number, changed, cause=call.cause)
    return b""


# -- events ------------------------------------------------------------------------------------------------------------


def _masks(data: bytes) -> tuple[int, int]:
    """Assertion and deassertion events. Bytes that are missing at the end count as 0."""
    whole = data.ljust(4, b"\0")
    return int.from_bytes(whole[:2], "little"), int.from_bytes(whole[2:4], "little")


def _mask_bytes(asserts: int, deasserts: int) -> bytes:
    return asserts.to_bytes(2, "little") + deasserts.to_bytes(2, "little")


def set_event_enable(call: IpmiCall) -> bytes:
    """35.10. Events that the sensor does not have cannot be enabled."""
    number = _known(call)
    setup, offered = call.view.sensors.setup(number), default_setup(number)
    flags = call.data[1]
    which = flags >> WHICH_SHIFT & WHICH_EVENTS
    asserts, deasserts = _masks(call.data[2:])
    if which == WHICH_EVENTS or (which == ENABLE and (asserts & ~offered.asserts or deasserts & ~offered.deasserts)):
        raise CompletionError(CompletionCode.INVALID_FIELD)
    if which == ENABLE:
        asserts, deasserts = setup.asserts | asserts, setup.deasserts | deasserts
    elif which == DISABLE:
        asserts, deasserts = setup.asserts & ~asserts, setup.deasserts & ~deasserts
    else:
        asserts, deasserts = setup.asserts, setup.deasserts
    wanted = replace(
        setup,
        events=bool(flags & EVENTS_ON),
        scanning=bool(flags & SCANNING_ON),
        asserts=asserts,
        deasserts=deasserts,
    )
    call.view.sensors.set(number, wanted, cause=call.cause)
    return b""


def get_event_enable(call: IpmiCall) -> bytes:
    setup = call.view.sensors.setup(_known(call))
    return bytes((_flags(setup),)) + _mask_bytes(setup.asserts, setup.deasserts)


def rearm(call: IpmiCall) -> bytes:
    """35.12. A reading that is still beyond a threshold is logged again."""
    number = _known(call)
    setup = call.view.sensors.setup(number)
    asserts = _masks(call.data[2:])[0] if call.data[1] & ONLY_THESE else 0xFFFF
    kept = sum(1 << bit for bit in range(len(LEVELS)) if setup.beyond >> bit & 1 and not events_of(1 << bit) & asserts)
    call.view.sensors.set(number, replace(setup, beyond=kept), cause=call.cause)
    return b""


def get_event_status(call: IpmiCall) -> bytes:
    """35.13. Sensors re-arm automatically, so this shows the present state."""
    number = _known(call)
    setup = call.view.sensors.setup(number)
    flags, now = _flags(setup), 0
    if number in BY_NUMBER:
        reading = call.view.sensors.read(BY_NUMBER[number])
        flags |= UNAVAILABLE if reading.value is None else 0
        now = events_of(reading.beyond)
    elif number in STATES:
        flags |= 0 if setup.scanning else UNAVAILABLE
        now = _states(call, number) & 0x7FFF if setup.scanning else 0
    return bytes((flags,)) + _mask_bytes(now, 0)
