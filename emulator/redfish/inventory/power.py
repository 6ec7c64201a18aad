"""PowerSubsystem, its power supplies and their metrics, and the EnvironmentMetrics of a chassis."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from emulator.redfish.inventory.derived_sensors import DerivedSensor, gauges, value_of
from emulator.redfish.inventory.saved_settings import LOCATION, keeps
from emulator.redfish.inventory.sensors import ENERGY, energy_of, excerpt, fan_excerpt, reads
from emulator.redfish.inventory.system_parts import SystemParts, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

SUBSYSTEM_TYPE: Final = "#PowerSubsystem.v1_1_3.PowerSubsystem"
SUPPLY_TYPE: Final = "#PowerSupply.v1_6_0.PowerSupply"
METRICS_TYPE: Final = "#PowerSupplyMetrics.v1_2_0.PowerSupplyMetrics"
ENVIRONMENT_TYPE: Final = "#EnvironmentMetrics.v1_5_0.EnvironmentMetrics"


def subsystem_path(box: SystemParts) -> str:
    return f"{box.chassis}/PowerSubsystem"


def supply_paths(box: SystemParts) -> tuple[str, ...]:
    return tuple(f"{subsystem_path(box)}/PowerSupplies/PSU{n}" for n in range(1, box.parts.power_supplies + 1))


def power(box: SystemParts) -> tuple[Resource, ...]:
    path = subsystem_path(box)
    supplies = supply_paths(box)
    found = [
        _subsystem(box),
        collection(f"{path}/PowerSupplies", "PowerSupplyCollection", "Power Supplies", lambda view: supplies),
    ]
    for n, supply in enumerate(supplies, start=1):
        found += [_supply(box, supply, n), _metrics(box, supply, n)]
    return (*found, environment(box))


def _subsystem(box: SystemParts) -> Resource:
    supplies, watts = supply_paths(box), box.parts.psu_watts

    def body(view: RedfishBmc, state: Hashable) -> Json:
        told: Json = {
            "Status": status(),
            "CapacityWatts": watts * max(1, len(supplies) - 1),
            "Allocation": {"RequestedWatts": watts, "AllocatedWatts": watts},
            "PowerSupplies": link(f"{subsystem_path(box)}/PowerSupplies"),
        }
        if len(supplies) > 1:
            told["PowerSupplyRedundancy"] = [
                {
                    "GroupName": "Power Supplies",
                    "RedundancyType": "NPlusM",
                    "MinNeededInGroup": len(supplies) - 1,
                    "MaxSupportedInGroup": len(supplies),
                    "RedundancyGroup": links(supplies),
                    "Status": status(),
                }
            ]
        return told

    return part(subsystem_path(box), SUBSYSTEM_TYPE, "Power Subsystem", body)


def _supply(box: SystemParts, path: str, n: int) -> Resource:
    watts = box.parts.psu_watts

    def body(view: RedfishBmc, state: Hashable) -> Json:
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
            "SerialNumber": box.serial(view, f"PSU{n}"),
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
            "Links": {"PoweringChassis": [link(box.chassis)]},
        } | view.settings.of(path)

    return part(path, SUPPLY_TYPE, f"Power Supply {n}", body, operations=keeps(path, LOCATION))


def _metrics(box: SystemParts, supply: str, n: int) -> Resource:
    own = {gauge.id.removeprefix(f"PSU{n}"): gauge for gauge in gauges(box) if gauge.item == supply}
    known = tuple(own.values())

    def body(view: RedfishBmc, values: Hashable) -> Json:
        assert isinstance(values, tuple)
        told = {what: excerpt(box, gauge.id, value) for (what, gauge), value in zip(own.items(), values, strict=True)}
        return {
            "Status": status(),
            "InputVoltage": told["InputVoltage"],
            "InputCurrentAmps": told["InputCurrent"],
            "InputPowerWatts": told["InputPower"],
            "OutputPowerWatts": told["OutputPower"],
            "RailVoltage": [told["OutputVoltage"]],
            "RailCurrentAmps": [told["OutputCurrent"]],
            "RailPowerWatts": [told["OutputPower"]],
            "TemperatureCelsius": told["Temp"],
        }

    return part(f"{supply}/Metrics", METRICS_TYPE, f"Metrics for Power Supply {n}", body, state=reads(box, *known))


def environment(box: SystemParts) -> Resource:
    """Of the whole chassis."""
    by_id = {gauge.id: gauge for gauge in gauges(box)}
    fans = tuple(gauge for gauge in by_id.values() if gauge.type == "Percent")
    capacity = box.parts.psu_watts * max(1, box.parts.power_supplies - 1)
    total = by_id["TotalPower"]

    def state(call: RedfishCall) -> Hashable:
        read = reads(box, by_id["InletTemp"], total, *fans)(call)
        return (read, energy_of(call, box.system_id))

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        (inlet, watts, *speeds), kwh = state
        return {
            "TemperatureCelsius": excerpt(box, "InletTemp", inlet),
            "AmbientTemperatureCelsius": excerpt(box, "InletTemp", inlet),
            "PowerWatts": excerpt(box, "TotalPower", watts),
            "EnergykWh": excerpt(box, ENERGY, kwh),
            "PowerLoadPercent": {"Reading": None if watts is None else round(100 * watts / capacity, 1)},
            "FanSpeedsPercent": [
                fan_excerpt(box, fan.id, speed) | {"DeviceName": fan.name} for fan, speed in zip(fans, speeds, strict=True)
            ],
        }

    return part(f"{box.chassis}/EnvironmentMetrics", ENVIRONMENT_TYPE, "Chassis Environment Metrics", body, state=state)


def part_environment(box: SystemParts, owner: str, name: str) -> Resource:
    """Temperature and power of one part, as far as it has gauges."""
    own = tuple(gauge for gauge in gauges(box) if gauge.item == owner and gauge.type in ("Temperature", "Power"))
    temperature = next(gauge for gauge in own if gauge.type == "Temperature")
    watts = next((gauge for gauge in own if gauge.type == "Power"), None)

    def state(call: RedfishCall) -> Hashable:
        return (value_of(call.view, box.system_id, temperature), _optional(call, box, watts))

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        told: Json = {"TemperatureCelsius": excerpt(box, temperature.id, state[0])}
        return told if watts is None else told | {"PowerWatts": excerpt(box, watts.id, state[1])}

    return part(f"{owner}/EnvironmentMetrics", ENVIRONMENT_TYPE, f"{name} Environment Metrics", body, state=state)


def _optional(call: RedfishCall, box: SystemParts, gauge: DerivedSensor | None) -> float | None:
    return None if gauge is None else value_of(call.view, box.system_id, gauge)
