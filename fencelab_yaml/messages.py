"""The sentence for one error of a value: what was found and what is wanted. `form` calls it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from fencelab_yaml.errors import did_you_mean
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, YamlScalar
from fencelab_yaml.values import Context

SentenceMaker = Callable[[YamlNode, Context], str]


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


_FIGURES: Final = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?(?:[eE][-+]?[0-9]+)?")


def too_large(value: object) -> str:
    """Returns `; too large a number` for text that is one: the reader takes no more than 18 digits, and no infinity."""
    if not isinstance(value, str) or not _FIGURES.fullmatch(value):
        return ""
    return "; too large a number" if len(value.lstrip("+-0")) > 18 or math.isinf(float(value)) else ""


def number_kind(node: YamlNode) -> str:
    """Describes a node where a number is wanted."""
    return kind(node) + (too_large(node.value) if isinstance(node, YamlScalar) else "")


def _must_be(wanted: str) -> SentenceMaker:
    return lambda node, context: f"must be {wanted}, not {kind(node)}"


def _words(context: Context) -> tuple[str, ...]:
    words = context["words"]
    return tuple(str(word) for word in words) if isinstance(words, Iterable) else ()


def _text(node: YamlNode, context: Context) -> str:
    wanted = context["wanted"]
    if not isinstance(node, YamlScalar) or node.value is None:
        return f"must be {wanted}, not {kind(node)}"
    if not isinstance(node.value, str):
        return f'must be {wanted}, not {kind(node)}; quote it: "{node.raw}"'
    return f"must be {wanted}, not {kind(node) if node.value else 'empty'}"


def _choice(node: YamlNode, context: Context) -> str:
    words = _words(context)
    if len(words) == 1:
        return f"must be '{words[0]}', not {kind(node)}"
    hint = did_you_mean(node.raw, words) if isinstance(node, YamlScalar) else ""
    return f"must be one of {', '.join(words)}; not {kind(node)}{hint}"


def _number(node: YamlNode, context: Context) -> str:
    value = node.value if isinstance(node, YamlScalar) else None
    allowed = (int, float) if context["fraction"] else (int,)
    if isinstance(value, bool) or not isinstance(value, allowed):
        return f"must be {'a number' if context['fraction'] else 'a whole number'}, not {number_kind(node)}"
    return f"must be from {context['low']:g} to {context['high']:g}, not {node.raw if isinstance(node, YamlScalar) else ''}"


def _form(node: YamlNode, context: Context) -> str:
    many = f" of {len(node.items)}" if isinstance(node, YamlList) and context.get("counted") else ""
    return f"must be {context['wanted']}, not {kind(node)}{many}"


def _least(node: YamlNode, context: Context) -> str:
    least = context["min_length"]
    return f"must have at least {least} item{'' if least == 1 else 's'}"


SENTENCES: Final[Mapping[str, SentenceMaker]] = {
    "text": _text,
    "choice": _choice,
    "number": _number,
    "form": _form,
    "too_short": _least,
    "flag": _must_be("true or false"),
    "dict_type": _must_be("a map"),
    "model_type": _must_be("a map"),
    "list_type": _must_be("a list"),
    "key": lambda node, context: f"the key must be {context['wanted']}",
    "sentence": lambda node, context: str(context["sentence"]),
    "twice": lambda node, context: f"{kind(node)} stands in the list twice",
}
"""By the kind of an error. Kinds of pydantic that are not here keep pydantic's own sentence."""


def key_choice(key: str, context: Context) -> str:
    """What is wrong with a key that must be one of some words."""
    words = _words(context)
    return f"must be one of {', '.join(words)}{did_you_mean(key, words)}"
