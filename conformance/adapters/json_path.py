"""A small part of JSONPath (RFC 9535): one value by names, positions and a filter on equality. Pure; the adapter `http` uses it.

$.hosts[0].state
$['host-status']
$.hosts[?(@.name == 'node1')].state      the first member that fits
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

STEP: Final = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)"
    r"|\[\s*(?P<quote>['\"])(?P<quoted>.*?)(?P=quote)\s*\]"
    r"|\[\s*(?P<position>-?\d{1,9})\s*\]"
    r"|\[\s*\?\s*\(?\s*@\.(?P<key>[A-Za-z_][\w-]*)\s*==\s*(?P<mark>['\"])(?P<value>.*?)(?P=mark)\s*\)?\s*\]"
)
Find = Callable[[object], object]


class NotThere(LookupError):
    """The document has nothing at this path."""


class BadPath(ValueError):
    """The text is not a path of this kind; the message says where it ends to be one."""


@dataclass(frozen=True, slots=True)
class JsonPath:
    text: str
    steps: tuple[Find, ...]

    def find(self, document: object) -> object:
        """Raises NotThere."""
        for step in self.steps:
            document = step(document)
        return document


def parse(text: str) -> JsonPath:
    """Raises BadPath."""
    if not text.startswith("$"):
        raise BadPath(f"{text!r} must begin with $")
    steps: list[Find] = []
    at = 1
    while at < len(text):
        found = STEP.match(text, at)
        if found is None:
            raise BadPath(f"{text!r}: {text[at:]!r} is no .name, ['name'], [number] or [?(@.name == 'text')]")
        steps.append(_step(found))
        at = found.end()
    return JsonPath(text, tuple(steps))


def _step(found: re.Match[str]) -> Find:
    if (name := found["name"] or found["quoted"]) is not None:
        return lambda value: _member(value, name)
    if found["position"] is not None:
        return lambda value: _item(value, int(found["position"]))
    return lambda value: _first(value, found["key"], found["value"])


def _member(value: object, name: str) -> object:
    if isinstance(value, Mapping) and name in value:
        return value[name]
    raise NotThere(name)


def _item(value: object, position: int) -> object:
    if isinstance(value, Sequence) and not isinstance(value, str) and -len(value) <= position < len(value):
        return value[position]
    raise NotThere(position)


def _first(value: object, key: str, wanted: str) -> object:
    members = value if isinstance(value, list) else list(value.values()) if isinstance(value, Mapping) else []
    for member in members:
        if isinstance(member, Mapping) and str(member.get(key)) == wanted:
            return member
    raise NotThere(wanted)
