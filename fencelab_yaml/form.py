"""Checks a tree of YAML against a description, and prints the description as JSON Schema.

Rules
  1. A description is a type that pydantic knows, made of `TypedDict`s and `values`. It is the only description of a format.
  2. With `partial`, one file is checked before it is merged with its parents: no key is required and `null` deletes. Lists
     are not merged, so inside them all keys are required and `null` is a value.
  3. Every message says what was found and what is expected.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import UnionType
from typing import Annotated, Final, NotRequired, Required, TypeVar, Union, cast, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails
from typing_extensions import get_type_hints, is_typeddict

from fencelab_yaml.errors import Mark, Problems, did_you_mean, listed
from fencelab_yaml.messages import SENTENCES, key_choice
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar, plain
from fencelab_yaml.values import FIELDS, FORMS, ITEMS, form_of

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Described = TypeVar("Described")

NodePath = tuple[int | str, ...]
"""Keys and positions from the root of a tree to a value."""


@dataclass(frozen=True)
class Form:
    """One format. `name` is what a file writes behind `schema:`; `always` are keys that even a partial file must have.

    Of the outermost map `needed` says why a key must be there, and `foreign` what is to be said of a key that belongs elsewhere.
    With `lists_keys`, what is known stands beside a guess too.
    """

    name: str
    title: str
    description: type
    always: frozenset[str] = frozenset()
    needed: Mapping[str, str] = field(default_factory=dict)
    foreign: Mapping[str, str] = field(default_factory=dict)
    lists_keys: bool = False

    @cached_property
    def _adapter(self) -> TypeAdapter[object]:
        return TypeAdapter(self.description)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the outermost map."""
        return tuple(_hints(self.description))

    def keys_of(self, *path: str) -> tuple[str, ...] | None:
        """The keys of the map at a path; None where its keys are free words, or where there is no map."""
        return _keys(self.description, path)

    def check(self, node: YamlNode, problems: Problems, path: str = "", *, partial: bool = False) -> None:
        """Adds everything that is wrong with the form of a tree. `path` is where the tree stands in its file."""
        try:
            self._adapter.validate_python(plain(node))
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False)
            bad_keys = {each["loc"][:-1] for each in found if each["loc"][-1:] == ("[key]",)}
            for each in found:
                if each["loc"][-1:] == ("[key]",) or not any(each["loc"][: len(key)] == key for key in bad_keys):
                    self._add(each, node, problems, path, partial)

    def _add(self, error: ErrorDetails, root: YamlNode, problems: Problems, path: str, partial: bool) -> None:
        kind, context, place = error["type"], error.get("ctx", {}), _place(error["loc"])
        in_list = any(isinstance(step, int) for step in place)
        if kind == "missing":
            *above, key = place
            if not partial or in_list or (not above and key in self.always):
                node, _ = find(root, tuple(above))
                why = "" if above else self.needed.get(str(key), "")
                problems.add(node.mark, joined(path, tuple(above)), f"'{key}' is missing{why and ': '}{why}")
            return
        is_key = place[-1:] == ("[key]",)
        if is_key:
            place = place[:-1]
        node, key_mark = find(root, place)
        where = joined(path, place)
        if kind == "extra_forbidden":
            problems.add(key_mark, where, self._unknown(place, _keys(self.description, error["loc"][:-1]) or ()))
        elif is_key and kind == "key_choice":
            problems.add(key_mark, where, key_choice(str(place[-1]), context))
        elif is_key:
            problems.add(key_mark, where, SENTENCES[kind](node, context))
        elif partial and not in_list and isinstance(node, YamlScalar) and node.value is None:
            return  # deletes what a parent says
        elif partial and context.get("when_merged"):
            return
        else:
            at = context.get("at")
            inner = node.items[at] if isinstance(node, YamlList) and isinstance(at, int) else node
            sentence = SENTENCES.get(kind)
            said = sentence(inner, context) if sentence else error["msg"].removeprefix("Value error, ")
            problems.add(key_mark if context.get("at_key") else inner.mark, where, said)

    def _unknown(self, place: NodePath, known: Iterable[str]) -> str:
        said = self.foreign.get(str(place[0])) if len(place) == 1 else None
        if said is None:
            guess = did_you_mean(str(place[-1]), known)
            said = f"unknown key{guess}"
            if guess and not self.lists_keys:
                return said
        return f"{said}; known here: {listed(known)}"

    def schema(self, *, partial: bool = False) -> JsonSchemaValue:
        """The format as JSON Schema. With `partial`, as a file may be that has parents."""
        whole = schema_of(self._adapter, self.name, self.title)
        return _nullable_keys(whole) | {"required": sorted(self.always)} if partial else whole

    def text(self, *, partial: bool = False) -> str:
        """The JSON Schema as the text of a file."""
        return json.dumps(self.schema(partial=partial), indent=1, ensure_ascii=True) + "\n"


# -- places ----------------------------------------------------------------------------------------------------------------


def _place(location: NodePath) -> NodePath:
    return tuple(step for step in location if step not in FORMS)


def find(root: YamlNode, place: NodePath) -> tuple[YamlNode, Mark]:
    """The node at a place, or the nearest one above it, and the mark of its key."""
    node, mark = root, root.mark
    for step in place:
        if isinstance(node, YamlMap) and step in node.entries:
            mark = node.keys[str(step)]
            node = node.entries[str(step)]
        elif isinstance(node, YamlList) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            mark = node.mark
    return node, mark


def joined(path: str, place: NodePath) -> str:
    """The place as users read it, behind the path of what it is in: `bmcs[0].name`."""
    for step in place:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else step
    return path


# -- descriptions ----------------------------------------------------------------------------------------------------------


@cache
def _hints(description: type) -> Mapping[str, object]:
    return get_type_hints(description, include_extras=True)


def _bare(hint: object) -> object:
    """The type without what is said about it."""
    while get_origin(hint) in (Annotated, Required, NotRequired):
        hint = get_args(hint)[0]
    return hint


def _keys(description: object, place: NodePath) -> tuple[str, ...] | None:
    hint = _bare(description)
    for step in place:
        hint = _bare(_below(hint, step))
    return tuple(_hints(cast(type, hint))) if is_typeddict(hint) else None


def _below(hint: object, step: int | str) -> object:
    """The type of a value inside another one."""
    if step in FORMS and get_origin(hint) not in (Union, UnionType):
        return hint  # a `OneOf` of one kind of node
    if is_typeddict(hint):
        return _hints(cast(type, hint)).get(str(step))
    members = get_args(hint)
    if step in FORMS:
        return next((each for each in members if form_of(each) == step), None)
    if get_origin(hint) is Union or not isinstance(get_origin(hint), type):
        wanted = ITEMS if isinstance(step, int) else FIELDS
        return _below(_bare(next((each for each in members if form_of(each) == wanted), None)), step) if members else None
    return members[-1] if members else None


# -- JSON Schema -----------------------------------------------------------------------------------------------------------


def schema_of(adapter: TypeAdapter[Described], name: str, title: str) -> JsonSchemaValue:
    """The JSON Schema of a description, without references and without the titles that pydantic makes of names."""
    whole = adapter.json_schema()
    definitions = cast(Mapping[str, JsonSchemaValue], whole.pop("$defs", {}))
    return {"$schema": DIALECT, "$id": name, "title": title} | _inlined(whole, definitions)


def _inlined(schema: JsonSchemaValue, definitions: Mapping[str, JsonSchemaValue]) -> JsonSchemaValue:
    """The schema without references: editors show the description of what stands in place."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        said = {key: value for key, value in schema.items() if key != "$ref"}
        return _inlined(definitions[reference.rpartition("/")[2]], definitions) | said
    patterns = schema.get("patternProperties")
    if isinstance(patterns, dict):  # pydantic's form for a map with free keys lets other keys pass
        ((pattern, value),) = patterns.items()
        rest = {key: each for key, each in schema.items() if key != "patternProperties"}
        return _inlined(rest | {"propertyNames": {"pattern": pattern}, "additionalProperties": value}, definitions)
    return {key: _inlined_value(value, definitions) for key, value in schema.items() if not _is_made_up(key, value)}


def _is_made_up(key: str, value: object) -> bool:
    """Whether it is a title that pydantic has made of the name of a key or class."""
    return key == "title" and isinstance(value, str)


def _inlined_value(value: object, definitions: Mapping[str, JsonSchemaValue]) -> object:
    if isinstance(value, dict):
        return _inlined(value, definitions)
    if isinstance(value, list):
        return [_inlined_value(item, definitions) for item in value]
    return value


def _nullable_keys(schema: JsonSchemaValue) -> JsonSchemaValue:
    """The schema of a file with parents: keys may be left out, and null deletes. Lists stay as they are."""
    changed = {key: value for key, value in schema.items() if key != "required"}
    properties = changed.get("properties")
    if isinstance(properties, dict):
        changed["properties"] = {key: _nullable(_nullable_keys(value)) for key, value in properties.items()}
    more = changed.get("additionalProperties")
    if isinstance(more, dict):
        changed["additionalProperties"] = _nullable(_nullable_keys(more))
    members = changed.get("anyOf")
    if isinstance(members, list):
        changed["anyOf"] = [_nullable_keys(member) for member in members]
    return changed


def _nullable(schema: JsonSchemaValue) -> JsonSchemaValue:
    if isinstance(schema.get("type"), str):
        return schema | {"type": [schema["type"], "null"]}
    if "enum" in schema:
        return schema | {"enum": [*schema["enum"], None]}
    if "anyOf" in schema:
        return schema | {"anyOf": [*schema["anyOf"], {"type": "null"}]}
    return schema


def keys_with_descriptions(schema: JsonSchemaValue, path: str = "") -> Iterator[tuple[str, str, JsonSchemaValue]]:
    """Every key of a schema as (path, description, schema), in order. A step `*` stands for free words, `[]` for items."""
    for key, value in schema.get("properties", {}).items():
        here = f"{path}.{key}" if path else key
        yield here, str(value.get("description", "")), value
        yield from keys_with_descriptions(value, here)
    more = schema.get("additionalProperties")
    if isinstance(more, dict):
        yield from keys_with_descriptions(more, f"{path}.*" if path else "*")
    items = schema.get("items")
    if isinstance(items, dict):
        yield from keys_with_descriptions(items, f"{path}[]")
    for member in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from keys_with_descriptions(member, path)
