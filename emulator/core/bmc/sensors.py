"""What a BMC measures of its host: a pure function of rail, operating system and the time since they changed.

Rules
  1. Physics, not report: a host whose rail is down draws standby power whatever the BMC says of PowerState.
  2. Same state, same time, same reading, in the steps that the sensor has: both protocols tell the same number.
  3. Of a host out of sight nothing is measured: the readings of the host are None, never 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from emulator.core.clock import Instant
from emulator.core.truth.host import Host
from emulator.core.vocab import Os, Rail


class SensorType(IntEnum):
    """IPMI 2.0, table 42-3."""

    TEMPERATURE = 0x01
    VOLTAGE = 0x02
    FAN = 0x04
    POWER_UNIT = 0x09
    OTHER_UNITS = 0x0B
    EVENT_LOG = 0x10
    SYSTEM_RESTART = 0x1D
    OS_STOP = 0x20
    ACPI_POWER_STATE = 0x22
    WATCHDOG = 0x23
    MANAGEMENT_HEALTH = 0x28
    SESSION_AUDIT = 0x2A


class SensorNumber(IntEnum):
    """Our sensors. Up to 0x3F they have readings, from 0x40 on they only have states and events."""

    INLET_TEMPERATURE = 0x01
    CPU_TEMPERATURE = 0x02
    FAN_1 = 0x10
    FAN_2 = 0x11
    PSU_INPUT_VOLTAGE = 0x20
    PSU_OUTPUT_VOLTAGE = 0x21
    POWER = 0x30
    POWER_UNIT = 0x40
    ACPI_POWER_STATE = 0x41
    WATCHDOG = 0x42
    OS_STOP = 0x43
    SYSTEM_RESTART = 0x44
    EVENT_LOG = 0x45
    SESSION_AUDIT = 0x46
    BMC_HEALTH = 0x47


class SensorUnit(IntEnum):
    """IPMI 2.0, table 43-15, sensor unit type codes."""

    CELSIUS = 1
    VOLTS = 4
    WATTS = 6
    RPM = 18


REDFISH_UNIT = {SensorUnit.CELSIUS: "Cel", SensorUnit.VOLTS: "V", SensorUnit.WATTS: "W", SensorUnit.RPM: "{rev}/min"}
"""Sensor.ReadingUnits, in UCUM."""

REDFISH_TYPE = {
    SensorUnit.CELSIUS: "Temperature",
    SensorUnit.VOLTS: "Voltage",
    SensorUnit.WATTS: "Power",
    SensorUnit.RPM: "Rotational",
}
"""Sensor.ReadingType."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """In the sensor's unit; None: the sensor has no such threshold."""

    upper_caution: float | None = None  # IPMI: upper non-critical
    upper_critical: float | None = None
    upper_fatal: float | None = None  # IPMI: upper non-recoverable
    lower_caution: float | None = None
    lower_critical: float | None = None
    lower_fatal: float | None = None

    def levels(self) -> tuple[float | None, ...]:
        """In the order of LEVELS."""
        return (
            self.lower_caution,
            self.lower_critical,
            self.lower_fatal,
            self.upper_caution,
            self.upper_critical,
            self.upper_fatal,
        )

    def by_name(self) -> dict[str, float | None]:
        return dict(zip(LEVELS, self.levels(), strict=True))

    def scaled(self, gain: float, digits: int) -> Thresholds:
        """The same limits of a reading that is shown as `gain` times itself."""
        told = {name: None if limit is None else round(limit * gain, digits) for name, limit in self.by_name().items()}
        return Thresholds(**told)


LEVELS = ("lower_caution", "lower_critical", "lower_fatal", "upper_caution", "upper_critical", "upper_fatal")
"""The limits of a sensor in the order of IPMI's bits (35.8)."""

LOWER = 3
"""The first three of LEVELS are lower ones."""

CAUTION_BITS = 0b001001


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One sensor as both protocols name it. raw = value / (m * 10 ** r_exp), in one unsigned byte (IPMI 2.0, 36.3 with B = 0)."""

    number: SensorNumber
    type: SensorType
    unit: SensorUnit
    id: str  # Redfish Id
    name: str  # at most 16 characters: IPMI's limit for an id string
    entity: int  # IPMI 2.0, table 43-13
    instance: int = 1
    m: int = 1
    r_exp: int = 0
    context: str  # Redfish PhysicalContext
    thresholds: Thresholds = Thresholds()  # as the BMC comes; `sensor_setup` holds what a client makes of them
    hysteresis: int = 0  # in steps of the raw byte

    def raw(self, value: float) -> int:
        """The byte of a reading or threshold, held within what a byte can say."""
        return max(0, min(0xFF, round(value / (self.m * 10.0**self.r_exp))))

    def value(self, raw: int) -> float:
        return round(raw * self.m * 10.0**self.r_exp, 3)


_N, _T = SensorNumber, SensorType
INLET = Sensor(
    number=_N.INLET_TEMPERATURE,
    type=_T.TEMPERATURE,
    unit=SensorUnit.CELSIUS,
    id="InletTemp",
    name="Inlet Temp",
    entity=0x37,
    context="Intake",
    thresholds=Thresholds(upper_caution=38, upper_critical=42, upper_fatal=47, lower_caution=3, lower_critical=1),
    hysteresis=2,
)
CPU = Sensor(
    number=_N.CPU_TEMPERATURE,
    type=_T.TEMPERATURE,
    unit=SensorUnit.CELSIUS,
    id="CPU1Temp",
    name="CPU1 Temp",
    entity=0x03,
    context="CPU",
    thresholds=Thresholds(upper_caution=85, upper_critical=95, upper_fatal=100),
    hysteresis=2,
)
_FAN_LIMITS = Thresholds(lower_caution=1200, lower_critical=800)
FANS = tuple(
    Sensor(
        number=number,
        type=_T.FAN,
        unit=SensorUnit.RPM,
        id=f"Fan{n}",
        name=f"Fan{n}",
        entity=0x1D,
        instance=n,
        m=100,
        context="SystemBoard",
        thresholds=_FAN_LIMITS,
        hysteresis=1,
    )
    for n, number in ((1, _N.FAN_1), (2, _N.FAN_2))
)
PSU_INPUT = Sensor(
    number=_N.PSU_INPUT_VOLTAGE,
    type=_T.VOLTAGE,
    unit=SensorUnit.VOLTS,
    id="PSU1InputVoltage",
    name="PSU1 Vin",
    entity=0x0A,
    m=1,
    context="PowerSupply",
    thresholds=Thresholds(upper_caution=250, lower_caution=200, lower_critical=180),
    hysteresis=1,
)
PSU_OUTPUT = Sensor(
    number=_N.PSU_OUTPUT_VOLTAGE,
    type=_T.VOLTAGE,
    unit=SensorUnit.VOLTS,
    id="PSU1OutputVoltage",
    name="PSU1 Vout",
    entity=0x0A,
    m=1,
    r_exp=-1,
    context="PowerSupply",
    thresholds=Thresholds(upper_critical=13.2, lower_critical=10.8),
    hysteresis=1,
)
POWER = Sensor(
    number=_N.POWER,
    type=_T.OTHER_UNITS,
    unit=SensorUnit.WATTS,
    id="TotalPower",
    name="Pwr Consumption",
    entity=0x07,
    m=4,
    context="Chassis",
)
SENSORS: tuple[Sensor, ...] = (INLET, CPU, *FANS, PSU_INPUT, PSU_OUTPUT, POWER)

INLET_C = 23.0
COOLING_S = 60.0
"""Time constant of the CPU's temperature."""

STANDBY_W = 12.0
WATTS = {Os.RUNNING: 184.0, Os.HUNG: 148.0, Os.STOPPED: 96.0}
CPU_C = {Os.RUNNING: 52.0, Os.HUNG: 61.0, Os.STOPPED: 38.0}
RPM = {Os.RUNNING: 5400.0, Os.HUNG: 6000.0, Os.STOPPED: 4200.0}


def watts(host: Host) -> float | None:
    """The level that a state settles at."""
    if host.rail is Rail.UNKNOWN:
        return None
    return WATTS[host.os] if host.rail is Rail.UP else STANDBY_W


@dataclass(slots=True)
class Meter:
    """Integrates what a system has drawn since the BMC began to count, and remembers how warm it was at the last change."""

    since: Instant = 0.0
    began: Instant = 0.0
    level: float | None = None
    joules: float = 0.0
    seconds: float = 0.0
    low: float | None = None
    high: float | None = None
    cpu_c: float = INLET_C  # at `since`

    def begin(self, host: Host, now: Instant) -> None:
        """Counting begins now, with a machine that has been so for long."""
        self.since = self.began = now
        self.joules = self.seconds = 0.0
        self.cpu_c = _cpu_target(host)
        self.level = self.low = self.high = watts(host)

    def changed(self, before: Host, after: Host, now: Instant) -> None:
        self.cpu_c = cpu_celsius(self, before, now)
        if self.level is not None:
            self.joules += self.level * (now - self.since)
            self.seconds += now - self.since
        self.since, self.level = now, watts(after)
        if self.level is not None:
            self.low = self.level if self.low is None else min(self.low, self.level)
            self.high = self.level if self.high is None else max(self.high, self.level)


def _cpu_target(host: Host) -> float:
    return CPU_C[host.os] if host.rail is Rail.UP else INLET_C


def cpu_celsius(meter: Meter, host: Host, now: Instant) -> float:
    """Goes from what it was at the last change towards what the state leads to; out of sight it stays."""
    if host.rail is Rail.UNKNOWN:
        return meter.cpu_c
    target = _cpu_target(host)
    return target + (meter.cpu_c - target) * math.exp(-max(0.0, now - meter.since) / COOLING_S)


@dataclass(frozen=True, slots=True)
class PowerStatistics:
    """In W over `period_s` seconds (DCMI 1.5, 6.6.1). `current` is None for a host out of sight."""

    current: float | None
    low: float
    average: float
    high: float
    period_s: float


@dataclass(frozen=True, slots=True)
class SensorReading:
    """`value` in the sensor's unit; None: not available. `beyond` has a bit of LEVELS for every limit that it has crossed."""

    sensor: Sensor
    value: float | None
    beyond: int = 0

    @property
    def health(self) -> str:
        """OK, Warning or Critical, in Redfish's words."""
        return "OK" if not self.beyond else "Critical" if self.beyond & ~CAUTION_BITS else "Warning"


def measure(sensor: Sensor, meter: Meter, host: Host, now: Instant) -> float | None:
    """What the sensor measures now, in its own steps."""
    value = _value(sensor, meter, host, now)
    return None if value is None else sensor.value(sensor.raw(value))


def alarming(sensor: Sensor, host: Host) -> bool:
    """Fans and the output voltage of a machine that is off stand still as they should: no alarm."""
    return host.rail is Rail.UP or sensor in (INLET, CPU, PSU_INPUT)


def settled(meter: Meter, host: Host, now: Instant) -> bool:
    """Whether no reading will change until something happens to the host."""
    return host.rail is Rail.UNKNOWN or CPU.raw(cpu_celsius(meter, host, now)) == CPU.raw(_cpu_target(host))


def _value(sensor: Sensor, meter: Meter, host: Host, now: Instant) -> float | None:
    if sensor is INLET:
        return INLET_C
    if sensor is PSU_INPUT:
        return 230.0
    if host.rail is Rail.UNKNOWN:
        return None
    up = host.rail is Rail.UP
    if sensor is CPU:
        return cpu_celsius(meter, host, now)
    if sensor is PSU_OUTPUT:
        return 12.1 if up else 0.0
    if sensor is POWER:
        return watts(host)
    return RPM[host.os] if up else 0.0


def statistics(meter: Meter, host: Host, now: Instant) -> PowerStatistics:
    current = watts(host)
    elapsed = now - meter.since if current is not None else 0.0
    seconds = meter.seconds + elapsed
    joules = meter.joules + (current or 0.0) * elapsed
    low, high = meter.low or 0.0, meter.high or 0.0
    average = joules / seconds if seconds > 0 else current if current is not None else low
    return PowerStatistics(current, low, round(average, 1), high, now - meter.began)
