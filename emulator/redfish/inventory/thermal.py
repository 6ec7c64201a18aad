"""ThermalSubsystem, its fans and ThermalMetrics."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from emulator.redfish.inventory.derived_sensors import RATED_RPM, gauges, value_of
from emulator.redfish.inventory.saved_settings import LOCATION, keeps
from emulator.redfish.inventory.sensors import array_excerpt, excerpt, fan_excerpt, reads
from emulator.redfish.inventory.system_parts import SystemParts, energised, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

SUBSYSTEM_TYPE: Final = "#ThermalSubsystem.v1_5_0.ThermalSubsystem"
FAN_TYPE: Final = "#Fan.v1_6_0.Fan"
METRICS_TYPE: Final = "#ThermalMetrics.v1_3_2.ThermalMetrics"


def subsystem_path(box: SystemParts) -> str:
    return f"{box.chassis}/ThermalSubsystem"


def fan_paths(box: SystemParts) -> tuple[str, ...]:
    return tuple(f"{subsystem_path(box)}/Fans/Fan{n}" for n in range(1, box.parts.fans + 1))


def thermal(box: SystemParts) -> tuple[Resource, ...]:
    path, fans = subsystem_path(box), fan_paths(box)
    listing = collection(f"{path}/Fans", "FanCollection", "Fans", lambda view: fans)
    return (_subsystem(box), listing, *(_fan(box, fan, n) for n, fan in enumerate(fans, start=1)), _metrics(box))


def _subsystem(box: SystemParts) -> Resource:
    path, fans = subsystem_path(box), fan_paths(box)

    def body(view: RedfishBmc, state: Hashable) -> Json:
        told: Json = {
            "Status": status(),
            "Fans": link(f"{path}/Fans"),
            "ThermalMetrics": link(f"{path}/ThermalMetrics"),
        }
        if len(fans) > 1:
            told["FanRedundancy"] = [
                {
                    "GroupName": "System Fans",
                    "RedundancyType": "NPlusM",
                    "MinNeededInGroup": len(fans) - 1,
                    "MaxSupportedInGroup": len(fans),
                    "RedundancyGroup": links(fans),
                    "Status": status(),
                }
            ]
        return told

    return part(path, SUBSYSTEM_TYPE, "Thermal Subsystem", body)


def _fan(box: SystemParts, path: str, n: int) -> Resource:
    gauge = next(gauge for gauge in gauges(box) if gauge.id == f"Fan{n}")

    def state(call: RedfishCall) -> Hashable:
        return (value_of(call.view, box.system_id, gauge), energised(call.view, box.system_id))

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        speed, powered = state
        return {
            "PhysicalContext": "SystemBoard",
            "Status": status(powered),
            "Manufacturer": "Contoso Cooling",
            "Model": "CC-4056",
            "SerialNumber": box.serial(view, f"Fan{n}"),
            "PartNumber": "CC4056-12",
            "SparePartNumber": "CC4056-00",
            "HotPluggable": True,
            "Replaceable": True,
            "FanDiameterMm": 40,
            "RatedSpeedRPM": int(RATED_RPM),
            "SpeedPercent": fan_excerpt(box, gauge.id, speed),
            "Location": place(f"Fan Bay {n}", "Bay", n - 1),
            "LocationIndicatorActive": False,
            "Links": {"CoolingChassis": [link(box.chassis)]},
        } | view.settings.of(path)

    return part(path, FAN_TYPE, f"Fan {n}", body, state=state, operations=keeps(path, LOCATION))


def _metrics(box: SystemParts) -> Resource:
    known = tuple(gauge for gauge in gauges(box) if gauge.type == "Temperature")
    ids = {"Intake": "InletTemp", "Ambient": "InletTemp", "Exhaust": "ExhaustTemp", "Internal": "BoardTemp"}

    def body(view: RedfishBmc, values: Hashable) -> Json:
        assert isinstance(values, tuple)
        read = {gauge.id: value for gauge, value in zip(known, values, strict=True)}
        return {
            "TemperatureSummaryCelsius": {what: excerpt(box, sensor, read[sensor]) for what, sensor in ids.items()},
            "TemperatureReadingsCelsius": [array_excerpt(box, gauge, read[gauge.id]) for gauge in known],
        }

    return part(f"{subsystem_path(box)}/ThermalMetrics", METRICS_TYPE, "Thermal Metrics", body, state=reads(box, *known))
