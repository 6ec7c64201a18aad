"""The Sensors of a chassis, and excerpts of them in other resources."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Final

from emulator.core.bmc.sensor_setup import supported
from emulator.core.bmc.sensors import FANS, Thresholds
from emulator.redfish.inventory.derived_sensors import RANGES, RATED_RPM, UNITS, DerivedSensor, Show, gauges, shows, value_of
from emulator.redfish.inventory.system_parts import SystemParts, part
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Operation, RedfishPrivilege, Resource, collection, link
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


def sensors(box: SystemParts) -> tuple[Resource, ...]:
    path = f"{box.chassis}/Sensors"
    known = gauges(box)
    members = (*(f"{path}/{gauge.id}" for gauge in known), f"{path}/{ENERGY}")
    listing = collection(path, "SensorCollection", "Sensor Collection", lambda view: members)
    return (listing, *(_sensor(box, f"{path}/{gauge.id}", gauge) for gauge in known), _energy(box, f"{path}/{ENERGY}"))


def _sensor(box: SystemParts, path: str, gauge: DerivedSensor) -> Resource:
    low, high = RANGES[gauge.type]
    fixed: Json = {
        "ReadingType": gauge.type,
        "ReadingUnits": UNITS[gauge.type],
        "ReadingRangeMin": low,
        "ReadingRangeMax": high,
        "PhysicalContext": gauge.context,
        "Implementation": "PhysicalSensor",
        "RelatedItem": [link(gauge.item or box.chassis)],
    }
    if gauge.sub is not None:
        fixed["PhysicalSubContext"] = gauge.sub
    if gauge.volts is not None:
        fixed["VoltageType"] = gauge.volts

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, Show)
        told = {"Reading": state.value, "Status": {"State": "Enabled", "Health": state.health}} | fixed
        if thresholds := shown_limits(state.limits):
            told["Thresholds"] = thresholds
        return told | {"SpeedRPM": rpm(state.value)} if gauge.source in FANS else told

    def state(call: RedfishCall) -> Hashable:
        return shows(call.view, box.system_id, gauge)

    operations = {"PATCH": _limits_patch(box, gauge)} if gauge.own and supported(gauge.limits) else {}
    return part(path, SENSOR_TYPE, gauge.name, body, state=state, operations=operations)


def _limits_patch(box: SystemParts, gauge: DerivedSensor) -> Operation:
    """PATCH of the limits that the sensor has. They are kept in its own steps, as IPMI sets them too."""
    low, high = RANGES[gauge.type]
    names = {name: attribute for name, attribute, _ in _LIMITS if getattr(gauge.limits, attribute) is not None}
    number = gauge.source.number

    def write(call: RedfishCall, taken: Json) -> None:
        known = call.view.sensors.setup(number, box.system_id)
        levels = known.thresholds.by_name()
        wanted = taken["Thresholds"]
        assert isinstance(wanted, dict)
        for name, limit in wanted.items():
            levels[names[name]] = gauge.source.value(gauge.source.raw(limit["Reading"] / gauge.gain))
        setup = replace(known, thresholds=Thresholds(**levels))
        call.view.sensors.set(number, setup, box.system_id, call.seq)

    fields = {"Thresholds": ObjectRule({name: ObjectRule({"Reading": NumberRule(low=low, high=high)}) for name in names})}
    return patch(RedfishPrivilege.CONFIGURE_COMPONENTS, fields, write)


def reads(box: SystemParts, *known: DerivedSensor) -> Callable[[RedfishCall], Hashable]:
    """A `state`: the value of the gauge, or of all of them."""
    if len(known) == 1:
        return lambda call: value_of(call.view, box.system_id, known[0])
    return lambda call: tuple(value_of(call.view, box.system_id, gauge) for gauge in known)


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


def uri_of(box: SystemParts, sensor_id: str) -> str:
    return f"{box.chassis}/Sensors/{sensor_id}"


def excerpt(box: SystemParts, sensor_id: str, value: object) -> Json:
    return {"DataSourceUri": uri_of(box, sensor_id), "Reading": value}


def fan_excerpt(box: SystemParts, sensor_id: str, value: object) -> Json:
    assert value is None or isinstance(value, float)
    return excerpt(box, sensor_id, value) | {"SpeedRPM": rpm(value)}


def array_excerpt(box: SystemParts, gauge: DerivedSensor, value: object) -> Json:
    """One of several: it says which one it is."""
    return excerpt(box, gauge.id, value) | {"DeviceName": gauge.name, "PhysicalContext": gauge.context}


# -- energy -------------------------------------------------------------------------------------------------------------


def energy_of(call: RedfishCall, system_id: str) -> float:
    """kWh since the BMC began to count."""
    told = call.view.sensors.power(system_id)
    return round(told.average * told.period_s / 3_600_000, 3)


def _energy(box: SystemParts, path: str) -> Resource:
    def body(view: RedfishBmc, kwh: Hashable) -> Json:
        return {
            "ReadingType": "EnergykWh",
            "ReadingUnits": "kW.h",
            "Reading": kwh,
            "PhysicalContext": "Chassis",
            "Implementation": "Synthesized",
            "Status": {"State": "Enabled", "Health": "OK"},
            "RelatedItem": [link(box.chassis)],
        }

    return part(path, SENSOR_TYPE, "Total Energy", body, state=lambda call: energy_of(call, box.system_id))
