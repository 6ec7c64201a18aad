"""JSON that came from a stranger: every look into it gives a value of the type that was asked for, or None. Pure."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]

MAX_DEPTH = 64
"""Deeper JSON is refused, so that no body can exhaust the stack."""


def parsed(text: bytes) -> Json:
    """The value of a body. Raises ValueError for what is not JSON, not UTF-8 or nested deeper than `MAX_DEPTH`."""
    try:
        value: Json = json.loads(text.decode("utf-8-sig"), parse_constant=_refused, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if _is_deep(value):
        raise ValueError("nested too deep")
    return value


def _finite(word: str) -> float:
    number = float(word)
    if math.isinf(number):
        raise ValueError(f"{word} is too large a number")
    return number


def _refused(word: str) -> Json:
    raise ValueError(f"{word} is not JSON")


def _is_deep(value: Json) -> bool:
    level: list[Json] = [value]
    for _ in range(MAX_DEPTH):
        level = [part for each in level for part in parts(each)]
        if not level:
            return False
    return True


def parts(value: Json) -> list[Json]:
    """The values directly inside an object or a list."""
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def with_texts(value: Json, change: Callable[[str], str]) -> Json:
    """A copy in which every text has been changed; keys are texts too."""
    if isinstance(value, dict):
        return {change(key): with_texts(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [with_texts(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


def found(value: Json, *path: str) -> Json:
    """The value at a path of keys; None where there is none."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def object_at(value: Json, *path: str) -> JsonObject:
    """The object at a path of keys, else an empty one."""
    there = found(value, *path)
    return there if isinstance(there, dict) else {}


def text_at(value: Json, *path: str) -> str | None:
    """The text at a path of keys; None for other types and for an empty one."""
    there = found(value, *path)
    return there if isinstance(there, str) and there else None


def number_at(value: Json, *path: str) -> float | None:
    """The number at a path of keys; true and false are none."""
    there = found(value, *path)
    return there if isinstance(there, int | float) and not isinstance(there, bool) else None


def texts_at(value: Json, *path: str) -> tuple[str, ...]:
    """The texts of the list at a path of keys."""
    there = found(value, *path)
    return tuple(each for each in there if isinstance(each, str)) if isinstance(there, list) else ()


def objects_at(value: Json, *path: str) -> tuple[JsonObject, ...]:
    """The objects of the list at a path of keys."""
    there = found(value, *path)
    return tuple(each for each in there if isinstance(each, dict)) if isinstance(there, list) else ()


def pairs(value: Json) -> Iterator[tuple[str, Json]]:
    """Every key with its value, at any depth. Items of a list have the key of the list."""
    waiting: list[tuple[str, Json]] = [("", value)]
    while waiting:
        key, each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(reversed(each.items()))
        elif isinstance(each, list):
            waiting.extend((key, item) for item in reversed(each))
        if key:
            yield key, each
