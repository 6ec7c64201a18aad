"""`scenario/1` as JSON Schema (draft 2020-12) for editors. It describes the form; the reader checks names as well."""

from __future__ import annotations

import copy
import types
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from typing import Final, Literal, Union, cast, get_args, get_origin

from conformance import requirement
from conformance.expectations.expectation import Expectation
from conformance.givens.given import Given
from conformance.happenings import Happening
from conformance.requirement import Requirement
from conformance.scenario import AskStep, Scenario
from conformance.scenario_files.kinds import BASES, about, fields_of, shipped, word_of
from conformance.scenario_files.reading import FORMAT
from conformance.scenario_files.values import BOUNDS, CHOICES, HIGHEST
from emulator import Armed, fault_schema

JsonSchema = dict[str, object]

TEXTS: Final[Mapping[type, Mapping[str, str]]] = {
    Scenario: {
        "id": "GROUP-NUMBER, like ACME-001; the ids of the catalogue are taken",
        "tier": "0 is the gate",
        "title": "what is the case, in one line",
        "requirement": "FENCE-2 and so on, or one of your own",
        "source": "where the behaviour was seen: an issue, a capture, a measurement",
        "protocol": "nothing: either will do, Redfish first",
        "convention": "only for fencers that follow it",
        "given": "the BMCs first, then what is special about them",
        "asks": "what is asked of which BMC, in this order",
        "needs": "capabilities that the fencer must declare",
    },
    AskStep: {
        "ask": "the action",
        "expect": "what must hold, besides the invariants",
        "bmc": "which BMC",
        "optional": "left out where the fencer has no such action; else the scenario is N/A for it",
        "before": "what happens when the ask before it has ended",
        "sigterm_after": "SIGTERM after so many reads of the power state behind the first power command",
        "told": "what the fencer is told for this ask alone",
        "needs": "capabilities without which this ask is left out",
        "together": "asks in a row with the same number are asked at once; 0: one after the other",
        "input": "how the parameters are written, for fence agents",
    },
    Requirement: {
        "id": "GROUP-NUMBER, like ACME-1",
        "sentence": "complete, with MUST or SHOULD",
        "source": "the clause or the incident",
        "aspect": "S safety, L liveness, T truth of what it says, H conduct",
        "level": "how much it counts",
    },
}
NAMES: Final[Mapping[type, str]] = {Given: "given", Expectation: "expectation", Happening: "happening"}


def schema() -> JsonSchema:
    """The schema of a whole file, our own kinds only."""
    faults = cast(JsonSchema, copy.deepcopy(fault_schema()))
    definitions: JsonSchema = dict(cast(JsonSchema, faults["$defs"]))
    variants = cast(list[JsonSchema], faults["oneOf"])
    for base in BASES:
        definitions[NAMES[base]] = {"anyOf": [each for cls in shipped(base).items() for each in _kind(*cls, variants)]}
    whole = _record(Scenario)
    properties = cast(JsonSchema, whole["properties"])
    whole["properties"] = {"schema": {"const": FORMAT}, **properties}
    whole["required"] = ["schema", *cast(list[str], whole["required"])]
    head: JsonSchema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": FORMAT,
        "title": "A fencing scenario of fencelab",
    }
    return {**head, **whole, "$defs": definitions}


def parts() -> dict[str, JsonSchema]:
    """The keys of a file, and the words of each kind with their keys, for the reference. Keys of faults are not in it."""
    whole = _record(Scenario)
    whole["properties"] = {
        "schema": {"const": FORMAT, "description": "the form of the file"},
        **cast(JsonSchema, whole["properties"]),
    }
    whole["required"] = ["schema", *cast(list[str], whole["required"])]
    found = {"the file": whole}
    for base in BASES:
        found[f"{NAMES[base]}s"] = {"properties": {word: _word(cls) for word, cls in shipped(base).items()}}
    return found


def _word(cls: type) -> JsonSchema:
    has_fault = any(field.hint is Armed for field in fields_of(cls))
    said = f"{about(cls)} Besides: the keys of a [fault](fault.md)." if has_fault else about(cls)
    return {**_record(cls), "description": said} if fields_of(cls) else {"const": word_of(cls), "description": said}


def _kind(word: str, cls: type, faults: list[JsonSchema]) -> list[JsonSchema]:
    """The forms in which one kind can be written: the word, its first value, a map."""
    keys = fields_of(cls)
    forms: list[JsonSchema] = [] if any(field.required for field in keys) else [{"const": word, "description": about(cls)}]
    if not keys:
        return forms
    if any(field.hint is Armed for field in keys):
        values = [_with_fault(cls, fault) for fault in faults]
        return [_entry(word, {"oneOf": values}, about(cls))]
    if not any(field.required for field in keys[1:]):
        forms.append(_entry(word, _value(cls, keys[0].name, keys[0].hint), about(cls)))
    return [*forms, _entry(word, _record(cls), about(cls))]


def _entry(word: str, value: JsonSchema, text: str) -> JsonSchema:
    form: JsonSchema = {"type": "object", "additionalProperties": False, "required": [word], "properties": {word: value}}
    return {**form, "description": text}


def _with_fault(cls: type, fault: JsonSchema) -> JsonSchema:
    own = _record(cls)
    properties = {**cast(JsonSchema, own["properties"]), **cast(JsonSchema, fault["properties"])}
    required = [*cast(list[str], own["required"]), *cast(list[str], fault["required"])]
    return {**own, "properties": properties, "required": required}


def _record(cls: type) -> JsonSchema:
    """A map with the keys of a dataclass; those of a fault come from its own schema."""
    fields = [field for field in fields_of(cls) if field.hint is not Armed]
    texts = TEXTS.get(cls, {})
    properties: JsonSchema = {}
    for field in fields:
        value = _value(cls, field.name, field.hint)
        properties[field.key] = {**value, "description": texts[field.key]} if field.key in texts else value
    required = [field.key for field in fields if field.required]
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": required}


def _value(cls: type, name: str, hint: object) -> JsonSchema:
    if (cls, name) in CHOICES:
        return {"enum": list(CHOICES[cls, name])}
    if (cls, name) in BOUNDS:
        return {"type": "integer", "minimum": 0, "maximum": BOUNDS[cls, name]}
    return _of(hint)


def _of(hint: object) -> JsonSchema:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return {"anyOf": [{"type": "null"} if each is type(None) else _of(each) for each in arguments]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (tuple, frozenset):
        item = _of(arguments[0])
        alone = [item] if not is_dataclass(arguments[0]) else []
        return {"anyOf": [{"type": "array", "items": item}, *alone]}
    if isinstance(hint, type) and hint in NAMES:
        return {"$ref": f"#/$defs/{NAMES[hint]}"}
    if hint is Requirement:
        return {"anyOf": [{"enum": list(requirement.BY_ID)}, _record(Requirement)]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"enum": [member.value for member in hint]}
    if isinstance(hint, type) and is_dataclass(hint):
        return _record(hint)
    numbers: JsonSchema = {"minimum": 0, "maximum": HIGHEST}
    plain: Mapping[object, JsonSchema] = {
        bool: {"type": "boolean"},
        str: {"type": "string"},
        int: {"type": "integer", **numbers},
        float: {"type": "number", **numbers},
    }
    return plain[hint]
