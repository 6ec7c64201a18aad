"""Writes profiles/registries/*.json from captured message registries: what lint knows of each message, and nothing else.

`python -m tools.registry_facts FOLDER`. FOLDER holds one folder or one .tar.gz for each name in `SOURCES`; a source that is
not there is left out with a line on stderr, and its facts with it. profiles/registries/README.md says where to get them.
"""

from __future__ import annotations

import json
import re
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "profiles" / "registries"
LIBREDFISH: Final = "c094c9e68366039c2edc2313642fbcedc42e10de"
ILO_EMULATOR: Final = "578997c2c4"


@dataclass(frozen=True, slots=True)
class RegistrySource:
    """Where a registry was published: the repository and folder, its revision, its licence."""

    ref: str
    commit: str
    licence: str


SOURCES: Final[Mapping[str, RegistrySource]] = {
    "dmtf-publications": RegistrySource(
        "github DMTF/Redfish-Publications registries", "26c949654e3e510800b05fa8d39cf336f10fa687", "BSD-3-Clause"
    ),
    "dell-r750-idrac9-6.00.30": RegistrySource("github NVIDIA/libredfish tests/mockups/dell", LIBREDFISH, "MIT"),
    "libredfish-dell-7.10.30": RegistrySource("github NVIDIA/libredfish tests/mockups/dell_multi_dpu", LIBREDFISH, "MIT"),
    "libredfish-lenovo": RegistrySource("github NVIDIA/libredfish tests/mockups/lenovo", LIBREDFISH, "MIT"),
    "supermicro-libredfish": RegistrySource("github NVIDIA/libredfish tests/mockups/supermicro", LIBREDFISH, "MIT"),
    "nvidia-dgx-h100-ami": RegistrySource("github NVIDIA/libredfish tests/mockups/nvidia_viking", LIBREDFISH, "MIT"),
    "nvidia-gh200-openbmc": RegistrySource("github NVIDIA/libredfish tests/mockups/nvidia_gh200", LIBREDFISH, "MIT"),
    "hpe-dl385gen10plusv2-ilo5-2.72": RegistrySource("github NVIDIA/libredfish tests/mockups/hpe", LIBREDFISH, "MIT"),
    "hpe-dl365gen10plus-ilo5": RegistrySource(
        "github HewlettPackard/ilo-redfish-emulator mockups, iLO 5", ILO_EMULATOR, "BSD-3-Clause"
    ),
    "hpe-dl380a-ilo": RegistrySource("github HewlettPackard/ilo-redfish-emulator mockups, iLO 6", ILO_EMULATOR, "BSD-3-Clause"),
    "hpe-dl360gen12-ilo7": RegistrySource(
        "github HewlettPackard/ilo-redfish-emulator mockups, iLO 7", ILO_EMULATOR, "BSD-3-Clause"
    ),
    "openbmc-stock": RegistrySource(
        "github Cray-HPE/csm-redfish-interface-emulator mockups/OpenBMC-stock", "4cb7a59e9c", "BSD-3-Clause"
    ),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file to write: a prefix, the sources that speak for it, the first one first, and which messages where not all."""

    prefix: str
    owner: str
    sources: tuple[str, ...]
    covers: str = ""


_HPE: Final = ("hpe-dl385gen10plusv2-ilo5-2.72", "hpe-dl365gen10plus-ilo5", "hpe-dl380a-ilo", "hpe-dl360gen12-ilo7")
_AMI: Final = ("nvidia-dgx-h100-ami",)
WANTED: Final = (
    Wanted("Base", "DMTF", ("dmtf-publications",)),
    Wanted("TaskEvent", "DMTF", ("dmtf-publications",)),
    Wanted("Base", "HPE", _HPE),
    Wanted("iLO", "HPE", _HPE),
    Wanted("HpeCommon", "HPE", _HPE),
    Wanted("IDRAC", "Dell", ("dell-r750-idrac9-6.00.30", "libredfish-dell-7.10.30"), r"(SYS[45]|PSU5|PR|JCP0|RAC0[1-6])[0-9]+"),
    Wanted("ExtendedError", "Lenovo", ("libredfish-lenovo",)),
    Wanted("LenovoExtendedWarning", "Lenovo", ("libredfish-lenovo",)),
    Wanted("SMC", "Supermicro", ("supermicro-libredfish",)),
    Wanted("Ami", "AMI", _AMI),
    Wanted("AmiOem", "AMI", _AMI),
    Wanted("HttpStatus", "AMI", _AMI),
    Wanted("IPMI", "AMI", _AMI),
    Wanted("Security", "AMI", _AMI),
    Wanted("Task", "AMI", _AMI),
    Wanted("OpenBMC", "OpenBMC", ("openbmc-stock", "nvidia-gh200-openbmc")),
)

OWNERS: Final = {"Hewlett Packard Enterprise": "HPE"}
Version = tuple[int, ...]
Fact = tuple[str, str, int, str]
"""Severity, MessageSeverity, number of arguments and text of a message."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One registry as published."""

    prefix: str
    owner: str
    version: Version
    messages: Mapping[str, Fact]


def read(folder: Path, source: str) -> Iterator[Captured]:
    """The message registries of a source. Raises FileNotFoundError where the source is not in the folder."""
    for text in _documents(folder, source):
        document = json.loads(text)
        if not isinstance(document, dict) or not isinstance(document.get("Messages"), dict) or document.get("Language") != "en":
            continue
        owner = str(document.get("OwningEntity"))
        yield Captured(
            document["RegistryPrefix"],
            OWNERS.get(owner, owner),
            _version(document["RegistryVersion"]),
            {name: _fact(message) for name, message in document["Messages"].items()},
        )


def _documents(folder: Path, source: str) -> Iterator[str]:
    if (folder / source).is_dir():
        for file in sorted((folder / source).rglob("*.json")):
            yield file.read_text(encoding="utf-8-sig")
        return
    with tarfile.open(folder / f"{source}.tar.gz") as archive:
        for member in archive:
            stream = archive.extractfile(member) if member.isfile() and member.name.endswith(".json") else None
            text = stream.read().decode("utf-8-sig") if stream is not None else ""
            if '"RegistryPrefix"' in text:
                yield text


def _fact(message: Mapping[str, object]) -> Fact:
    severity = str(message.get("Severity") or message.get("MessageSeverity"))
    newer = str(message.get("MessageSeverity") or severity)
    return severity, newer, int(str(message["NumberOfArgs"])), str(message["Message"])


def _version(text: str) -> Version:
    return tuple(int(part) for part in text.split("."))


def rows(versions: Mapping[Version, Mapping[str, Fact]], name: str) -> list[list[object]]:
    """The facts of a message from version to version: first version, last version, severity, MessageSeverity, arguments, text."""
    found: list[list[object]] = []
    before: Fact | None = None
    for version in sorted(versions):
        fact = versions[version].get(name)
        if fact is not None and fact == before:
            found[-1][1] = _dotted(version)
        elif fact is not None:
            found.append([_dotted(version), _dotted(version), *fact])
        before = fact
    return found


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


def document(wanted: Wanted, captured: Mapping[str, list[Captured]]) -> str:
    """The file: one message in one line."""
    versions: dict[Version, dict[str, Fact]] = {}
    used: list[str] = []
    for source in wanted.sources:
        for registry in captured.get(source, ()):
            if registry.prefix != wanted.prefix or (wanted.prefix == "Base" and registry.owner != wanted.owner):
                continue
            used += [source] if source not in used else []
            known = versions.setdefault(registry.version, {})
            for name, fact in registry.messages.items():
                if not wanted.covers or re.fullmatch(wanted.covers, name):
                    known.setdefault(name, fact)
    names = sorted({name for messages in versions.values() for name in messages})
    sources = [
        {"ref": SOURCES[name].ref, "commit": SOURCES[name].commit, "licence": SOURCES[name].licence}
        for name in dict.fromkeys(used)
    ]
    head = {
        "prefix": wanted.prefix,
        "owner": wanted.owner,
        "sources": sources,
        "covers": wanted.covers or None,
        "versions": [_dotted(version) for version in sorted(versions)],
    }
    lines = [f"  {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}," for key, value in head.items()]
    messages = [f"    {json.dumps(name)}: {json.dumps(rows(versions, name), ensure_ascii=False)}" for name in names]
    return "{\n" + "\n".join(lines) + '\n  "messages": {\n' + ",\n".join(messages) + "\n  }\n}\n"


def main(folder: Path) -> None:
    captured: dict[str, list[Captured]] = {}
    for source in SOURCES:
        try:
            captured[source] = list(read(folder, source))
        except FileNotFoundError:
            print(f"{folder}: no {source} and no {source}.tar.gz: left out", file=sys.stderr)
    for wanted in WANTED:
        file = TARGET / f"{wanted.prefix}-{wanted.owner}.json"
        file.write_text(document(wanted, captured), encoding="utf-8")
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
