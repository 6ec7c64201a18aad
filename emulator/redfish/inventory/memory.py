"""DIMMs and their metrics.

`all_resources` calls this module once per system when it builds a resource tree.
"""

from __future__ import annotations

from typing import Final

from emulator.redfish.inventory.derived_sensors import dimm_name
from emulator.redfish.inventory.power import part_environment
from emulator.redfish.inventory.saved_settings import LOCATION, save_patch
from emulator.redfish.inventory.system_parts import SystemParts, fixed_part, part, place, status
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.resource import Resource, collection, link
from emulator.redfish.service.shapes import Json

MEMORY_TYPE: Final = "#Memory.v1_23_0.Memory"
METRICS_TYPE: Final = "#MemoryMetrics.v1_8_0.MemoryMetrics"
MHZ: Final = 3200


def dimm_path(parts: SystemParts, n: int) -> str:
    return f"{parts.system}/Memory/DIMM{dimm_name(parts.inventory, n)}"


def per_processor(parts: SystemParts) -> int:
    return -(-parts.inventory.dimms // parts.inventory.processors)


def dimms_of(parts: SystemParts, cpu: int) -> tuple[str, ...]:
    """The paths of the DIMMs of one processor; `cpu` counts from 1."""
    share = per_processor(parts)
    return tuple(dimm_path(parts, n) for n in range((cpu - 1) * share, min(cpu * share, parts.inventory.dimms)))


def memory(parts: SystemParts) -> tuple[Resource, ...]:
    paths = tuple(dimm_path(parts, n) for n in range(parts.inventory.dimms))
    found = [collection(f"{parts.system}/Memory", "MemoryCollection", "Memory Collection", lambda view: paths)]
    for n, path in enumerate(paths):
        name = f"DIMM {dimm_name(parts.inventory, n)}"
        found += [_dimm(parts, path, n, name), _metrics(path, name), part_environment(parts, path, name)]
    return tuple(found)


def total_gib(parts: SystemParts) -> int:
    return parts.inventory.dimms * parts.inventory.dimm_gib


def _dimm(parts: SystemParts, path: str, n: int, name: str) -> Resource:
    cpu, slot = divmod(n, per_processor(parts))
    mib = parts.inventory.dimm_gib * 1024

    def body(view: RedfishBmc, powered: bool) -> Json:
        return {
            "MemoryType": "DRAM",
            "MemoryDeviceType": "DDR4",
            "BaseModuleType": "RDIMM",
            "MemoryMedia": ["DRAM"],
            "CapacityMiB": mib,
            "LogicalSizeMiB": mib,
            "VolatileSizeMiB": mib,
            "NonVolatileSizeMiB": 0,
            "CacheSizeMiB": 0,
            "DataWidthBits": 64,
            "BusWidthBits": 72,
            "AllowedSpeedsMHz": [2666, 2933, MHZ],
            "OperatingSpeedMhz": MHZ,
            "OperatingMemoryModes": ["Volatile"],
            "RankCount": 2,
            "ErrorCorrection": "MultiBitECC",
            "Enabled": True,
            "IsRankSpareEnabled": False,
            "IsSpareDeviceEnabled": False,
            "ConfigurationLocked": False,
            "Manufacturer": "Contoso Memory",
            "Model": f"CM-{parts.inventory.dimm_gib}G-{MHZ}",
            "SerialNumber": parts.serial(view, path),
            "PartNumber": f"CM{parts.inventory.dimm_gib}R4-{MHZ}",
            "ModuleManufacturerID": "0x7F01",
            "ModuleProductID": "0x0A20",
            "MemoryLocation": {"Socket": cpu + 1, "MemoryController": slot // 2, "Channel": slot, "Slot": 0},
            "Status": status(powered),
            "Location": place(name, "Slot", n),
            "LocationIndicatorActive": False,
            "Metrics": link(f"{path}/MemoryMetrics"),
            "EnvironmentMetrics": link(f"{path}/EnvironmentMetrics"),
            "Links": {
                "Chassis": link(parts.chassis),
                "Processors": [link(f"{parts.system}/Processors/CPU{cpu + 1}")],
            },
        } | view.settings.of(path)

    return part(path, MEMORY_TYPE, name, body, state=parts.powered, operations=save_patch(path, LOCATION))


def _metrics(dimm: str, name: str) -> Resource:
    def body(view: RedfishBmc) -> Json:
        return {
            "BlockSizeBytes": 64,
            "OperatingSpeedMHz": MHZ,
            "CorrectedVolatileErrorCount": 0,
            "CorrectedPersistentErrorCount": 0,
            "DirtyShutdownCount": 0,
            "CurrentPeriod": {"CorrectableECCErrorCount": 0, "UncorrectableECCErrorCount": 0},
            "LifeTime": {"CorrectableECCErrorCount": 0, "UncorrectableECCErrorCount": 0},
            "HealthData": {
                "DataLossDetected": False,
                "LastShutdownSuccess": True,
                "PerformanceDegraded": False,
                "AlarmTrips": {
                    "Temperature": False,
                    "CorrectableECCError": False,
                    "UncorrectableECCError": False,
                    "AddressParityError": False,
                },
            },
        }

    return fixed_part(f"{dimm}/MemoryMetrics", METRICS_TYPE, f"Metrics for {name}", body)
