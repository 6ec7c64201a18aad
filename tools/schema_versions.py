"""Writes emulator/redfish/inventory/schema_versions.json from DMTF's CSDL files: which schema version introduced which property.

`python -m tools.schema_versions CSDL`, where CSDL is the folder `csdl` of DMTF's Redfish-Publications. The resources that the
emulator builds are sent without properties that are newer than the schema version that a profile names for them.
"""

from __future__ import annotations

import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TARGET: Final = Path(__file__).resolve().parent.parent / "emulator" / "redfish" / "inventory" / "schema_versions.json"

SCHEMAS: Final = (
    "AccountService", "AttributeRegistry", "Bios", "BootOption", "Certificate", "CertificateLocations", "CertificateService",
    "Chassis", "ComputerSystem", "Drive", "DriveMetrics", "EnvironmentMetrics", "EthernetInterface", "Event",
    "EventDestination", "EventService", "Fan", "HostInterface", "Job", "JobService", "LogEntry", "LogService", "Manager",
    "ManagerAccount", "ManagerNetworkProtocol", "Memory", "MemoryMetrics", "MessageRegistry", "MessageRegistryFile",
    "NetworkAdapter", "NetworkDeviceFunction", "NetworkInterface", "PCIeDevice", "PCIeFunction", "Port", "PortMetrics", "Power",
    "PowerSubsystem", "PowerSupply", "PowerSupplyMetrics", "Processor", "ProcessorMetrics", "Role", "SecureBoot",
    "SecureBootDatabase", "Sensor", "SerialInterface", "Session", "SessionService", "SoftwareInventory", "Storage",
    "StorageController", "Task", "TaskService", "Thermal", "ThermalMetrics", "ThermalSubsystem", "UpdateService",
    "VirtualMedia", "Volume",
)  # fmt: skip
"""What the emulator builds, without the service root, whose parts follow its version in `service.root`."""

_EDM: Final = "{http://docs.oasis-open.org/odata/ns/edm}"
_VERSIONED: Final = re.compile(r"\w+\.v(\d+)_(\d+)_(\d+)")
_TYPE: Final = re.compile(r"(?:Collection\()?(\w+)\.(?:v\d+_\d+_\d+\.)?(\w+)\)?")
_DEEPEST: Final = 5

SchemaVersion = tuple[int, int, int]
FIRST: Final[SchemaVersion] = (1, 0, 0)


@dataclass(frozen=True, slots=True)
class CsdlProperty:
    """A property of one type: the first version that has it, and the name of its type if this schema defines that."""

    since: SchemaVersion
    inner: str | None


Types = Mapping[str, Mapping[str, CsdlProperty]]


def types_of(schema: str, text: str) -> Types:
    """Every entity and complex type of a CSDL file by name, with its properties. A type that extends another has those too."""
    found: dict[str, dict[str, CsdlProperty]] = {}
    bases: dict[str, str] = {}
    spaces = (
        (_VERSIONED.fullmatch(space.get("Namespace", "")), space) for space in ElementTree.fromstring(text).iter(_EDM + "Schema")
    )
    for version, space in sorted(((_numbers(match), space) for match, space in spaces if match), key=lambda pair: pair[0]):
        for kind in space:
            name = kind.get("Name", "")
            if kind.tag not in (_EDM + "EntityType", _EDM + "ComplexType"):
                continue
            base = _TYPE.fullmatch(kind.get("BaseType", ""))
            if base is not None and base[1] == schema and base[2] != name:
                bases[name] = base[2]
            for child in kind:
                if child.tag in (_EDM + "Property", _EDM + "NavigationProperty"):
                    inner = _TYPE.fullmatch(child.get("Type", ""))
                    own = inner[2] if inner is not None and inner[1] == schema else None
                    found.setdefault(name, {}).setdefault(child.get("Name", ""), CsdlProperty(version, own))
    return {name: {**found.get(bases.get(name, ""), {}), **properties} for name, properties in found.items()}


def newer_than_first(
    types: Types, name: str, before: str = "", since: SchemaVersion = FIRST
) -> Iterator[tuple[SchemaVersion, str]]:
    """(version, "Boot/BootNext") of every property that is newer than what holds it."""
    for key, said in types.get(name, {}).items():
        path = f"{before}{key}"
        if said.since > since:
            yield said.since, path
        if said.inner is not None and path.count("/") < _DEEPEST:
            yield from newer_than_first(types, said.inner, f"{path}/", max(since, said.since))


def facts(schema: str, text: str) -> dict[str, list[str]]:
    """ "v1_5_0" -> the properties that came with it."""
    by_version: dict[SchemaVersion, list[str]] = {}
    for version, path in newer_than_first(types_of(schema, text), schema):
        by_version.setdefault(version, []).append(path)
    return {"v" + "_".join(map(str, version)): sorted(by_version[version]) for version in sorted(by_version)}


def _numbers(match: re.Match[str]) -> SchemaVersion:
    major, minor, errata = map(int, match.groups())
    return major, minor, errata


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python -m tools.schema_versions CSDL", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    missing = [schema for schema in SCHEMAS if not (folder / f"{schema}_v1.xml").is_file()]
    if missing:
        print(f"{folder}: no {', '.join(f'{schema}_v1.xml' for schema in missing)}", file=sys.stderr)
        return 2
    table = {schema: facts(schema, (folder / f"{schema}_v1.xml").read_text(encoding="utf-8")) for schema in SCHEMAS}
    lines = []
    for schema, versions in table.items():
        inner = ",\n".join(f"  {json.dumps(version)}: {json.dumps(names)}" for version, names in versions.items())
        lines.append(f"{json.dumps(schema)}: {{\n{inner}\n }}" if versions else f"{json.dumps(schema)}: {{}}")
    TARGET.write_text("{\n " + ",\n ".join(lines) + "\n}\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
