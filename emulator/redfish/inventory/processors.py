"""Processors, their cores and their metrics."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from emulator.redfish.inventory.derived_sensors import gauges
from emulator.redfish.inventory.memory import dimms_of
from emulator.redfish.inventory.power import part_environment
from emulator.redfish.inventory.saved_settings import LOCATION, keeps
from emulator.redfish.inventory.sensors import excerpt, reads
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


def processor_paths(box: SystemParts) -> tuple[str, ...]:
    return tuple(f"{box.system}/Processors/CPU{n}" for n in range(1, box.parts.processors + 1))


def processors(box: SystemParts) -> tuple[Resource, ...]:
    paths = processor_paths(box)
    found = [collection(f"{box.system}/Processors", "ProcessorCollection", "Processors Collection", lambda view: paths)]
    for n, path in enumerate(paths, start=1):
        found += [_processor(box, path, n), _metrics(box, path, n), part_environment(box, path, f"CPU {n}")]
        found += _cores(box, path)
    return tuple(found)


def summary(box: SystemParts) -> Json:
    """ComputerSystem.ProcessorSummary."""
    parts = box.parts
    return {
        "Count": parts.processors,
        "Model": parts.processor_model,
        "CoreCount": parts.processors * parts.cores,
        "LogicalProcessorCount": parts.processors * parts.cores * THREADS,
        "ThreadingEnabled": True,
    }


def _processor(box: SystemParts, path: str, n: int) -> Resource:
    parts = box.parts

    def body(view: RedfishBmc, powered: Hashable) -> Json:
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
            "Manufacturer": parts.processor_maker,
            "Model": parts.processor_model,
            "SerialNumber": box.serial(view, f"CPU{n}"),
            "PartNumber": "CX-7000",
            "Family": "Xeon",
            "ProcessorIndex": n - 1,
            "BaseSpeedMHz": BASE_MHZ,
            "MaxSpeedMHz": MAX_MHZ,
            "MinSpeedMHz": 800,
            "OperatingSpeedMHz": BASE_MHZ if powered else 0,
            "TurboState": "Enabled",
            "TotalCores": parts.cores,
            "TotalEnabledCores": parts.cores,
            "TotalThreads": parts.cores * THREADS,
            "TotalEnabledThreads": parts.cores * THREADS,
            "TDPWatts": TDP_W,
            "MaxTDPWatts": TDP_W,
            "Enabled": True,
            "Throttled": False,
            "Replaceable": True,
            "SystemInterface": {"InterfaceType": "UPI"},
            "MemorySummary": {
                "TotalCacheSizeMiB": parts.cores * L3_PER_CORE_MIB,
                "TotalMemorySizeMiB": len(dimms_of(box, n)) * parts.dimm_gib * 1024,
                "ECCModeEnabled": True,
            },
            "Status": status(powered),
            "Location": place(f"CPU {n}", "Socket", n - 1),
            "LocationIndicatorActive": False,
            "SubProcessors": link(f"{path}/SubProcessors"),
            "Metrics": link(f"{path}/ProcessorMetrics"),
            "EnvironmentMetrics": link(f"{path}/EnvironmentMetrics"),
            "Links": {
                "Chassis": link(box.chassis),
                "Memory": links(dimms_of(box, n)),
                "ConnectedProcessors": [link(other) for other in processor_paths(box) if other != path],
            },
        } | view.settings.of(path)

    return part(path, PROCESSOR_TYPE, f"Processor {n}", body, state=box.powered, operations=keeps(path, LOCATION))


def _metrics(box: SystemParts, path: str, n: int) -> Resource:
    by_id = {gauge.id: gauge for gauge in gauges(box)}
    voltage, watts = by_id[f"CPU{n}VCore"], by_id[f"CPU{n}Power"]

    def body(view: RedfishBmc, values: Hashable) -> Json:
        assert isinstance(values, tuple)
        volts, drawn = values
        running = volts is None or volts > 0
        busy = 0.0 if not drawn else min(100.0, round(100 * drawn / TDP_W, 1))
        return {
            "OperatingSpeedMHz": BASE_MHZ if running else 0,
            "FrequencyRatio": 1.0 if running else 0.0,
            "BandwidthPercent": busy,
            "ThrottlingCelsius": 95,
            "CoreVoltage": excerpt(box, voltage.id, volts),
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

    return part(f"{path}/ProcessorMetrics", METRICS_TYPE, f"Metrics for CPU {n}", body, state=reads(box, voltage, watts))


def _cores(box: SystemParts, cpu: str) -> list[Resource]:
    paths = tuple(f"{cpu}/SubProcessors/Core{n}" for n in range(1, box.parts.cores + 1))
    listing = collection(f"{cpu}/SubProcessors", "ProcessorCollection", "Cores", lambda view: paths)
    return [listing, *(_core(box, path, n) for n, path in enumerate(paths))]


def _core(box: SystemParts, path: str, n: int) -> Resource:
    def body(view: RedfishBmc, powered: Hashable) -> Json:
        return {
            "ProcessorType": "Core",
            "ProcessorArchitecture": "x86",
            "InstructionSet": "x86-64",
            "Manufacturer": box.parts.processor_maker,
            "ProcessorIndex": n,
            "MaxSpeedMHz": MAX_MHZ,
            "OperatingSpeedMHz": BASE_MHZ if powered else 0,
            "TotalCores": 1,
            "TotalEnabledCores": 1,
            "TotalThreads": THREADS,
            "Status": status(powered),
        }

    return part(path, PROCESSOR_TYPE, f"Core {n + 1}", body, state=box.powered)
