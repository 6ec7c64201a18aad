"""The sensors of a system: those of the core, and further ones whose values are derived from them.

A real server has about a hundred sensors; the core models a few (`core.bmc.sensors`). `sensors`, `power`, `thermal`, `legacy` and
others call this module: `sensors_of` when a tree is built, `value_of` and `reading_of` for each request.

Rules
  1. A derived sensor has no state: its value is gain * reading of a core sensor + offset. It therefore follows rail and OS.
  2. A sensor that IPMI shows too has the same name, value, thresholds and health in both protocols: the core holds them.

Units: Celsius, volt, watt, ampere, percent (`UNITS`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from emulator.core.bmc.sensors import (
    CPU,
    FANS,
    INLET,
    INLET_C,
    POWER,
    PSU_INPUT,
    PSU_OUTPUT,
    STANDBY_W,
    Sensor,
    Thresholds,
)
from emulator.core.bmc.view import BmcView
from emulator.redfish.inventory.system_parts import SystemParts
from profiles.model import Inventory

NO_LIMITS: Final = Thresholds()
RATED_RPM: Final = 12_000.0
EFFICIENCY: Final = 0.93
MAINS_V: Final = 230.0
MAIN_V: Final = 12.1
CHANNELS: Final = "ABCDEFGHIJKLMNOP"

UNITS: Final = {
    "Temperature": "Cel",
    "Voltage": "V",
    "Power": "W",
    "Current": "A",
    "Percent": "%",
}
RANGES: Final = {
    "Temperature": (-20, 127),
    "Voltage": (0, 264),
    "Power": (0, 10_000),
    "Current": (0, 100),
    "Percent": (0, 100),
}
DIGITS: Final = {"Temperature": 1, "Voltage": 2, "Power": 1, "Current": 2, "Percent": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivedSensor:
    """Value = `gain` * reading of `source` + `offset`; never below 0, except for temperatures."""

    id: str
    name: str
    type: str  # Sensor.ReadingType
    context: str  # PhysicalContext
    source: Sensor
    gain: float = 1.0
    offset: float = 0.0
    limits: Thresholds = NO_LIMITS
    sub: str | None = None  # PhysicalSubContext
    volts: str | None = None  # Sensor.VoltageType
    item: str = ""  # the path of the resource that it measures; empty: the chassis

    @property
    def own(self) -> bool:
        """Whether this is a sensor of the core itself, which IPMI shows too."""
        return self.id == self.source.id


def value_of(view: BmcView, system_id: str, sensor: DerivedSensor) -> float | None:
    """The value now, in the unit of the sensor; None if the state of the host is unknown."""
    if sensor.own:
        return _converted(sensor, view.sensors.read(sensor.source, system_id).value)
    return _converted(sensor, view.sensors.measured(sensor.source, system_id))


def _converted(sensor: DerivedSensor, raw: float | None) -> float | None:
    if raw is None:
        return None
    value = raw * sensor.gain + sensor.offset
    return round(value if sensor.type == "Temperature" else max(0.0, value), DIGITS[sensor.type])


@dataclass(frozen=True, slots=True)
class DerivedReading:
    """What a sensor shows now, in its own unit. `value` None: unknown."""

    value: float | None
    limits: Thresholds
    health: str


def reading_of(view: BmcView, system_id: str, sensor: DerivedSensor) -> DerivedReading:
    if not sensor.own:
        value = value_of(view, system_id, sensor)
        return DerivedReading(value, sensor.limits, health(sensor, value))
    reading = view.sensors.read(sensor.source, system_id)
    value = _converted(sensor, reading.value)
    limits = view.sensors.setup(sensor.source.number, system_id).thresholds
    return DerivedReading(value, limits.scaled(sensor.gain, DIGITS[sensor.type]), reading.health)


def health(sensor: DerivedSensor, value: float | None) -> str:
    """Health of a derived reading: OK, Warning or Critical. Fans and outputs of a system that is off read 0, which is OK."""
    limits = sensor.limits
    if value is None or (value == 0 and sensor.type in ("Percent", "Voltage")):
        return "OK"
    if _beyond(limits.upper_critical, limits.lower_critical, value) or _beyond(limits.upper_fatal, limits.lower_fatal, value):
        return "Critical"
    return "Warning" if _beyond(limits.upper_caution, limits.lower_caution, value) else "OK"


def _beyond(upper: float | None, lower: float | None, value: float) -> bool:
    return (upper is not None and value >= upper) or (lower is not None and value <= lower)


def temperature_line(share: float, above: float = 0.0) -> tuple[float, float]:
    """Gain and offset of a part temperature: inlet + `share` of the processor's rise over the inlet + `above` degrees."""
    return share, INLET_C * (1 - share) + above


def power_line(share: float) -> tuple[float, float]:
    """Gain and offset of the power of a part that draws `share` of what the system draws above standby."""
    return share, -share * STANDBY_W


def dimm_name(inventory: Inventory, n: int) -> str:
    """ "A1" is the first slot of the first processor: the letter is the memory channel. Other processors: "P2A"."""
    per_cpu = -(-inventory.dimms // inventory.processors)
    cpu, slot = divmod(n, per_cpu)
    return (
        f"{CHANNELS[slot % len(CHANNELS)]}{slot // len(CHANNELS) + 1}"
        if cpu == 0
        else f"P{cpu + 1}{CHANNELS[slot % len(CHANNELS)]}"
    )


@lru_cache(maxsize=16)  # while a tree is built, each part of a system asks
def sensors_of(parts: SystemParts) -> tuple[DerivedSensor, ...]:
    """All sensors of the chassis, in the order of its Sensors collection."""
    return (
        *_board(parts),
        *_processors(parts),
        *_memory(parts),
        *_drives(parts),
        *_cards(parts),
        *_fans(parts),
        *_supplies(parts),
    )


def _temperature(id: str, name: str, context: str, share: float, above: float, limit: float, item: str) -> DerivedSensor:
    gain, offset = temperature_line(share, above)
    limits = Thresholds(upper_caution=limit - 10, upper_critical=limit)
    return DerivedSensor(
        id=id, name=name, type="Temperature", context=context, source=CPU, gain=gain, offset=offset, limits=limits, item=item
    )


def _board(parts: SystemParts) -> Iterator[DerivedSensor]:
    yield DerivedSensor(
        id=INLET.id, name="Inlet Temp", type="Temperature", context=INLET.context, source=INLET, limits=INLET.thresholds
    )
    yield _temperature("ExhaustTemp", "Exhaust Temp", "Exhaust", 0.5, 1.0, 75, "")
    yield _temperature("BoardTemp", "System Board Temp", "SystemBoard", 0.35, 2.0, 75, "")
    yield _temperature("ChipsetTemp", "Chipset Temp", "SystemBoard", 0.6, 4.0, 95, "")
    for rail, volts in (("12V", 12.1), ("5V", 5.04), ("3V3", 3.31), ("1V8", 1.8)):
        nominal = Thresholds(upper_critical=round(volts * 1.1, 2), lower_critical=round(volts * 0.9, 2))
        yield DerivedSensor(
            id=f"Board{rail}",
            name=f"System Board {rail.replace('V3', '.3V').replace('V8', '.8V')}",
            type="Voltage",
            context="SystemBoard",
            source=PSU_OUTPUT,
            gain=volts / MAIN_V,
            limits=nominal,
            volts="DC",
        )
    yield DerivedSensor(id=POWER.id, name="Total Power", type="Power", context=POWER.context, source=POWER)


def _processors(parts: SystemParts) -> Iterator[DerivedSensor]:
    share = 0.55 / parts.inventory.processors
    for n in range(1, parts.inventory.processors + 1):
        item = f"{parts.system}/Processors/CPU{n}"
        if n == 1:
            yield DerivedSensor(
                id=CPU.id, name="CPU1 Temp", type="Temperature", context="CPU", source=CPU, limits=CPU.thresholds, item=item
            )
        else:
            gain, offset = temperature_line(0.97 - 0.01 * n)
            yield DerivedSensor(
                id=f"CPU{n}Temp",
                name=f"CPU{n} Temp",
                type="Temperature",
                context="CPU",
                source=CPU,
                gain=gain,
                offset=offset,
                limits=CPU.thresholds,
                item=item,
            )
        gain, offset = power_line(share)
        yield DerivedSensor(
            id=f"CPU{n}Power",
            name=f"CPU{n} Power",
            type="Power",
            context="CPU",
            source=POWER,
            gain=gain,
            offset=offset,
            item=item,
        )
        yield DerivedSensor(
            id=f"CPU{n}VCore",
            name=f"CPU{n} VCore",
            type="Voltage",
            context="CPU",
            source=PSU_OUTPUT,
            gain=(1.79 + 0.01 * n) / MAIN_V,
            limits=Thresholds(upper_critical=2.0, lower_critical=1.5),
            volts="DC",
            item=item,
        )
        yield _temperature(f"CPU{n}VRTemp", f"CPU{n} VR Temp", "VoltageRegulator", 0.7, 2.0 + n, 110, item)


def _memory(parts: SystemParts) -> Iterator[DerivedSensor]:
    share = 0.15 / parts.inventory.dimms
    for n in range(parts.inventory.dimms):
        name = dimm_name(parts.inventory, n)
        item = f"{parts.system}/Memory/DIMM{name}"
        yield _temperature(f"DIMM{name}Temp", f"DIMM {name} Temp", "Memory", 0.45, 0.5 * (n % 4), 85, item)
        gain, offset = power_line(share)
        yield DerivedSensor(
            id=f"DIMM{name}Power",
            name=f"DIMM {name} Power",
            type="Power",
            context="Memory",
            source=POWER,
            gain=gain,
            offset=offset,
            item=item,
        )


def _drives(parts: SystemParts) -> Iterator[DerivedSensor]:
    for n in range(1, parts.inventory.drives + 1):
        item = f"{parts.chassis}/Drives/Bay{n}"
        yield _temperature(f"Bay{n}Temp", f"Drive Bay {n} Temp", "StorageDevice", 0.25, 1.0 + 0.5 * (n % 3), 70, item)
    for n in range(1, parts.inventory.boot_drives + 1):
        item = f"{parts.chassis}/Drives/M2-{n}"
        yield _temperature(f"M2-{n}Temp", f"M.2 Drive {n} Temp", "StorageDevice", 0.5, 3.0 + n, 80, item)


def _cards(parts: SystemParts) -> Iterator[DerivedSensor]:
    for n in range(1, parts.inventory.network_adapters + 1):
        item = f"{parts.chassis}/NetworkAdapters/NIC{n}"
        yield _temperature(f"NIC{n}Temp", f"NIC {n} Temp", "NetworkingDevice", 0.6, 5.0 + n, 105, item)
    if parts.inventory.drives:
        yield _temperature(
            "RAID1Temp", "RAID Controller Temp", "ExpansionSubsystem", 0.65, 6.0, 105, f"{parts.system}/Storage/RAID1"
        )


def _fans(parts: SystemParts) -> Iterator[DerivedSensor]:
    legacy = parts.inventory.power_and_thermal == "legacy"
    for n in range(1, parts.inventory.fans + 1):
        source = FANS[n - 1] if n <= len(FANS) else FANS[-1]
        trim = 1.0 if n <= len(FANS) else 1.0 + 0.004 * (n - len(FANS))
        lowest = source.thresholds
        assert lowest.lower_caution is not None
        assert lowest.lower_critical is not None
        yield DerivedSensor(
            id=f"Fan{n}",
            name=f"Fan {n}",
            type="Percent",
            context="SystemBoard",
            source=source,
            gain=100 * trim / RATED_RPM,
            limits=Thresholds(
                lower_caution=100 * lowest.lower_caution / RATED_RPM,
                lower_critical=round(100 * lowest.lower_critical / RATED_RPM, 1),
            ),
            item="" if legacy else f"{parts.chassis}/ThermalSubsystem/Fans/Fan{n}",
        )


def _supplies(parts: SystemParts) -> Iterator[DerivedSensor]:
    count = parts.inventory.power_supplies
    for n in range(1, count + 1):
        item = "" if parts.inventory.power_and_thermal == "legacy" else f"{parts.chassis}/PowerSubsystem/PowerSupplies/PSU{n}"
        common = (f"PSU{n}", f"Power Supply {n}", item)
        yield _supply(*common, "InputVoltage", "Voltage", PSU_INPUT, 1.0, 0.0, PSU_INPUT.thresholds, "AC")
        yield _supply(*common, "InputCurrent", "Current", POWER, 1 / (count * EFFICIENCY * MAINS_V), 0.0)
        yield _supply(*common, "InputPower", "Power", POWER, 1 / (count * EFFICIENCY), 0.0)
        yield _supply(*common, "OutputVoltage", "Voltage", PSU_OUTPUT, 1.0, 0.0, PSU_OUTPUT.thresholds, "DC")
        yield _supply(*common, "OutputCurrent", "Current", POWER, 1 / (count * MAIN_V), -STANDBY_W / (count * MAIN_V))
        yield _supply(*common, "OutputPower", "Power", POWER, 1 / count, 0.0)
        gain, offset = temperature_line(0.4, 3.0 + n)
        yield _supply(
            *common, "Temp", "Temperature", CPU, gain, offset, Thresholds(upper_caution=60, upper_critical=65), sub=None
        )


def _supply(
    id: str,
    name: str,
    item: str,
    what: str,
    kind: str,
    source: Sensor,
    gain: float,
    offset: float,
    limits: Thresholds = NO_LIMITS,
    volts: str | None = None,
    sub: str | None = "",
) -> DerivedSensor:
    side = None if sub is None else "Input" if what.startswith("Input") else "Output"
    return DerivedSensor(
        id=f"{id}{what}",
        name=f"{name} {what.replace('Input', 'Input ').replace('Output', 'Output ')}",
        type=kind,
        context="PowerSupply",
        source=source,
        gain=gain,
        offset=offset,
        limits=limits,
        sub=side,
        volts=volts,
        item=item,
    )
