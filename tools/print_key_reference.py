"""Writes docs/reference/*.md: every key of our YAML files, from the descriptions that the readers check with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic.json_schema import JsonSchemaValue

from conformance.adapters.registry import REGISTRY
from conformance.fencer_forms import whole as fencer_forms
from conformance.scenario_files import schema as scenario_schema
from conformance.waiver_form import WAIVERS
from emulator import fault_schema
from emulator.rack_form import RACK
from fencelab_yaml.form import keys_with_descriptions
from fencelab_yaml.models import model_schema
from fencer.ha.config import ConfigPart
from profiles.format import PROFILE

FOLDER: Final = Path(__file__).resolve().parent.parent / "docs" / "reference"
MOST_WORDS: Final = 12


@dataclass(frozen=True, slots=True)
class ReferencePage:
    """One page. `see` is a sentence with a link to the page that explains the format. `parts` are its tables by heading."""

    title: str
    see: str
    command: str
    parts: Callable[[], Mapping[str, JsonSchemaValue]]


def whole(schema: Callable[[], JsonSchemaValue]) -> Callable[[], Mapping[str, JsonSchemaValue]]:
    """A page with one table."""
    return lambda: {"": schema()}


PAGES: Final[Mapping[str, ReferencePage]] = {
    "profile": ReferencePage(
        "Keys of a profile",
        "[How to write a profile](../write-a-profile.md) explains them.",
        "bmc-emulator schema profile",
        whole(PROFILE.schema),
    ),
    "rack": ReferencePage(
        "Keys of a rack file",
        "[The lab](../lab.md) and `profiles/racks/sample.yaml` show them at work.",
        "bmc-emulator schema rack",
        whole(RACK.schema),
    ),
    "waivers": ReferencePage(
        "Keys of a waiver file", "[Runs](../run.md) explain waivers.", "fence-conformance schema waivers", whole(WAIVERS.schema)
    ),
    "scenario": ReferencePage(
        "Keys of a scenario file",
        "[How to write a scenario](../write-a-scenario.md) explains them.",
        "fence-conformance schema scenario",
        scenario_schema.parts,
    ),
    "fault": ReferencePage(
        "Keys of a fault",
        "[Faults](../faults.md) says what each does, [how to write a fault](../write-a-fault.md) how to add one.",
        "bmc-emulator schema fault",
        lambda: _fault_parts(fault_schema()),
    ),
    "fencer": ReferencePage(
        "Keys of a fencer file",
        "[Test your own fencer](../write-an-adapter.md) explains them.",
        "fence-conformance schema fencer",
        lambda: fencer_forms.parts(REGISTRY.shipped.values()),
    ),
    "fence-ha": ReferencePage(
        "Keys of a configuration of fence-ha",
        "[HA](../ha.md) explains them, and `fence-ha sample` prints all with comments.",
        "fence-ha schema",
        whole(lambda: model_schema(ConfigPart, "fence-ha", "A configuration of fence-ha")),
    ),
}


def _fault_parts(schema: JsonSchemaValue) -> Mapping[str, JsonSchemaValue]:
    """The keys that all faults have, and the parameters of each."""
    faults = [_resolved(each, schema["$defs"]) for each in schema["oneOf"]]
    names = [each["properties"]["type"]["const"] for each in faults]
    common = {key: value for key, value in faults[0]["properties"].items() if key not in ("type", "params")}
    every = {"type": {"enum": names, "description": "which fault"}, **common}
    params = {"type": "object", "description": "the fault's own settings: see below"}
    found: dict[str, JsonSchemaValue] = {"all faults": {"properties": {**every, "params": params}, "required": ["type"]}}
    for name, each in zip(names, faults, strict=True):
        if own := each["properties"].get("params", {}).get("properties"):
            found[name] = {"properties": {f"params.{key}": value for key, value in own.items()}}
    return found


def _resolved(schema: JsonSchemaValue, definitions: Mapping[str, JsonSchemaValue]) -> JsonSchemaValue:
    """The schema without references."""
    if "$ref" in schema:
        said = {key: value for key, value in schema.items() if key != "$ref"}
        return _resolved(definitions[schema["$ref"].rpartition("/")[2]], definitions) | said
    return {key: _each_resolved(value, definitions) for key, value in schema.items()}


def _each_resolved(value: object, definitions: Mapping[str, JsonSchemaValue]) -> object:
    if isinstance(value, list):
        return [_each_resolved(each, definitions) for each in value]
    return _resolved(value, definitions) if isinstance(value, dict) else value


def page(name: str) -> str:
    """The text of a page."""
    about = PAGES[name]
    lines = [
        f"# {about.title}",
        "",
        f"{about.see} `{about.command}` prints the same as JSON Schema, for editors.",
        "",
        "A step `*` of a path stands for a name of your own, `[]` for the items of a list. Keys in **bold** must be there.",
    ]
    for heading, schema in about.parts().items():
        if heading:
            lines += ["", f"## {heading}", *(["", str(schema["description"])] if schema.get("description") else ())]
        lines += ["", *_table(schema)]
    return "\n".join(lines) + "\n"


def _table(schema: JsonSchemaValue) -> list[str]:
    lines = ["| key | value | meaning |", "| --- | --- | --- |"]
    needed = frozenset(_required(schema, ""))
    for path, said, value in dict.fromkeys((path, said, _value(each)) for path, said, each in keys_with_descriptions(schema)):
        if value:
            key = f"**`{path}`**" if path in needed else f"`{path}`"
            lines.append(f"| {key} | {value} | {said} |".replace("\n", " "))
    return lines


def _required(schema: JsonSchemaValue, path: str) -> list[str]:
    found = [f"{path}.{key}" if path else key for key in schema.get("required", ())]
    for key, value in schema.get("properties", {}).items():
        found += _required(value, f"{path}.{key}" if path else key)
    if isinstance(more := schema.get("additionalProperties"), dict):
        found += _required(more, f"{path}.*" if path else "*")
    if isinstance(items := schema.get("items"), dict):
        found += _required(items, f"{path}[]")
    for member in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        found += _required(member, path)
    return found


def _value(schema: JsonSchemaValue) -> str:
    """What may stand there, in a few words; empty for a key that must not be there."""
    match schema:
        case {"not": _}:
            return ""
        case {"const": word}:
            return f"`{word}`"
        case {"enum": words}:
            shown = ", ".join(dict.fromkeys(f"`{word}`" for word in words[:MOST_WORDS]))
            return shown + (" ..." if len(words) > MOST_WORDS else "")
        case {"type": "string"}:
            return "text"
        case {"anyOf": members} | {"oneOf": members}:
            return " or ".join(dict.fromkeys(word for member in members if (word := _value(member))))
        case {"$ref": str(reference)}:
            return reference.rpartition("/")[2]
        case {"type": "array", "items": {"$ref": str(reference)}}:
            return f"list of {reference.rpartition('/')[2]}s"
        case {"type": "array", "prefixItems": _}:
            return "list"
        case {"type": "array", "items": {"type": kind}}:
            return f"list of {'texts' if kind == 'string' else 'maps' if kind == 'object' else 'numbers'}"
        case {"type": "array"}:
            return "list"
        case {"type": "object"}:
            return "map"
        case {"type": "integer" | "number" as kind, **rest}:
            return ("whole number" if kind == "integer" else "number") + _bounds(rest)
        case {"type": "boolean"}:
            return "`true`, `false`"
        case {"type": "null"}:
            return "null"
        case {"type": list()}:
            return "text or number"
    return "anything"


def _bounds(schema: Mapping[str, object]) -> str:
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    if isinstance(above, int | float) and isinstance(high, int | float):
        return f", more than {_figure(above)}, at most {_figure(high)}"
    if isinstance(low, int | float) and isinstance(high, int | float):
        return f", {_figure(low)} to {_figure(high)}"
    return f", at least {_figure(low)}" if isinstance(low, int | float) else ""


def _figure(number: float) -> str:
    return f"{number:.0f}" if float(number).is_integer() else f"{number:g}"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in PAGES:
        (FOLDER / f"{each}.md").write_text(page(each), encoding="utf-8")
