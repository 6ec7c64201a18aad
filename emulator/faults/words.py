"""A fault as words of a command line, turned into the mapping of the form `fault/1`.

    fault_from_words("report.says", params=["word=On"], when=["rail=off"], count=2, after="rail=off")

`bmc-emulator fault add` and `bmc-emulator run --fault` use it. A word becomes what the fault's parameter is: a number, true or
false, a list with commas, JSON for a map. What does not fit stays text, so that the model of `fault/1` says what is wrong with
it.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from emulator.core.faults.trigger import When
from emulator.faults import registry
from emulator.faults.model import FaultMisconfigured, hints_of
from emulator.faults.plugins import load_plugged_in


def fault_from_words(
    name: str,
    *,
    params: Iterable[str] = (),
    when: Iterable[str] = (),
    count: int | None = None,
    after: str | None = None,
    until: str | None = None,
    probability: float | None = None,
) -> dict[str, object]:
    """The mapping; what was not given is left out. Raises FaultMisconfigured for a word without `=` or a key that comes twice."""
    if name not in registry.fault_names():
        load_plugged_in()
    hints = hints_of(registry.fault_class(name)) if name in registry.fault_names() else {}
    told: dict[str, object] = {"type": name}
    for key, words, known in (("params", params, hints), ("when", when, hints_of(When))):
        if values := _values(words, known, key):
            told[key] = values
    given = {"count": count, "after": _moment(after), "until": _moment(until), "probability": probability}
    return told | {key: value for key, value in given.items() if value is not None}


def _values(words: Iterable[str], hints: Mapping[str, Any], where: str) -> dict[str, object]:
    values: dict[str, object] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise FaultMisconfigured(((where, f"{word[:60]!r} must be key=value"),))
        if key in values:
            raise FaultMisconfigured(((f"{where}.{key}", "is given twice"),))
        values[key] = _value(hints.get(key, str), text)
    return values


def _moment(text: str | None) -> object:
    """Seconds, or conditions such as rail=off,system=1."""
    if text is None:
        return None
    if "=" in text:
        return {key: value for key, _, value in (part.partition("=") for part in text.split(","))}
    return _number(text, float)


def _value(hint: Any, text: str) -> object:
    origin, args = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if text == "null" and type(None) in args:
            return None
        return next((made for arg in args if arg is not type(None) and (made := _value(arg, text)) != text), text)
    if hint is bool:
        return {"true": True, "false": False}.get(text, text)
    if hint in (int, float):
        return _number(text, hint)
    if origin is Literal:
        return next((arg for arg in args if str(arg) == text), text)
    if origin is tuple:
        return [_value(args[0], part) for part in text.split(",")]
    if origin is not None and issubclass(origin, Mapping):
        return _json(text)
    return text


def _number(text: str, kind: type[int] | type[float]) -> object:
    try:
        return int(text, 0) if kind is int else float(text)
    except ValueError:
        return text


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
