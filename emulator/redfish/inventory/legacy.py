"""Power and Thermal as services had them before PowerSubsystem and ThermalSubsystem; same readings, older shape."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from emulator.core.bmc.sensors import Thresholds
from emulator.redfish.inventory.derived_sensors import DerivedSensor, Show, gauges, shows
from emulator.redfish.inventory.sensors import reads, rpm
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


def legacy(box: SystemParts) -> tuple[Resource, ...]:
    return (_power(box), _thermal(box))


def _limits(limits: Thresholds, scale: float = 1.0) -> Json:
    told = {name: getattr(limits, attribute) for name, attribute in _NAMES}
    return {name: value if scale == 1.0 else round(value * scale) for name, value in told.items() if value is not None}


def _member(path: str, listing: str, n: int, name: str) -> Json:
    return {"@odata.id": f"{path}#/{listing}/{n}", "MemberId": str(n), "Name": name}


def _power(box: SystemParts) -> Resource:
    path = f"{box.chassis}/Power"
    voltages = tuple(gauge for gauge in gauges(box) if gauge.type == "Voltage")
    supplies = tuple(
        gauge for gauge in gauges(box) if gauge.id.startswith("PSU") and gauge.id.endswith(("InputPower", "OutputPower"))
    )
    watts, count = box.parts.psu_watts, box.parts.power_supplies

    def state(call: RedfishCall) -> Hashable:
        told = call.view.sensors.power(box.system_id)
        figures = (told.current, told.low, round(told.average), told.high, int(told.period_s // 60))
        return (figures, _shown(call, box, voltages), reads(box, *supplies)(call))

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        (current, low, average, high, minutes), volts, psu = state
        by_id = dict(zip((gauge.id for gauge in supplies), psu, strict=True))
        control = _member(path, "PowerControl", 0, "Server Power Control") | {
            "PowerConsumedWatts": current,
            "PowerCapacityWatts": watts * max(1, count - 1),
            "PowerMetrics": {
                "IntervalInMin": minutes,
                "MinConsumedWatts": low,
                "MaxConsumedWatts": high,
                "AverageConsumedWatts": average,
            },
            "Status": status(),
        }
        return {
            "PowerControl": [control],
            "Voltages": [_voltage(path, n, pair) for n, pair in enumerate(zip(voltages, volts, strict=True))],
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
                    "SerialNumber": box.serial(view, f"PSU{n}"),
                    "PartNumber": f"CP{watts}-01",
                    "HotPluggable": True,
                    "Status": status(),
                }
                for n in range(1, count + 1)
            ],
        }

    return part(path, POWER_TYPE, "Power", body, state=state)


def _shown(call: RedfishCall, box: SystemParts, known: tuple[DerivedSensor, ...]) -> tuple[Show, ...]:
    return tuple(shows(call.view, box.system_id, gauge) for gauge in known)


def _voltage(path: str, n: int, pair: tuple[DerivedSensor, Show]) -> Json:
    gauge, show = pair
    return _member(path, "Voltages", n, gauge.name) | {
        "ReadingVolts": show.value,
        "PhysicalContext": gauge.context,
        "Status": {"State": "Enabled", "Health": show.health},
        **_limits(show.limits),
    }


def _thermal(box: SystemParts) -> Resource:
    path = f"{box.chassis}/Thermal"
    warm = tuple(gauge for gauge in gauges(box) if gauge.type == "Temperature")
    fans = tuple(gauge for gauge in gauges(box) if gauge.type == "Percent")

    def state(call: RedfishCall) -> Hashable:
        return (_shown(call, box, (*warm, *fans)), energised(call.view, box.system_id))

    def body(view: RedfishBmc, state: Hashable) -> Json:
        assert isinstance(state, tuple)
        seen, powered = state
        return {
            "Temperatures": [
                _member(path, "Temperatures", n, gauge.name)
                | {
                    "ReadingCelsius": show.value,
                    "PhysicalContext": gauge.context,
                    "Status": {"State": "Enabled", "Health": show.health},
                    **_limits(show.limits),
                }
                for n, (gauge, show) in enumerate(zip(warm, seen, strict=False))
            ],
            "Fans": [
                _member(path, "Fans", n, gauge.name)
                | {
                    "Reading": rpm(show.value),
                    "ReadingUnits": "RPM",
                    "PhysicalContext": gauge.context,
                    "Status": status(powered) | ({"Health": show.health} if powered else {}),
                    **_limits(show.limits, 120.0),
                }
                for n, (gauge, show) in enumerate(zip(fans, seen[len(warm) :], strict=True))
            ],
        }

    return part(path, THERMAL_TYPE, "Thermal", body, state=state)
