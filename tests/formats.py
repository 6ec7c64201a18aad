"""Other people's schemas of the formats that our reports have: each function fails where a text is not what they allow."""

from __future__ import annotations

import json
from pathlib import Path

import xmlschema
from jsonschema import Draft4Validator, Draft6Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT6

SCHEMAS = Path(__file__).resolve().parent / "data" / "schemas"


def check_sarif(text: str) -> dict[str, object]:
    """Against OASIS' schema; returns the one run."""
    log = json.loads(text)
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    Draft4Validator(schema, format_checker=Draft4Validator.FORMAT_CHECKER).validate(log)
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def check_junit(text: str) -> None:
    """Against the schema of Jenkins' xUnit plugin."""
    xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd")).validate(text)


def check_har(text: str) -> list[dict[str, object]]:
    """Against the schema of HAR 1.2; returns the entries."""
    files = {file.name: json.loads(file.read_text(encoding="utf-8")) for file in (SCHEMAS / "har").glob("*.json")}
    registry = Registry().with_resources(
        (f"{name}{end}", Resource(contents=content, specification=DRAFT6)) for name, content in files.items() for end in ("", "#")
    )
    log = json.loads(text)
    Draft6Validator(files["har.json"], registry=registry).validate(log)
    entries = log["log"]["entries"]
    assert isinstance(entries, list)
    return entries
