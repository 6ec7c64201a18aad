"""Makes a pydantic model of a tree of YAML, for readers that want objects. The mistakes get our sentences and their places.

`form` is for formats whose readers work on the tree itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import groupby
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails

from fencelab_yaml.errors import Mark, Problems, did_you_mean, listed
from fencelab_yaml.form import NodePath, find, joined, schema_of
from fencelab_yaml.messages import SENTENCES, kind, number_kind
from fencelab_yaml.source import YamlMap, YamlNode, YamlScalar, plain
from fencelab_yaml.values import Context

Model = TypeVar("Model", bound=BaseModel)

WANTED: Final[Mapping[str, str]] = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
}
"""What a value of a plain type is, by the kind of pydantic's error."""


def read_model(model: type[Model], root: YamlMap, problems: Problems) -> Model | None:
    """The model of a tree. None where anything is wrong with its form, which is in `problems` then."""
    try:
        return model.model_validate(plain(root))
    except ValidationError as error:
        found = [(place_of(model, each["loc"]), each) for each in error.errors(include_url=False, include_input=False)]
    for place, same in groupby(sorted(found, key=lambda pair: [str(step) for step in pair[0]]), key=lambda pair: pair[0]):
        errors = [each for _, each in same]
        mark, path, sentence = _said(model, root, place, errors)
        problems.add(mark, path, sentence)
    return None


def _said(model: type[BaseModel], root: YamlNode, place: NodePath, errors: list[ErrorDetails]) -> tuple[Mark, str, str]:
    """The mark, the path and the sentence for the errors at one place: several where no member of a union fits."""
    error, context = errors[0], errors[0].get("ctx", {})
    node, key_mark = find(root, place)
    match error["type"]:
        case "missing":
            above, _ = find(root, place[:-1])
            return above.mark, joined("", place[:-1]), f"'{place[-1]}' is missing"
        case "extra_forbidden":
            known = keys_at(model, place[:-1], root)
            hint = did_you_mean(str(place[-1]), known) or f"; known here: {listed(known)}"
            return key_mark, joined("", place), f"unknown key{hint}"
        case "union_tag_invalid" | "union_tag_not_found":
            key = str(context["discriminator"]).strip("'")
            words = _quoted(str(context.get("expected_tags", "")))
            if not isinstance(node, YamlMap):
                return node.mark, joined("", place), f"must be a map, not {kind(node)}"
            if key not in node.entries:
                return node.mark, joined("", place), f"'{key}' is missing"
            return node.entries[key].mark, joined("", (*place, key)), SENTENCES["choice"](node.entries[key], {"words": words})
        case "literal_error":
            words = _quoted(str(context["expected"]))
            return node.mark, joined("", place), SENTENCES["choice"](node, {"words": words})
    return node.mark, joined("", place), _of_value(node, errors)


def _of_value(node: YamlNode, errors: list[ErrorDetails]) -> str:
    """The sentence for a value. Where it has the type of one member of a union, what this member wants is said, else all."""
    closest = [each for each in errors if each["type"] not in WANTED and _is_text(node)]
    if len(errors) == 1 or closest:
        error = (closest or errors)[0]
        context = error.get("ctx", {})
        if error["type"] == "string_type":
            return SENTENCES["text"](node, {"wanted": "text"})
        if error["type"] not in WANTED:
            return _sentence(error, node, context)
    wanted = (WANTED.get(each["type"]) or each.get("ctx", {}).get("wanted") for each in errors)
    return f"must be {' or '.join(dict.fromkeys(str(each) for each in wanted if each))}, not {number_kind(node)}"


def _is_text(node: YamlNode) -> bool:
    return isinstance(node, YamlScalar) and isinstance(node.value, str)


BOUNDS: Final[Mapping[str, tuple[str, str]]] = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _sentence(error: ErrorDetails, node: YamlNode, context: Context) -> str:
    if error["type"] in BOUNDS:
        words, key = BOUNDS[error["type"]]
        return f"must be {words} {context[key]:g}, not {kind(node).removeprefix('the number ')}"
    sentence = SENTENCES.get(error["type"])
    return sentence(node, context) if sentence else error["msg"].removeprefix("Value error, ")


def _quoted(text: str) -> tuple[str, ...]:
    """The words of a list that pydantic has written; numbers stand without quotes."""
    return tuple(re.findall(r"[\w.-]+", text.replace(" or ", ", ")))


def model_schema(model: type[BaseModel], name: str, title: str) -> JsonSchemaValue:
    """The JSON Schema of a file that `read_model` reads."""
    return schema_of(TypeAdapter(model), name, title)


# -- places ----------------------------------------------------------------------------------------------------------------


def place_of(model: type[BaseModel], location: NodePath) -> NodePath:
    """The keys and positions of an error's location. pydantic puts the name of the member behind each union."""
    place: list[int | str] = []
    for step, _ in _walk(model, location):
        if step is not None:
            place.append(step)
    return tuple(place)


def keys_at(model: type[BaseModel], place: NodePath, root: YamlNode) -> tuple[str, ...]:
    """The keys of the map at a place of a tree; where several kinds of map may stand there, those of the kind that does."""
    hint: object = model
    node: YamlNode = root
    for step in place:
        hint = _bare(_inside(_member_for(hint, node), step))
        node, _ = find(node, (step,))
    hint = _member_for(hint, node)
    return tuple(hint.model_fields) if _is_model(hint) and isinstance(hint, type) and issubclass(hint, BaseModel) else ()


def _walk(model: type[BaseModel], location: NodePath) -> Iterator[tuple[int | str | None, object]]:
    hint: object = model
    for step in location:
        members = _members(hint)
        if len(members) > 1:
            hint = _bare(next((member for member in members if _label(member, step)), members[-1]))
            yield None, hint
            continue
        inner = _inside(hint, step)
        if inner is None and isinstance(step, str) and not _is_model(hint) and get_origin(hint) is not dict:
            continue  # the name of a function of ours
        hint = _bare(inner)
        yield step, hint


def _is_model(hint: object) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)


def _bare(hint: object) -> object:
    """The type without what is said about it, and without None beside one other type."""
    while True:
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
        elif get_origin(hint) in (Union, UnionType) and len(others := [m for m in get_args(hint) if m is not NoneType]) == 1:
            hint = others[0]
        else:
            return hint


def _members(hint: object) -> tuple[object, ...]:
    if get_origin(hint) not in (Union, UnionType):
        return (hint,)
    found: list[object] = []
    for member in get_args(hint):
        found += [] if member is NoneType else _members(_bare(member))
    return tuple(found)


def _tags(member: object) -> frozenset[object]:
    """The words that say which member of a union a map is."""
    if not (isinstance(member, type) and issubclass(member, BaseModel)):
        return frozenset()
    literals = (field.annotation for field in member.model_fields.values() if get_origin(field.annotation) is Literal)
    return frozenset(word for literal in literals for word in get_args(literal) if len(get_args(literal)) == 1)


def _label(member: object, step: int | str) -> bool:
    return step in _tags(member) or getattr(_bare(member), "__name__", "") == step


def _member_for(hint: object, node: YamlNode) -> object:
    members = _members(hint)
    if len(members) == 1:
        return members[0]
    words = {str(value) for value in plain(node).values()} if isinstance(node, YamlMap) else set()
    return next((member for member in members if _tags(member) & words), members[-1])


def _inside(hint: object, step: int | str) -> object:
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        field = hint.model_fields.get(str(step))
        return None if field is None else field.annotation
    arguments = get_args(hint)
    return arguments[-1] if arguments else None
