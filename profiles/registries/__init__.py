"""Message registries as makers published them: which messages a version has, and their severity, arguments and text.

Pure but for the one read of the files beside this module. `registry_lint` compares profiles with them; README.md says where the
files come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypedDict

FOLDER: Final = Path(__file__).parent
NAMED: Final = frozenset((
    # DMTF/Redfish-Publications registries at 26c949654e
    "AccountSecurity", "AutomationNodeEvent", "Base", "Composition", "Environmental", "EthernetFabric", "Fabric",
    "HeartbeatEvent", "JobEvent", "License", "LogService", "ManagerEvent", "NetworkDevice", "Platform", "Power",
    "ResourceEvent", "SensorEvent", "ServiceCommunications", "StorageDevice", "TaskEvent", "Telemetry", "Update",
    # listed by the BMCs of the captures that README.md names: HPE, AMI, Lenovo and Supermicro
    "HpeBiosMessageRegistry", "HpeDcpmmDiags", "SUT", "SmartStorageMessages",
    "iLOEvents", "iLOResourceEvents", "iLOSecurityEvents", "iLOeRS",
    "AmiNMOem", "CertificateService", "EventLog", "RedfishDeviceEnablement", "SyncAgent", "UpdateManager", "UpdateService",
    "Event", "LenovoFirmwareUpdateRegistry",
    # in answers of Huawei's iBMC, and in the log of this emulator
    "iBMC", "LogEvent",
))  # fmt: skip
"""Prefixes of registries that exist, whether their messages are here or not."""
_ID: Final = re.compile(r"([A-Za-z]\w*)\.([0-9]{1,4})\.([0-9]{1,4})(?:\.([0-9]{1,4}))?\.(\w+)")

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MessageName:
    """A MessageId in its parts (DSP0266, MessageId format). `version` has two or three numbers, as the sender wrote it."""

    prefix: str
    version: Version
    name: str


def parsed(message_id: str) -> MessageName | None:
    """The parts of `Prefix.Major.Minor[.Errata].Name`; None for any other text."""
    found = _ID.fullmatch(message_id)
    if found is None:
        return None
    prefix, major, minor, errata, name = found.groups()
    return MessageName(prefix, tuple(int(part) for part in (major, minor, errata) if part is not None), name)


@dataclass(frozen=True, slots=True)
class KnownMessage:
    """One message in some versions. `text` has `%1`, `%2` ... for its arguments."""

    first: Version
    last: Version
    severity: str
    message_severity: str
    arguments: int
    text: str


@dataclass(frozen=True, slots=True)
class KnownRegistry:
    """One registry and the versions of it that are known. `covers` None: every message of these versions is here."""

    prefix: str
    owner: str
    covers: re.Pattern[str] | None
    versions: tuple[Version, ...]
    messages: Mapping[str, tuple[KnownMessage, ...]]

    def may_have(self, name: str) -> bool:
        """Whether the file would list a message with this name."""
        return self.covers is None or self.covers.fullmatch(name) is not None

    def versions_like(self, version: Version) -> tuple[Version, ...]:
        """The known versions that a sender who writes `version` may mean."""
        return tuple(known for known in self.versions if known[: len(version)] == version)

    def nearest(self, version: Version) -> Version:
        """The known version with the smallest distance, first by major, then minor, then errata number."""
        return min(self.versions, key=lambda known: [abs(a - b) for a, b in zip(known, version, strict=False)])

    def message(self, version: Version, name: str) -> KnownMessage | None:
        """The message as this known version has it."""
        for message in self.messages.get(name, ()):
            if message.first <= version <= message.last:
                return message
        return None

    def names(self, version: Version) -> Iterator[str]:
        """The messages of a known version."""
        return (name for name in self.messages if self.message(version, name) is not None)


@cache
def known() -> Mapping[str, tuple[KnownRegistry, ...]]:
    """All registries by prefix. One prefix may have several owners: HPE ships a `Base` of its own."""
    found: dict[str, tuple[KnownRegistry, ...]] = {}
    for file in sorted(FOLDER.glob("*.json")):
        registry = _read(file)
        found[registry.prefix] = (*found.get(registry.prefix, ()), registry)
    return found


def prefixes() -> frozenset[str]:
    """The prefixes of all registries that are known, if only by name."""
    return NAMED | known().keys()


class FileContent(TypedDict):
    """A file of this folder. A row of `messages`: first version, last version, Severity, MessageSeverity, arguments, text."""

    prefix: str
    owner: str
    sources: list[dict[str, str]]
    covers: str | None
    versions: list[str]
    messages: dict[str, list[tuple[str, str, str, str, int, str]]]


def told(file: Path) -> FileContent:
    """What a file of this folder says."""
    content: FileContent = json.loads(file.read_text(encoding="utf-8"))
    return content


def _read(file: Path) -> KnownRegistry:
    content = told(file)
    messages = {
        name: tuple(KnownMessage(_version(row[0]), _version(row[1]), row[2], row[3], row[4], row[5]) for row in rows)
        for name, rows in content["messages"].items()
    }
    covers = re.compile(content["covers"]) if content["covers"] is not None else None
    return KnownRegistry(content["prefix"], content["owner"], covers, tuple(map(_version, content["versions"])), messages)


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))
