"""PowerSubsystem, its power supplies and their metrics, and EnvironmentMetrics of the chassis and of parts.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.redfish.inventory.derived_sensors import DerivedSensor, sensors_of, value_of
from emulator.redfish.inventory.saved_settings import LOCATION, save_patch
from emulator.redfish.inventory.sensors import ENERGY, energy_of, excerpt, fan_excerpt, readings
from emulator.redfish.inventory.system_parts import SystemParts, fixed_part, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

SUBSYSTEM_TYPE: Final = "#PowerSubsystem.v1_1_3.PowerSubsystem"
SUPPLY_TYPE: Final = "#PowerSupply.v1_6_0.PowerSupply"
METRICS_TYPE: Final = "#PowerSupplyMetrics.v1_2_0.PowerSupplyMetrics"
ENVIRONMENT_TYPE: Final = "#EnvironmentMetrics.v1_5_0.EnvironmentMetrics"


def subsystem_path(parts: SystemParts) -> str:
    return f"{parts.chassis}/PowerSubsystem"


def supply_paths(parts: SystemParts) -> tuple[str, ...]:
    return tuple(f"{subsystem_path(parts)}/PowerSupplies/PSU{n}" for n in range(1, parts.inventory.power_supplies + 1))


def power(parts: SystemParts) -> tuple[Resource, ...]:
    path = subsystem_path(parts)
    supplies = supply_paths(parts)
    found = [
        _subsystem(parts),
        collection(f"{path}/PowerSupplies", "PowerSupplyCollection", "Power Supplies", lambda view: supplies),
    ]
    for n, supply in enumerate(supplies, start=1):
        found += [_supply(parts, supply, n), _metrics(parts, supply, n)]
    return (*found, environment(parts))


def _subsystem(parts: SystemParts) -> Resource:
    supplies, watts = supply_paths(parts), parts.inventory.psu_watts

    def body(view: RedfishBmc) -> Json:
        properties: Json = {
            "Status": status(),
            "CapacityWatts": watts * max(1, len(supplies) - 1),
            "Allocation": {"RequestedWatts": watts, "AllocatedWatts": watts},
            "PowerSupplies": link(f"{subsystem_path(parts)}/PowerSupplies"),
        }
        if len(supplies) > 1:
            properties["PowerSupplyRedundancy"] = [
                {
                    "GroupName": "Power Supplies",
                    "RedundancyType": "NPlusM",
                    "MinNeededInGroup": len(supplies) - 1,
                    "MaxSupportedInGroup": len(supplies),
                    "RedundancyGroup": links(supplies),
                    "Status": status(),
                }
            ]
        return properties

    return fixed_part(subsystem_path(parts), SUBSYSTEM_TYPE, "Power Subsystem", body)


def _supply(parts: SystemParts, path: str, n: int) -> Resource:
    watts = parts.inventory.psu_watts

    def body(view: RedfishBmc) -> Json:
        return {
            "PowerSupplyType": "AC",
            "InputNominalVoltageType": "AC240V",
            "OutputNominalVoltageType": "DC12V",
            "LineInputStatus": "Normal",
            "PowerCapacityWatts": watts,
            "PhaseWiringType": "OnePhase3Wire",
            "PlugType": "IEC_60320_C14",
            "Manufacturer": "Contoso Power",
            "Model": f"CP-{watts}P",
            "FirmwareVersion": "1.07",
            "SerialNumber": parts.serial(view, f"PSU{n}"),
            "PartNumber": f"CP{watts}-01",
            "SparePartNumber": f"CP{watts}-00",
            "HotPluggable": True,
            "Replaceable": True,
            "Status": status(),
            "InputRanges": [{"NominalVoltageType": "AC200To240V", "CapacityWatts": watts}],
            "OutputRails": [{"NominalVoltage": 12, "PhysicalContext": "SystemBoard"}],
            "EfficiencyRatings": [
                {"LoadPercent": 20, "EfficiencyPercent": 90},
                {"LoadPercent": 50, "EfficiencyPercent": 94},
                {"LoadPercent": 100, "EfficiencyPercent": 91},
            ],
            "Location": place(f"PSU {n}", "Bay", n - 1),
            "LocationIndicatorActive": False,
            "Metrics": link(f"{path}/Metrics"),
            "Links": {"PoweringChassis": [link(parts.chassis)]},
        } | view.settings.of(path)

    return fixed_part(path, SUPPLY_TYPE, f"Power Supply {n}", body, operations=save_patch(path, LOCATION))


def _metrics(parts: SystemParts, supply: str, n: int) -> Resource:
    own = {sensor.id.removeprefix(f"PSU{n}"): sensor for sensor in sensors_of(parts) if sensor.item == supply}
    known = tuple(own.values())

    def body(view: RedfishBmc, values: tuple[float | None, ...]) -> Json:
        properties = {what: excerpt(parts, sensor.id, value) for (what, sensor), value in zip(own.items(), values, strict=True)}
        return {
            "Status": status(),
            "InputVoltage": properties["InputVoltage"],
            "InputCurrentAmps": properties["InputCurrent"],
            "InputPowerWatts": properties["InputPower"],
            "OutputPowerWatts": properties["OutputPower"],
            "RailVoltage": [properties["OutputVoltage"]],
            "RailCurrentAmps": [properties["OutputCurrent"]],
            "RailPowerWatts": [properties["OutputPower"]],
            "TemperatureCelsius": properties["Temp"],
        }

    return part(f"{supply}/Metrics", METRICS_TYPE, f"Metrics for Power Supply {n}", body, state=readings(parts, *known))


class EnvironmentState(NamedTuple):
    """The readings of a whole chassis; None: unknown."""

    inlet_c: float | None
    power_w: float | None
    fan_percent: tuple[float | None, ...]
    energy_kwh: float


class PartEnvironmentState(NamedTuple):
    """The readings of one part; None: unknown, or the part has no such sensor."""

    temperature_c: float | None
    power_w: float | None


def environment(parts: SystemParts) -> Resource:
    """EnvironmentMetrics of the whole chassis."""
    by_id = {sensor.id: sensor for sensor in sensors_of(parts)}
    fans = tuple(sensor for sensor in by_id.values() if sensor.type == "Percent")
    capacity = parts.inventory.psu_watts * max(1, parts.inventory.power_supplies - 1)
    total = by_id["TotalPower"]

    read = readings(parts, by_id["InletTemp"], total, *fans)

    def state(call: RedfishCall) -> EnvironmentState:
        inlet, watts, *speeds = read(call)
        return EnvironmentState(inlet, watts, tuple(speeds), energy_of(call, parts.system_id))

    def body(view: RedfishBmc, state: EnvironmentState) -> Json:
        watts = state.power_w
        return {
            "TemperatureCelsius": excerpt(parts, "InletTemp", state.inlet_c),
            "AmbientTemperatureCelsius": excerpt(parts, "InletTemp", state.inlet_c),
            "PowerWatts": excerpt(parts, "TotalPower", watts),
            "EnergykWh": excerpt(parts, ENERGY, state.energy_kwh),
            "PowerLoadPercent": {"Reading": None if watts is None else round(100 * watts / capacity, 1)},
            "FanSpeedsPercent": [
                fan_excerpt(parts, fan.id, speed) | {"DeviceName": fan.name}
                for fan, speed in zip(fans, state.fan_percent, strict=True)
            ],
        }

    return part(f"{parts.chassis}/EnvironmentMetrics", ENVIRONMENT_TYPE, "Chassis Environment Metrics", body, state=state)


def part_environment(parts: SystemParts, owner: str, name: str) -> Resource:
    """EnvironmentMetrics of the part at path `owner`: its temperature, and its power if it has a sensor for it."""
    own = tuple(sensor for sensor in sensors_of(parts) if sensor.item == owner and sensor.type in ("Temperature", "Power"))
    temperature = next(sensor for sensor in own if sensor.type == "Temperature")
    watts = next((sensor for sensor in own if sensor.type == "Power"), None)

    def state(call: RedfishCall) -> PartEnvironmentState:
        return PartEnvironmentState(value_of(call.view, parts.system_id, temperature), _optional(call, parts, watts))

    def body(view: RedfishBmc, state: PartEnvironmentState) -> Json:
        properties: Json = {"TemperatureCelsius": excerpt(parts, temperature.id, state.temperature_c)}
        return properties if watts is None else properties | {"PowerWatts": excerpt(parts, watts.id, state.power_w)}

    return part(f"{owner}/EnvironmentMetrics", ENVIRONMENT_TYPE, f"{name} Environment Metrics", body, state=state)


def _optional(call: RedfishCall, parts: SystemParts, sensor: DerivedSensor | None) -> float | None:
    return None if sensor is None else value_of(call.view, parts.system_id, sensor)
