"""Which schema version introduced which property, for the resources whose version a profile chooses.

A property that is newer than the profile's schema version is not sent: clients of that version do not know it, and DMTF's
validator reports it. `power.systems`, `power.hardware`, `host` and `vendor.overlay` call this module for each body, in the
emulator's thread. schema_versions.json is written from DMTF's CSDL by `python -m tools.schema_versions`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from emulator.redfish.service.resource import version_of
from emulator.redfish.service.shapes import Json

_FILE: Final = Path(__file__).with_name("schema_versions.json")

SchemaVersion = tuple[int, int, int]
Newer = dict[str, "Newer | None"]
"""The properties that a schema version does not have yet, by name: None, or what is missing inside of one that it has."""


@cache
def introduced() -> Mapping[str, Mapping[str, SchemaVersion]]:
    """Schema -> property -> its first version, for what is newer than the object that holds it; "Boot/BootNext" is a path."""
    listed: dict[str, dict[str, list[str]]] = json.loads(_FILE.read_text(encoding="utf-8"))
    return {
        schema: {path: version_of(f"{schema}.{version}.{schema}") for version, paths in versions.items() for path in paths}
        for schema, versions in listed.items()
    }


def has_property(odata_type: str, name: str) -> bool:
    """Whether this schema version has the property; `name` may be "Boot/BootNext"."""
    schema = odata_type.removeprefix("#").partition(".")[0]
    return version_of(odata_type) >= introduced().get(schema, {}).get(name, (0, 0, 0))


@cache
def newer_than(odata_type: str) -> Newer:
    """What this schema version does not have."""
    schema = odata_type.removeprefix("#").partition(".")[0]
    version = version_of(odata_type)
    newer: Newer = {}
    for path, since in introduced().get(schema, {}).items():
        if since <= version:
            continue
        *above, last = path.split("/")
        level: Newer | None = newer
        for name in above:
            level = level.setdefault(name, {}) if level is not None else None
        if level is not None:
            level[last] = None
    return newer


def without_newer(odata_type: str, body: Json) -> Json:
    """The body without properties that are newer than its schema version, at every depth."""
    newer = newer_than(odata_type)
    return _without(newer, body) if newer else body


def _without(newer: Newer, body: Json) -> Json:
    kept: Json = {}
    for name, value in body.items():
        inner = newer.get(name.partition("@")[0], {})
        if inner is not None:
            kept[name] = _inside(inner, value) if inner else value
    return kept


def _inside(newer: Newer, value: object) -> object:
    if isinstance(value, dict):
        return _without(newer, value)
    if isinstance(value, list):
        return [_inside(newer, item) for item in value]
    return value
