"""How a sensor is set: its thresholds, its hysteresis, and which events it may write into the log (IPMI 2.0, chapter 35).

Rules
  1. One set-up per machine, whatever protocol asks or changes. What nobody has changed is shared by all machines.
  2. A limit is crossed at its value, and left only beyond the hysteresis (43.1). Values are compared in the sensor's own steps.
  3. The set-up lives in the BMC's memory: one that starts again sets its sensors from their records.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from emulator.core.bmc.eventlog import SENTENCES, LogKind, SelFields, Severity
from emulator.core.bmc.sensors import CAUTION_BITS, LEVELS, LOWER, SENSORS, Sensor, SensorNumber, Thresholds

THRESHOLD_EVENT = 0x01
"""Event/reading type code of a sensor with limits (table 42-1)."""

READING_AND_LIMIT = 0x50
"""Event data 1, bits 7:4: bytes 2 and 3 are the reading and the limit that it has crossed (table 29-6)."""

NO_THRESHOLDS = Thresholds()
WATCHDOG_OFFSETS = 0x010F
BY_NUMBER: Mapping[int, Sensor] = MappingProxyType({int(sensor.number): sensor for sensor in SENSORS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSetup:
    """`asserts` and `deasserts` are the events that it may send, a bit for each offset. `risen` and `fallen` are the hysteresis
    of upper and lower limits in raw steps. `beyond` are the limits that its reading has crossed, bits of LEVELS."""

    thresholds: Thresholds = NO_THRESHOLDS
    risen: int = 0
    fallen: int = 0
    events: bool = True
    scanning: bool = True
    asserts: int = 0
    deasserts: int = 0
    beyond: int = 0

    def sends(self, offset: int, *, asserted: bool) -> bool:
        return self.events and bool((self.asserts if asserted else self.deasserts) >> offset & 1)


NO_SETUPS: Mapping[SensorNumber, SensorSetup] = MappingProxyType({})


def offset_of(bit: int) -> int:
    """The event of a limit of LEVELS: lower ones going low, upper ones going high (table 42-2)."""
    return 2 * bit + (bit >= LOWER)


def supported(thresholds: Thresholds) -> int:
    """Which limits there are, a bit of LEVELS each."""
    return sum(1 << bit for bit, limit in enumerate(thresholds.levels()) if limit is not None)


def events_of(bits: int) -> int:
    """Bits of LEVELS as bits of event offsets."""
    return sum(1 << offset_of(bit) for bit in range(len(LEVELS)) if bits >> bit & 1)


@cache
def default_setup(number: SensorNumber) -> SensorSetup:
    """As the BMC comes."""
    sensor = BY_NUMBER.get(number)
    if sensor is not None:
        events = events_of(supported(sensor.thresholds))
        steps = sensor.hysteresis
        return SensorSetup(thresholds=sensor.thresholds, risen=steps, fallen=steps, asserts=events, deasserts=events)
    masks = {True: WATCHDOG_OFFSETS if number is SensorNumber.WATCHDOG else 0, False: 0}
    for sentence in SENTENCES.values():
        if sentence.sensor_number is number:
            masks[sentence.asserted] |= 1 << sentence.offset
    return SensorSetup(asserts=masks[True], deasserts=masks[False])


def beyond(sensor: Sensor, setup: SensorSetup, value: float) -> int:
    """Which limits a reading is at or beyond, or has not left again by more than the hysteresis."""
    raw = sensor.raw(value)
    found = 0
    for bit, limit in enumerate(setup.thresholds.levels()):
        if limit is None:
            continue
        was = setup.beyond >> bit & 1
        at = sensor.raw(limit)
        crossed = raw <= at + setup.fallen * was if bit < LOWER else raw >= at - setup.risen * was
        found |= crossed << bit
    return found


@dataclass(frozen=True, slots=True)
class Crossing:
    """A limit that a reading has crossed, or come back from."""

    sensor: Sensor
    bit: int
    value: float
    limit: float
    asserted: bool

    @property
    def severity(self) -> Severity:
        if not self.asserted:
            return Severity.OK
        return Severity.WARNING if CAUTION_BITS >> self.bit & 1 else Severity.CRITICAL

    @property
    def kind(self) -> LogKind:
        return LogKind.THRESHOLD

    def text(self) -> str:
        side, level = LEVELS[self.bit].split("_")
        way = {True: "is beyond", False: "is back from"}[self.asserted]
        return f"{self.sensor.name}: the reading {self.value:g} {way} the {side} {level} threshold {self.limit:g}."

    def fields(self) -> SelFields:
        data = (READING_AND_LIMIT | offset_of(self.bit), self.sensor.raw(self.value), self.sensor.raw(self.limit))
        return SelFields(self.sensor.type, self.sensor.number, data, THRESHOLD_EVENT, self.asserted)


def crossings(sensor: Sensor, setup: SensorSetup, value: float, now_beyond: int) -> tuple[Crossing, ...]:
    """What of a change from `setup.beyond` to `now_beyond` the set-up lets into the log: milder limits first going out, last
    coming back."""
    found = []
    for bit, limit in enumerate(setup.thresholds.levels()):
        asserted = bool(now_beyond >> bit & 1)
        if limit is not None and (setup.beyond ^ now_beyond) >> bit & 1 and setup.sends(offset_of(bit), asserted=asserted):
            found.append(Crossing(sensor, bit, value, limit, asserted))
    return tuple(sorted(found, key=lambda crossing: crossing.bit if crossing.asserted else -crossing.bit))
