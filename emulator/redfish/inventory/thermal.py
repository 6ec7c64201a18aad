"""ThermalSubsystem, its fans and ThermalMetrics.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.redfish.inventory.derived_sensors import RATED_RPM, sensors_of, value_of
from emulator.redfish.inventory.saved_settings import LOCATION, save_patch
from emulator.redfish.inventory.sensors import array_excerpt, excerpt, fan_excerpt, readings
from emulator.redfish.inventory.system_parts import SystemParts, energised, fixed_part, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

SUBSYSTEM_TYPE: Final = "#ThermalSubsystem.v1_5_0.ThermalSubsystem"
FAN_TYPE: Final = "#Fan.v1_6_0.Fan"
METRICS_TYPE: Final = "#ThermalMetrics.v1_3_2.ThermalMetrics"


def subsystem_path(parts: SystemParts) -> str:
    return f"{parts.chassis}/ThermalSubsystem"


def fan_paths(parts: SystemParts) -> tuple[str, ...]:
    return tuple(f"{subsystem_path(parts)}/Fans/Fan{n}" for n in range(1, parts.inventory.fans + 1))


class FanState(NamedTuple):
    """What changes of a Fan: its speed (None: unknown) and whether the main rails are up."""

    speed_percent: float | None
    powered: bool


def thermal(parts: SystemParts) -> tuple[Resource, ...]:
    path, fans = subsystem_path(parts), fan_paths(parts)
    listing = collection(f"{path}/Fans", "FanCollection", "Fans", lambda view: fans)
    return (_subsystem(parts), listing, *(_fan(parts, fan, n) for n, fan in enumerate(fans, start=1)), _metrics(parts))


def _subsystem(parts: SystemParts) -> Resource:
    path, fans = subsystem_path(parts), fan_paths(parts)

    def body(view: RedfishBmc) -> Json:
        properties: Json = {
            "Status": status(),
            "Fans": link(f"{path}/Fans"),
            "ThermalMetrics": link(f"{path}/ThermalMetrics"),
        }
        if len(fans) > 1:
            properties["FanRedundancy"] = [
                {
                    "GroupName": "System Fans",
                    "RedundancyType": "NPlusM",
                    "MinNeededInGroup": len(fans) - 1,
                    "MaxSupportedInGroup": len(fans),
                    "RedundancyGroup": links(fans),
                    "Status": status(),
                }
            ]
        return properties

    return fixed_part(path, SUBSYSTEM_TYPE, "Thermal Subsystem", body)


def _fan(parts: SystemParts, path: str, n: int) -> Resource:
    sensor = next(sensor for sensor in sensors_of(parts) if sensor.id == f"Fan{n}")

    def state(call: RedfishCall) -> FanState:
        return FanState(value_of(call.view, parts.system_id, sensor), energised(call.view, parts.system_id))

    def body(view: RedfishBmc, state: FanState) -> Json:
        return {
            "PhysicalContext": "SystemBoard",
            "Status": status(state.powered),
            "Manufacturer": "Contoso Cooling",
            "Model": "CC-4056",
            "SerialNumber": parts.serial(view, f"Fan{n}"),
            "PartNumber": "CC4056-12",
            "SparePartNumber": "CC4056-00",
            "HotPluggable": True,
            "Replaceable": True,
            "FanDiameterMm": 40,
            "RatedSpeedRPM": int(RATED_RPM),
            "SpeedPercent": fan_excerpt(parts, sensor.id, state.speed_percent),
            "Location": place(f"Fan Bay {n}", "Bay", n - 1),
            "LocationIndicatorActive": False,
            "Links": {"CoolingChassis": [link(parts.chassis)]},
        } | view.settings.of(path)

    return part(path, FAN_TYPE, f"Fan {n}", body, state=state, operations=save_patch(path, LOCATION))


def _metrics(parts: SystemParts) -> Resource:
    known = tuple(sensor for sensor in sensors_of(parts) if sensor.type == "Temperature")
    ids = {"Intake": "InletTemp", "Ambient": "InletTemp", "Exhaust": "ExhaustTemp", "Internal": "BoardTemp"}

    def body(view: RedfishBmc, values: tuple[float | None, ...]) -> Json:
        read = {sensor.id: value for sensor, value in zip(known, values, strict=True)}
        return {
            "TemperatureSummaryCelsius": {what: excerpt(parts, sensor_id, read[sensor_id]) for what, sensor_id in ids.items()},
            "TemperatureReadingsCelsius": [array_excerpt(parts, sensor, read[sensor.id]) for sensor in known],
        }

    return part(f"{subsystem_path(parts)}/ThermalMetrics", METRICS_TYPE, "Thermal Metrics", body, state=readings(parts, *known))
