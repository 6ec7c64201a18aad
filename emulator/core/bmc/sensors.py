"""The sensors of a system and their readings, computed from the rail, the operating system and the time since they changed.

`SensorsView` and `Alarms` call it, in the emulator's one thread. All functions are pure; the unit of a value is its sensor's
(`SensorUnit`), times are in seconds on the rack's clock.

Rules
  1. Readings follow the truth: a host whose rail is down draws standby power, whatever the BMC says about PowerState.
  2. The same state at the same time gives the same reading, in the sensor's steps, so both protocols show the same number.
  3. A host whose rail is unknown cannot be measured: its readings are None, never 0.
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
    """The sensors of every system. Those up to 0x3F have readings, those from 0x40 on have states and events only."""

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
    """The thresholds of a sensor, in its unit. None: the sensor has no such threshold."""

    upper_caution: float | None = None  # IPMI: upper non-critical
    upper_critical: float | None = None
    upper_fatal: float | None = None  # IPMI: upper non-recoverable
    lower_caution: float | None = None
    lower_critical: float | None = None
    lower_fatal: float | None = None

    def levels(self) -> tuple[float | None, ...]:
        """The thresholds in the order of LEVELS."""
        return (
            self.lower_caution,
            self.lower_critical,
            self.lower_fatal,
            self.upper_caution,
            self.upper_critical,
            self.upper_fatal,
        )

    def by_name(self) -> dict[str, float | None]:
        """The thresholds by the names of LEVELS."""
        return dict(zip(LEVELS, self.levels(), strict=True))

    def scaled(self, gain: float, digits: int) -> Thresholds:
        """The same thresholds for a reading that is shown multiplied by `gain`."""
        told = {name: None if limit is None else round(limit * gain, digits) for name, limit in self.by_name().items()}
        return Thresholds(**told)


LEVELS = ("lower_caution", "lower_critical", "lower_fatal", "upper_caution", "upper_critical", "upper_fatal")
"""The thresholds of a sensor in the order of IPMI's bits (35.8)."""

LOWER = 3
"""How many of LEVELS are lower thresholds; they come first."""

CAUTION_BITS = 0b001001
"""The non-critical ones, as bits of LEVELS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One sensor with its names in both protocols. raw = value / (m * 10 ** r_exp), an unsigned byte (IPMI 2.0, 36.3, B = 0)."""

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
    thresholds: Thresholds = Thresholds()  # the defaults; `sensor_setup` has what a client has set
    hysteresis: int = 0  # in raw steps

    def raw(self, value: float) -> int:
        """The raw byte of a reading or threshold, limited to 0 to 255."""
        return max(0, min(0xFF, round(value / (self.m * 10.0**self.r_exp))))

    def value(self, raw: int) -> float:
        """The value of a raw byte, in the sensor's unit."""
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
"""Time constant of the CPU's temperature, in seconds."""

STANDBY_W = 12.0
WATTS = {Os.RUNNING: 184.0, Os.HUNG: 148.0, Os.STOPPED: 96.0}
CPU_C = {Os.RUNNING: 52.0, Os.HUNG: 61.0, Os.STOPPED: 38.0}
RPM = {Os.RUNNING: 5400.0, Os.HUNG: 6000.0, Os.STOPPED: 4200.0}


def watts(host: Host) -> float | None:
    """The power that a host draws, in W; None where its rail is unknown."""
    if host.rail is Rail.UNKNOWN:
        return None
    return WATTS[host.os] if host.rail is Rail.UP else STANDBY_W


@dataclass(slots=True)
class Meter:
    """Adds up the energy that a system has drawn since `began`, and keeps the CPU temperature of the last change of its host.

    `level`, `low` and `high` are in W. `joules` and `seconds` cover the time up to `since`, the last change.
    """

    since: Instant = 0.0
    began: Instant = 0.0
    level: float | None = None
    joules: float = 0.0
    seconds: float = 0.0
    low: float | None = None
    high: float | None = None
    cpu_c: float = INLET_C  # at `since`

    def begin(self, host: Host, now: Instant) -> None:
        """Starts to count now, for a host that has been in this state for a long time."""
        self.since = self.began = now
        self.joules = self.seconds = 0.0
        self.cpu_c = _cpu_target(host)
        self.level = self.low = self.high = watts(host)

    def changed(self, before: Host, after: Host, now: Instant) -> None:
        """Notes a change of the host."""
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
    """The CPU's temperature in °C. It moves from its value at the last change to the one of the new state; with an unknown rail
    it stays."""
    if host.rail is Rail.UNKNOWN:
        return meter.cpu_c
    target = _cpu_target(host)
    return target + (meter.cpu_c - target) * math.exp(-max(0.0, now - meter.since) / COOLING_S)


@dataclass(frozen=True, slots=True)
class PowerStatistics:
    """Power in W over `period_s` seconds (DCMI 1.5, 6.6.1). `current` is None for a host whose rail is unknown."""

    current: float | None
    low: float
    average: float
    high: float
    period_s: float


@dataclass(frozen=True, slots=True)
class SensorReading:
    """A reading in the sensor's unit; None: not available. `beyond` has a bit of LEVELS for every threshold it has crossed."""

    sensor: Sensor
    value: float | None
    beyond: int = 0

    @property
    def health(self) -> str:
        """OK, Warning or Critical, in Redfish's words."""
        return "OK" if not self.beyond else "Critical" if self.beyond & ~CAUTION_BITS else "Warning"


def measure(sensor: Sensor, meter: Meter, host: Host, now: Instant) -> float | None:
    """What the sensor measures now, rounded to its steps; None: not available."""
    value = _value(sensor, meter, host, now)
    return None if value is None else sensor.value(sensor.raw(value))


def energised(host: Host) -> bool:
    """Whether PSU_OUTPUT measures a voltage; True where it is not available."""
    return host.rail in (Rail.UP, Rail.UNKNOWN)


def thresholds_apply(sensor: Sensor, host: Host) -> bool:
    """Whether thresholds count now. In a system that is off, fans and the output voltage are at 0, which is no alarm."""
    return host.rail is Rail.UP or sensor in (INLET, CPU, PSU_INPUT)


def settled(meter: Meter, host: Host, now: Instant) -> bool:
    """Whether no reading will change until the host changes."""
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
        return 12.1 if energised(host) else 0.0
    if sensor is POWER:
        return watts(host)
    return RPM[host.os] if up else 0.0


def statistics(meter: Meter, host: Host, now: Instant) -> PowerStatistics:
    """Power statistics since the meter began to count."""
    current = watts(host)
    elapsed = now - meter.since if current is not None else 0.0
    seconds = meter.seconds + elapsed
    joules = meter.joules + (current or 0.0) * elapsed
    low, high = meter.low or 0.0, meter.high or 0.0
    average = joules / seconds if seconds > 0 else current if current is not None else low
    return PowerStatistics(current, low, round(average, 1), high, now - meter.began)
