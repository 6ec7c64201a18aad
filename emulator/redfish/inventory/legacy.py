"""Power and Thermal: the resources that services had before PowerSubsystem and ThermalSubsystem. They show the same readings.

`all_resources` calls it for profiles with `power_and_thermal: legacy` or `both`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.core.bmc.sensors import Thresholds
from emulator.redfish.inventory.derived_sensors import DerivedReading, DerivedSensor, reading_of, sensors_of
from emulator.redfish.inventory.sensors import readings, rpm
from emulator.redfish.inventory.system_parts import SystemParts, energised, part, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import RedfishCall
from emulator.redfish.service.resource import Resource
from emulator.redfish.service.shapes import Json

POWER_TYPE: Final = "#Power.v1_5_4.Power"
THERMAL_TYPE: Final = "#Thermal.v1_5_3.Thermal"
_NAMES: Final = (
    ("UpperThresholdNonCritical", "upper_caution"),
    ("UpperThresholdCritical", "upper_critical"),
    ("UpperThresholdFatal", "upper_fatal"),
    ("LowerThresholdNonCritical", "lower_caution"),
    ("LowerThresholdCritical", "lower_critical"),
    ("LowerThresholdFatal", "lower_fatal"),
)


class PowerState(NamedTuple):
    """The readings that a Power resource shows."""

    current_w: float | None
    low_w: float | None
    average_w: int
    high_w: float | None
    interval_min: int
    voltages: tuple[DerivedReading, ...]
    supply_w: tuple[float | None, ...]


class ThermalState(NamedTuple):
    """The readings that a Thermal resource shows, and whether the main rails are up."""

    temperatures: tuple[DerivedReading, ...]
    fans: tuple[DerivedReading, ...]
    powered: bool


def legacy(parts: SystemParts) -> tuple[Resource, ...]:
    return (_power(parts), _thermal(parts))


def _limits(limits: Thresholds, scale: float = 1.0) -> Json:
    properties = {name: getattr(limits, attribute) for name, attribute in _NAMES}
    return {name: value if scale == 1.0 else round(value * scale) for name, value in properties.items() if value is not None}


def _member(path: str, listing: str, n: int, name: str) -> Json:
    return {"@odata.id": f"{path}#/{listing}/{n}", "MemberId": str(n), "Name": name}


def _power(parts: SystemParts) -> Resource:
    path = f"{parts.chassis}/Power"
    voltages = tuple(sensor for sensor in sensors_of(parts) if sensor.type == "Voltage")
    supplies = tuple(
        sensor
        for sensor in sensors_of(parts)
        if sensor.id.startswith("PSU") and sensor.id.endswith(("InputPower", "OutputPower"))
    )
    watts, count = parts.inventory.psu_watts, parts.inventory.power_supplies

    supply_watts = readings(parts, *supplies)

    def state(call: RedfishCall) -> PowerState:
        power = call.view.sensors.power(parts.system_id)
        return PowerState(
            current_w=power.current,
            low_w=power.low,
            average_w=round(power.average),
            high_w=power.high,
            interval_min=int(power.period_s // 60),
            voltages=_readings_of(call, parts, voltages),
            supply_w=supply_watts(call),
        )

    def body(view: RedfishBmc, state: PowerState) -> Json:
        by_id = dict(zip((sensor.id for sensor in supplies), state.supply_w, strict=True))
        control = _member(path, "PowerControl", 0, "Server Power Control") | {
            "PowerConsumedWatts": state.current_w,
            "PowerCapacityWatts": watts * max(1, count - 1),
            "PowerMetrics": {
                "IntervalInMin": state.interval_min,
                "MinConsumedWatts": state.low_w,
                "MaxConsumedWatts": state.high_w,
                "AverageConsumedWatts": state.average_w,
            },
            "Status": status(),
        }
        return {
            "PowerControl": [control],
            "Voltages": [_voltage(path, n, pair) for n, pair in enumerate(zip(voltages, state.voltages, strict=True))],
            "PowerSupplies": [
                _member(path, "PowerSupplies", n - 1, f"Power Supply {n}")
                | {
                    "PowerSupplyType": "AC",
                    "LineInputVoltageType": "AC240V",
                    "LineInputVoltage": 230,
                    "PowerCapacityWatts": watts,
                    "PowerInputWatts": by_id[f"PSU{n}InputPower"],
                    "PowerOutputWatts": by_id[f"PSU{n}OutputPower"],
                    "LastPowerOutputWatts": by_id[f"PSU{n}OutputPower"],
                    "Manufacturer": "Contoso Power",
                    "Model": f"CP-{watts}P",
                    "FirmwareVersion": "1.07",
                    "SerialNumber": parts.serial(view, f"PSU{n}"),
                    "PartNumber": f"CP{watts}-01",
                    "HotPluggable": True,
                    "Status": status(),
                }
                for n in range(1, count + 1)
            ],
        }

    return part(path, POWER_TYPE, "Power", body, state=state)


def _readings_of(call: RedfishCall, parts: SystemParts, known: tuple[DerivedSensor, ...]) -> tuple[DerivedReading, ...]:
    return tuple(reading_of(call.view, parts.system_id, sensor) for sensor in known)


def _voltage(path: str, n: int, pair: tuple[DerivedSensor, DerivedReading]) -> Json:
    sensor, reading = pair
    return _member(path, "Voltages", n, sensor.name) | {
        "ReadingVolts": reading.value,
        "PhysicalContext": sensor.context,
        "Status": {"State": "Enabled", "Health": reading.health},
        **_limits(reading.limits),
    }


def _thermal(parts: SystemParts) -> Resource:
    path = f"{parts.chassis}/Thermal"
    temperatures = tuple(sensor for sensor in sensors_of(parts) if sensor.type == "Temperature")
    fans = tuple(sensor for sensor in sensors_of(parts) if sensor.type == "Percent")

    def state(call: RedfishCall) -> ThermalState:
        return ThermalState(
            temperatures=_readings_of(call, parts, temperatures),
            fans=_readings_of(call, parts, fans),
            powered=energised(call.view, parts.system_id),
        )

    def body(view: RedfishBmc, state: ThermalState) -> Json:
        return {
            "Temperatures": [
                _member(path, "Temperatures", n, sensor.name)
                | {
                    "ReadingCelsius": reading.value,
                    "PhysicalContext": sensor.context,
                    "Status": {"State": "Enabled", "Health": reading.health},
                    **_limits(reading.limits),
                }
                for n, (sensor, reading) in enumerate(zip(temperatures, state.temperatures, strict=True))
            ],
            "Fans": [
                _member(path, "Fans", n, sensor.name)
                | {
                    "Reading": rpm(reading.value),
                    "ReadingUnits": "RPM",
                    "PhysicalContext": sensor.context,
                    "Status": status(state.powered) | ({"Health": reading.health} if state.powered else {}),
                    **_limits(reading.limits, 120.0),
                }
                for n, (sensor, reading) in enumerate(zip(fans, state.fans, strict=True))
            ],
        }

    return part(path, THERMAL_TYPE, "Thermal", body, state=state)
