"""The settings of a sensor: thresholds, hysteresis, and the events that it may log (IPMI 2.0, chapter 35).

`Alarms`, `SensorsView` and the IPMI sensor and SDR commands use it, in the emulator's one thread. All functions are pure.

Rules
  1. Both protocols show and change the same settings. Default settings are shared by all systems.
  2. A reading crosses a threshold when it reaches its value, and comes back only beyond the hysteresis (43.1). Values are
     compared as raw bytes, in the sensor's own steps.
  3. A BMC that starts again gives its sensors their default settings, which are those of the SDRs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from emulator.core.bmc.eventlog import SENTENCES, LogKind, SelFields, Severity
from emulator.core.bmc.sensors import CAUTION_BITS, LEVELS, LOWER, SENSORS, Sensor, SensorNumber, Thresholds

THRESHOLD_EVENT = 0x01
"""Event/reading type code of a sensor with thresholds (table 42-1)."""

READING_AND_LIMIT = 0x50
"""Event data 1, bits 7:4: bytes 2 and 3 are the reading and the threshold that it has crossed (table 29-6)."""

NO_THRESHOLDS = Thresholds()
WATCHDOG_OFFSETS = 0x010F
BY_NUMBER: Mapping[int, Sensor] = MappingProxyType({int(sensor.number): sensor for sensor in SENSORS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorSetup:
    """The settings of one sensor.

    `asserts` and `deasserts` are the events that it may log, one bit per offset. The positive hysteresis is for the upper, the
    negative one for the lower thresholds, both in raw steps. `beyond` has a bit of LEVELS for every crossed threshold.
    """

    thresholds: Thresholds = NO_THRESHOLDS
    positive_hysteresis: int = 0
    negative_hysteresis: int = 0
    events: bool = True
    scanning: bool = True
    asserts: int = 0
    deasserts: int = 0
    beyond: int = 0

    def logs(self, offset: int, *, asserted: bool) -> bool:
        """Whether this event goes into the log."""
        return self.events and bool((self.asserts if asserted else self.deasserts) >> offset & 1)


NO_SETUPS: Mapping[SensorNumber, SensorSetup] = MappingProxyType({})


def offset_of(bit: int) -> int:
    """The event offset of a threshold of LEVELS: "going low" for lower ones, "going high" for upper ones (table 42-2)."""
    return 2 * bit + (bit >= LOWER)


def supported(thresholds: Thresholds) -> int:
    """Which thresholds a sensor has, one bit of LEVELS each."""
    return sum(1 << bit for bit, limit in enumerate(thresholds.levels()) if limit is not None)


def events_of(bits: int) -> int:
    """Turns bits of LEVELS into bits of event offsets."""
    return sum(1 << offset_of(bit) for bit in range(len(LEVELS)) if bits >> bit & 1)


@cache
def default_setup(number: SensorNumber) -> SensorSetup:
    """The settings of a sensor that no client has changed."""
    sensor = BY_NUMBER.get(number)
    if sensor is not None:
        events = events_of(supported(sensor.thresholds))
        return SensorSetup(
            thresholds=sensor.thresholds,
            positive_hysteresis=sensor.hysteresis,
            negative_hysteresis=sensor.hysteresis,
            asserts=events,
            deasserts=events,
        )
    masks = {True: WATCHDOG_OFFSETS if number is SensorNumber.WATCHDOG else 0, False: 0}
    for sentence in SENTENCES.values():
        if sentence.sensor_number is number:
            masks[sentence.asserted] |= 1 << sentence.offset
    return SensorSetup(asserts=masks[True], deasserts=masks[False])


def crossed_thresholds(sensor: Sensor, setup: SensorSetup, value: float) -> int:
    """Which thresholds a reading has reached, or has not left by more than the hysteresis: bits of LEVELS."""
    raw = sensor.raw(value)
    found = 0
    for bit, limit in enumerate(setup.thresholds.levels()):
        if limit is None:
            continue
        was = setup.beyond >> bit & 1
        at = sensor.raw(limit)
        crossed = raw <= at + setup.negative_hysteresis * was if bit < LOWER else raw >= at - setup.positive_hysteresis * was
        found |= crossed << bit
    return found


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold that a reading has crossed (`asserted`), or come back from."""

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
    """The entries to log for a change from `setup.beyond` to `now_beyond`, as far as the settings allow them.

    Milder thresholds come first when crossed, and last on the way back.
    """
    found = []
    for bit, limit in enumerate(setup.thresholds.levels()):
        asserted = bool(now_beyond >> bit & 1)
        if limit is not None and (setup.beyond ^ now_beyond) >> bit & 1 and setup.logs(offset_of(bit), asserted=asserted):
            found.append(Crossing(sensor, bit, value, limit, asserted))
    return tuple(sorted(found, key=lambda crossing: crossing.bit if crossing.asserted else -crossing.bit))
