"""The Sensors collection of a chassis, and sensor excerpts for other resources (DSP0268 Sensor).

`all_resources` calls `sensors` when a tree is built; `power`, `thermal`, `processors` and `legacy` use the excerpts. A client may
PATCH the thresholds of a sensor that the core has; IPMI shows the change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from emulator.core.bmc.sensor_setup import supported
from emulator.core.bmc.sensors import FANS, Thresholds
from emulator.redfish.inventory.derived_sensors import (
    RANGES,
    RATED_RPM,
    UNITS,
    DerivedReading,
    DerivedSensor,
    reading_of,
    sensors_of,
    value_of,
)
from emulator.redfish.inventory.system_parts import SystemParts, part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource, collection, link, version_of
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import NumberRule, ObjectRule, patch

SENSOR_TYPE: Final = "#Sensor.v1_12_0.Sensor"
ENERGY: Final = "TotalEnergy"
_LIMITS: Final = (
    ("UpperCaution", "upper_caution", "Increasing"),
    ("UpperCritical", "upper_critical", "Increasing"),
    ("UpperFatal", "upper_fatal", "Increasing"),
    ("LowerCaution", "lower_caution", "Decreasing"),
    ("LowerCritical", "lower_critical", "Decreasing"),
    ("LowerFatal", "lower_fatal", "Decreasing"),
)


def sensors(parts: SystemParts) -> tuple[Resource, ...]:
    path = f"{parts.chassis}/Sensors"
    known = sensors_of(parts)
    members = (*(f"{path}/{sensor.id}" for sensor in known), f"{path}/{ENERGY}")
    listing = collection(path, "SensorCollection", "Sensor Collection", lambda view: members)
    return (listing, *(_sensor(parts, f"{path}/{sensor.id}", sensor) for sensor in known), _energy(parts, f"{path}/{ENERGY}"))


def _sensor(parts: SystemParts, path: str, sensor: DerivedSensor) -> Resource:
    if sensor.source in FANS and "Sensor" in parts.profile.versions and not _knows_percent(parts.profile.versions["Sensor"]):
        return _fan_in_rpm(parts, path, sensor)
    low, high = RANGES[sensor.type]
    fixed: Json = {
        "ReadingType": sensor.type,
        "ReadingUnits": UNITS[sensor.type],
        "ReadingRangeMin": low,
        "ReadingRangeMax": high,
        "PhysicalContext": sensor.context,
        "Implementation": "PhysicalSensor",
        "RelatedItem": [link(sensor.item or parts.chassis)],
    }
    if sensor.sub is not None:
        fixed["PhysicalSubContext"] = sensor.sub
    if sensor.volts is not None:
        fixed["VoltageType"] = sensor.volts

    def body(view: RedfishBmc, reading: DerivedReading) -> Json:
        properties = {"Reading": reading.value, "Status": {"State": "Enabled", "Health": reading.health}} | fixed
        if thresholds := shown_limits(reading.limits):
            properties["Thresholds"] = thresholds
        return properties | {"SpeedRPM": rpm(reading.value)} if sensor.source in FANS else properties

    def state(call: RedfishCall) -> DerivedReading:
        return reading_of(call.view, parts.system_id, sensor)

    operations = {"PATCH": _limits_patch(parts, sensor)} if sensor.own and supported(sensor.limits) else {}
    return part(path, SENSOR_TYPE, sensor.name, body, state=state, operations=operations)


def _knows_percent(version: str) -> bool:
    """Whether this version of Sensor has the ReadingType Percent."""
    return version_of(f"#Sensor.{version}.Sensor") >= (1, 1, 0)


def _fan_in_rpm(parts: SystemParts, path: str, sensor: DerivedSensor) -> Resource:
    """A fan's sensor before Sensor 1.1: it tells the speed alone, and has no thresholds."""

    def body(view: RedfishBmc, reading: DerivedReading) -> Json:
        return {
            "ReadingType": "Rotational",
            "ReadingUnits": "RPM",
            "Reading": rpm(reading.value),
            "ReadingRangeMin": 0,
            "ReadingRangeMax": rpm(100),
            "PhysicalContext": sensor.context,
            "Status": {"State": "Enabled", "Health": reading.health},
        }

    return part(path, SENSOR_TYPE, sensor.name, body, state=lambda call: reading_of(call.view, parts.system_id, sensor))


def _limits_patch(parts: SystemParts, sensor: DerivedSensor) -> Operation:
    """PATCH of the thresholds that the sensor has. The core rounds them to the raw steps of the sensor, as for IPMI."""
    low, high = RANGES[sensor.type]
    names = {name: attribute for name, attribute, _ in _LIMITS if getattr(sensor.limits, attribute) is not None}
    number = sensor.source.number

    def write(call: RedfishCall, taken: Json) -> None:
        known = call.view.sensors.setup(number, parts.system_id)
        levels = known.thresholds.by_name()
        wanted = taken["Thresholds"]
        assert isinstance(wanted, dict)
        for name, limit in wanted.items():
            levels[names[name]] = sensor.source.value(sensor.source.raw(limit["Reading"] / sensor.gain))
        setup = replace(known, thresholds=Thresholds(**levels))
        call.view.sensors.set(number, setup, parts.system_id, call.seq)

    fields = {"Thresholds": ObjectRule({name: ObjectRule({"Reading": NumberRule(low=low, high=high)}) for name in names})}
    return patch(RedfishPrivilege.CONFIGURE_COMPONENTS, fields, write)


def readings(parts: SystemParts, *known: DerivedSensor) -> Callable[[RedfishCall], tuple[float | None, ...]]:
    """A `state`: the values of these sensors, in their order."""
    return lambda call: tuple(value_of(call.view, parts.system_id, sensor) for sensor in known)


def shown_limits(limits: Thresholds) -> Json:
    shown: Json = {}
    for name, attribute, activation in _LIMITS:
        reading = getattr(limits, attribute)
        if reading is not None:
            shown[name] = {"Reading": reading, "Activation": activation}
    return shown


def rpm(percent: float | None) -> float | None:
    return None if percent is None else round(percent * RATED_RPM / 100)


# -- excerpts -----------------------------------------------------------------------------------------------------------


def sensor_uri(parts: SystemParts, sensor_id: str) -> str:
    return f"{parts.chassis}/Sensors/{sensor_id}"


def excerpt(parts: SystemParts, sensor_id: str, value: float | None) -> Json:
    return {"DataSourceUri": sensor_uri(parts, sensor_id), "Reading": value}


def fan_excerpt(parts: SystemParts, sensor_id: str, value: float | None) -> Json:
    return excerpt(parts, sensor_id, value) | {"SpeedRPM": rpm(value)}


def array_excerpt(parts: SystemParts, sensor: DerivedSensor, value: float | None) -> Json:
    """An excerpt in an array: it names its device."""
    return excerpt(parts, sensor.id, value) | {"DeviceName": sensor.name, "PhysicalContext": sensor.context}


# -- energy -------------------------------------------------------------------------------------------------------------


def energy_of(call: RedfishCall, system_id: str) -> float:
    """Energy in kWh since the BMC began to count."""
    power = call.view.sensors.power(system_id)
    return round(power.average * power.period_s / 3_600_000, 3)


def _energy(parts: SystemParts, path: str) -> Resource:
    def body(view: RedfishBmc, kwh: float) -> Json:
        return {
            "ReadingType": "EnergykWh",
            "ReadingUnits": "kW.h",
            "Reading": kwh,
            "PhysicalContext": "Chassis",
            "Implementation": "Synthesized",
            "Status": {"State": "Enabled", "Health": "OK"},
            "RelatedItem": [link(parts.chassis)],
        }

    return part(path, SENSOR_TYPE, "Total Energy", body, state=lambda call: energy_of(call, parts.system_id))
