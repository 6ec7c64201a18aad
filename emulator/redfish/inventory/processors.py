"""Processors, their cores and their metrics.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from typing import Final

from emulator.redfish.inventory.derived_sensors import sensors_of
from emulator.redfish.inventory.memory import dimms_of
from emulator.redfish.inventory.power import part_environment
from emulator.redfish.inventory.saved_settings import LOCATION, save_patch
from emulator.redfish.inventory.sensors import excerpt, readings
from emulator.redfish.inventory.system_parts import SystemParts, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import Resource, collection, link, links
from emulator.redfish.service.shapes import Json

PROCESSOR_TYPE: Final = "#Processor.v1_22_0.Processor"
METRICS_TYPE: Final = "#ProcessorMetrics.v1_7_0.ProcessorMetrics"
BASE_MHZ: Final = 2400
MAX_MHZ: Final = 3700
THREADS: Final = 2
TDP_W: Final = 150
L3_PER_CORE_MIB: Final = 2


def processor_paths(parts: SystemParts) -> tuple[str, ...]:
    return tuple(f"{parts.system}/Processors/CPU{n}" for n in range(1, parts.inventory.processors + 1))


def processors(parts: SystemParts) -> tuple[Resource, ...]:
    paths = processor_paths(parts)
    found = [collection(f"{parts.system}/Processors", "ProcessorCollection", "Processors Collection", lambda view: paths)]
    for n, path in enumerate(paths, start=1):
        found += [_processor(parts, path, n), _metrics(parts, path, n), part_environment(parts, path, f"CPU {n}")]
        found += _cores(parts, path)
    return tuple(found)


def summary(parts: SystemParts) -> Json:
    """ComputerSystem.ProcessorSummary."""
    inventory = parts.inventory
    return {
        "Count": inventory.processors,
        "Model": inventory.processor_model,
        "CoreCount": inventory.processors * inventory.cores,
        "LogicalProcessorCount": inventory.processors * inventory.cores * THREADS,
        "ThreadingEnabled": True,
    }


def _processor(parts: SystemParts, path: str, n: int) -> Resource:
    inventory = parts.inventory

    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "Socket": f"CPU {n}",
            "ProcessorType": "CPU",
            "ProcessorArchitecture": "x86",
            "InstructionSet": "x86-64",
            "ProcessorId": {
                "VendorId": "GenuineIntel",
                "IdentificationRegisters": "0x000606A6",
                "EffectiveFamily": "0x06",
                "EffectiveModel": "0x6A",
                "Step": "0x6",
                "MicrocodeInfo": "0xD0003A5",
            },
            "Manufacturer": inventory.processor_maker,
            "Model": inventory.processor_model,
            "SerialNumber": parts.serial(view, f"CPU{n}"),
            "PartNumber": "CX-7000",
            "Family": "Xeon",
            "ProcessorIndex": n - 1,
            "BaseSpeedMHz": BASE_MHZ,
            "MaxSpeedMHz": MAX_MHZ,
            "MinSpeedMHz": 800,
            "OperatingSpeedMHz": BASE_MHZ if powered else 0,
            "TurboState": "Enabled",
            "TotalCores": inventory.cores,
            "TotalEnabledCores": inventory.cores,
            "TotalThreads": inventory.cores * THREADS,
            "TotalEnabledThreads": inventory.cores * THREADS,
            "TDPWatts": TDP_W,
            "MaxTDPWatts": TDP_W,
            "Enabled": True,
            "Throttled": False,
            "Replaceable": True,
            "SystemInterface": {"InterfaceType": "UPI"},
            "MemorySummary": {
                "TotalCacheSizeMiB": inventory.cores * L3_PER_CORE_MIB,
                "TotalMemorySizeMiB": len(dimms_of(parts, n)) * inventory.dimm_gib * 1024,
                "ECCModeEnabled": True,
            },
            "Status": status(powered),
            "Location": place(f"CPU {n}", "Socket", n - 1),
            "LocationIndicatorActive": False,
            "SubProcessors": link(f"{path}/SubProcessors"),
            "Metrics": link(f"{path}/ProcessorMetrics"),
            "EnvironmentMetrics": link(f"{path}/EnvironmentMetrics"),
            "Links": {
                "Chassis": link(parts.chassis),
                "Memory": links(dimms_of(parts, n)),
                "ConnectedProcessors": [link(other) for other in processor_paths(parts) if other != path],
            },
        } | view.settings.of(path)

    return part(path, PROCESSOR_TYPE, f"Processor {n}", body, state=parts.powered, operations=save_patch(path, LOCATION))


def _metrics(parts: SystemParts, path: str, n: int) -> Resource:
    by_id = {sensor.id: sensor for sensor in sensors_of(parts)}
    voltage, watts = by_id[f"CPU{n}VCore"], by_id[f"CPU{n}Power"]

    def body(view: RedfishBmc, values: tuple[float | None, ...]) -> Json:
        volts, drawn = values
        running = volts is None or volts > 0
        busy = 0.0 if not drawn else min(100.0, round(100 * drawn / TDP_W, 1))
        return {
            "OperatingSpeedMHz": BASE_MHZ if running else 0,
            "FrequencyRatio": 1.0 if running else 0.0,
            "BandwidthPercent": busy,
            "ThrottlingCelsius": 95,
            "CoreVoltage": excerpt(parts, voltage.id, volts),
            "CorrectableCoreErrorCount": 0,
            "UncorrectableCoreErrorCount": 0,
            "CorrectableOtherErrorCount": 0,
            "UncorrectableOtherErrorCount": 0,
            "PowerLimitThrottleDuration": "PT0S",
            "ThermalLimitThrottleDuration": "PT0S",
            "CacheMetricsTotal": {
                "CurrentPeriod": {"CorrectableECCErrorCount": 0, "UncorrectableECCErrorCount": 0},
                "LifeTime": {"CorrectableECCErrorCount": 0, "UncorrectableECCErrorCount": 0},
            },
        }

    return part(f"{path}/ProcessorMetrics", METRICS_TYPE, f"Metrics for CPU {n}", body, state=readings(parts, voltage, watts))


def _cores(parts: SystemParts, cpu: str) -> list[Resource]:
    paths = tuple(f"{cpu}/SubProcessors/Core{n}" for n in range(1, parts.inventory.cores + 1))
    listing = collection(f"{cpu}/SubProcessors", "ProcessorCollection", "Cores", lambda view: paths)
    return [listing, *(_core(parts, path, n) for n, path in enumerate(paths))]


def _core(parts: SystemParts, path: str, n: int) -> Resource:
    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "ProcessorType": "Core",
            "ProcessorArchitecture": "x86",
            "InstructionSet": "x86-64",
            "Manufacturer": parts.inventory.processor_maker,
            "ProcessorIndex": n,
            "MaxSpeedMHz": MAX_MHZ,
            "OperatingSpeedMHz": BASE_MHZ if powered else 0,
            "TotalCores": 1,
            "TotalEnabledCores": 1,
            "TotalThreads": THREADS,
            "Status": status(powered),
        }

    return part(path, PROCESSOR_TYPE, f"Core {n + 1}", body, state=parts.powered)
