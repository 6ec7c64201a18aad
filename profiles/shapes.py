"""The allowed forms of values: each shape checks a node of a tree and gives its JSON Schema. `format` is built of them.

Rules
  1. A shape checks the form only. `references` checks names that refer to one another.
  2. With `partial`, one file is checked before it is merged with its parents: no key is required and `null` deletes. Lists
     are not merged, so inside them all keys are required and `null` is a value.
  3. Every message says what was found and what is expected.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from profiles.errors import Mark, Problems, did_you_mean, listed
from profiles.model import Confidence
from profiles.yaml_source import YamlList, YamlMap, YamlNode, YamlScalar

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """The state of one check: the collected problems, and whether the file is not merged yet."""

    problems: Problems
    path: str = ""
    partial: bool = True

    def at(self, key: str | int) -> Check:
        step = f"[{key}]" if isinstance(key, int) else (f".{key}" if self.path else key)
        return replace(self, path=self.path + step)

    def whole(self) -> Check:
        return replace(self, partial=False)

    def fail(self, mark: Mark, message: str) -> None:
        self.problems.add(mark, self.path, message)


class Shape(Protocol):
    def check(self, node: YamlNode, here: Check) -> None: ...

    def schema(self) -> Schema: ...


def kind(node: YamlNode) -> str:
    """Describes a node in words."""
    match node:
        case YamlMap():
            return "a map"
        case YamlList():
            return "a list"
        case YamlScalar(value=None):
            return "null"
        case YamlScalar(value=bool()):
            return f"the boolean {node.raw}"
        case YamlScalar(value=int() | float()):
            return f"the number {node.raw}"
        case _:
            return f"'{node.raw[:60]}'"


def _deletes(node: YamlNode, here: Check) -> bool:
    return here.partial and isinstance(node, YamlScalar) and node.value is None


@dataclass(frozen=True, slots=True)
class Text:
    """Text. Numbers and booleans without quotes are refused: 6.10 and 6.1 are the same number but different versions."""

    pattern: str = ".+"
    wanted: str = "text"

    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlScalar) or node.value is None:
            here.fail(node.mark, f"must be {self.wanted}, not {kind(node)}")
        elif not isinstance(node.value, str):
            here.fail(node.mark, f'must be {self.wanted}, not {kind(node)}; quote it: "{node.raw}"')
        elif not re.fullmatch(self.pattern, node.value, re.DOTALL):
            here.fail(node.mark, f"must be {self.wanted}, not {kind(node) if node.value else 'empty'}")

    def schema(self) -> Schema:
        return {"type": "string"} | ({"pattern": f"^(?:{self.pattern})$"} if self.pattern != ".+" else {"minLength": 1})


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a list."""

    words: tuple[str, ...]

    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlScalar) or node.value not in self.words or isinstance(node.value, bool):
            hint = did_you_mean(node.raw, self.words) if isinstance(node, YamlScalar) else ""
            here.fail(node.mark, f"must be one of {', '.join(self.words)}; not {kind(node)}{hint}")

    def schema(self) -> Schema:
        return {"enum": list(self.words)}


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range; whole numbers only unless `fraction`."""

    low: float = 0
    high: float = 1_000_000_000
    fraction: bool = False

    def check(self, node: YamlNode, here: Check) -> None:
        value = node.value if isinstance(node, YamlScalar) else None
        allowed = (int, float) if self.fraction else (int,)
        if isinstance(value, bool) or not isinstance(value, allowed):
            wanted = "a number" if self.fraction else "a whole number"
            here.fail(node.mark, f"must be {wanted}, not {kind(node)}")
        elif not self.low <= value <= self.high:
            here.fail(
                node.mark,
                f"must be from {self.low:g} to {self.high:g}, not {node.raw if isinstance(node, YamlScalar) else ''}",
            )

    def schema(self) -> Schema:
        return {"type": "number" if self.fraction else "integer", "minimum": self.low, "maximum": self.high}


@dataclass(frozen=True, slots=True)
class Flag:
    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlScalar) or not isinstance(node.value, bool):
            here.fail(node.mark, f"must be true or false, not {kind(node)}")

    def schema(self) -> Schema:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Free:
    """Any JSON."""

    def check(self, node: YamlNode, here: Check) -> None:
        return

    def schema(self) -> Schema:
        return {}


@dataclass(frozen=True, slots=True)
class Never:
    """A key that a profile must not have; `why` says what to do instead."""

    why: str

    def check(self, node: YamlNode, here: Check) -> None:
        here.fail(node.mark, self.why)

    def schema(self) -> Schema:
        return {"not": {}}


@dataclass(frozen=True, slots=True)
class OrNull:
    """The shape, or null as a value (only inside lists, where null does not delete)."""

    shape: Shape

    def check(self, node: YamlNode, here: Check) -> None:
        if not (isinstance(node, YamlScalar) and node.value is None):
            self.shape.check(node, here)

    def schema(self) -> Schema:
        return {"anyOf": [self.shape.schema(), {"type": "null"}]}


@dataclass(frozen=True, slots=True)
class OneOf:
    """Different kinds of node for one thing: `scalar` for a word or number, `items` for a list, `fields` for a map."""

    wanted: str
    scalar: Shape | None = None
    items: Shape | None = None
    fields: Shape | None = None

    def check(self, node: YamlNode, here: Check) -> None:
        shape = {YamlScalar: self.scalar, YamlList: self.items, YamlMap: self.fields}[type(node)]
        if shape is None:
            here.fail(node.mark, f"must be {self.wanted}, not {kind(node)}")
        else:
            shape.check(node, here)

    def schema(self) -> Schema:
        return {"anyOf": [shape.schema() for shape in (self.scalar, self.items, self.fields) if shape is not None]}


@dataclass(frozen=True, slots=True)
class ListOf:
    item: Shape
    least: int = 0
    unique: bool = False

    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlList):
            here.fail(node.mark, f"must be a list, not {kind(node)}")
            return
        if len(node.items) < self.least:
            here.fail(node.mark, f"must have at least {self.least} item{'s' if self.least > 1 else ''}")
        seen: set[str] = set()
        for index, item in enumerate(node.items):
            self.item.check(item, here.at(index).whole())
            if self.unique and isinstance(item, YamlScalar):
                if item.raw in seen:
                    here.at(index).fail(item.mark, f"{kind(item)} stands in the list twice")
                seen.add(item.raw)

    def schema(self) -> Schema:
        extra: Schema = {"uniqueItems": True} if self.unique else {}
        return {"type": "array", "items": self.item.schema(), "minItems": self.least} | extra


@dataclass(frozen=True, slots=True)
class MapOf:
    """A map with free keys that match `key`; `but` holds keys with a shape of their own."""

    value: Shape
    key: str = "[A-Za-z0-9_][A-Za-z0-9_-]*"
    wanted: str = "a name of letters, digits, _ -"
    but: Mapping[str, Shape] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlMap):
            here.fail(node.mark, f"must be a map, not {kind(node)}")
            return
        for name, value in node.entries.items():
            inside = here.at(name)
            if name not in self.but and self.words and name not in self.words:
                inside.fail(node.keys[name], f"must be one of {', '.join(self.words)}{did_you_mean(name, self.words)}")
            elif name not in self.but and not re.fullmatch(self.key, name):
                inside.fail(node.keys[name], f"the key must be {self.wanted}")
            elif not _deletes(value, inside):
                self.but.get(name, self.value).check(value, inside)

    def schema(self) -> Schema:
        names: Schema = {"enum": [*self.words, *self.but]} if self.words else {"pattern": f"^(?:{self.key})$"}
        special = {name: _nullable(shape.schema()) for name, shape in self.but.items()}
        return {
            "type": "object",
            "propertyNames": names,
            "additionalProperties": _nullable(self.value.schema()),
            "properties": special,
        }


@dataclass(frozen=True, slots=True)
class Record:
    """A map with known keys. Every other key is an error, so that a misspelt key is found."""

    fields: Mapping[str, Shape]
    required: tuple[str, ...] = ()
    always: tuple[str, ...] = ()  # required in every file, with or without parents

    def check(self, node: YamlNode, here: Check) -> None:
        if not isinstance(node, YamlMap):
            here.fail(node.mark, f"must be a map, not {kind(node)}")
            return
        for name, value in node.entries.items():
            inside = here.at(name)
            shape = self.fields.get(name)
            if shape is None:
                known = did_you_mean(name, self.fields) or f"; known here: {listed(self.fields)}"
                inside.fail(node.keys[name], f"unknown key{known}")
            elif not _deletes(value, inside):
                shape.check(value, inside)
        for name in (*self.always, *(() if here.partial else self.required)):
            if name not in node.entries:
                here.fail(node.mark, f"'{name}' is missing")

    def schema(self) -> Schema:
        properties = {name: _nullable(shape.schema()) for name, shape in self.fields.items()}
        schema: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
        return schema | ({"required": list(self.always)} if self.always else {})


def _nullable(schema: Schema) -> Schema:
    """Returns the schema of a key in a file: it may also be null, which deletes the parent's value."""
    if isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    return {"anyOf": [schema, {"type": "null"}]} if schema else {}


@dataclass(frozen=True, slots=True)
class Seconds:
    """A time in seconds, or `[from, to]`, from which one is drawn."""

    high: float = 86_400

    def check(self, node: YamlNode, here: Check) -> None:
        number = Number(0, self.high, fraction=True)
        if not isinstance(node, YamlList):
            if isinstance(node, YamlMap) or not isinstance(node.value, int | float):
                here.fail(node.mark, f"must be seconds or [from, to], not {kind(node)}")
            else:
                number.check(node, here)
            return
        if len(node.items) != 2:
            here.fail(node.mark, f"must be seconds or [from, to], not a list of {len(node.items)}")
            return
        for index, item in enumerate(node.items):
            number.check(item, here.at(index))
        low, high = (item.value if isinstance(item, YamlScalar) else None for item in node.items)
        if isinstance(low, int | float) and isinstance(high, int | float) and low > high:
            here.fail(node.mark, f"[from, to] runs backwards: {low:g} > {high:g}")

    def schema(self) -> Schema:
        number = Number(0, self.high, fraction=True).schema()
        return {"anyOf": [number, {"type": "array", "items": number, "minItems": 2, "maxItems": 2}]}


CONFIDENCES: Final = tuple(confidence.value for confidence in Confidence)


@dataclass(frozen=True, slots=True)
class Claim:
    """`[lead..., confidence, source...]`: evidence, or a table cell, which has words before its evidence."""

    lead: tuple[tuple[str, Shape], ...] = ()
    unknown: bool = False  # "?" is allowed

    def check(self, node: YamlNode, here: Check) -> None:
        if self.unknown and isinstance(node, YamlScalar) and node.value == "?":
            if not here.partial:
                here.fail(node.mark, '"?" takes the outcome of a parent, and no parent has this cell')
            return
        form = f"[{', '.join([*(name for name, _ in self.lead), 'confidence', 'source...'])}]"
        form += ' or "?"' if self.unknown else ""
        if not isinstance(node, YamlList) or len(node.items) <= len(self.lead):
            here.fail(
                node.mark,
                f"must be {form}, not {kind(node)}{'' if not isinstance(node, YamlList) else f' of {len(node.items)}'}",
            )
            return
        for (_, shape), item in zip(self.lead, node.items, strict=False):
            shape.check(item, here)
        confidence, *sources = node.items[len(self.lead) :]
        Choice(CONFIDENCES).check(confidence, here)
        for source in sources:
            Text().check(source, here)
        if not sources and isinstance(confidence, YamlScalar) and confidence.value in CONFIDENCES[:-1]:
            here.fail(confidence.mark, f"'{confidence.raw}' needs a source after it; without one only 'inferred' is honest")

    def schema(self) -> Schema:
        first = [shape.schema() for _, shape in self.lead]
        schema: Schema = {
            "type": "array",
            "minItems": len(first) + 1,
            "prefixItems": [*first, {"enum": list(CONFIDENCES)}],
            "items": {"type": "string"},
        }
        return {"anyOf": [{"const": "?"}, schema]} if self.unknown else schema


def names(words: Iterable[str], shape: Shape) -> dict[str, Shape]:
    """The same shape for several keys."""
    return dict.fromkeys(words, shape)
