"""$filter of an event stream (DSP0266 12.5): which events the stream carries.

`event_service` parses the query of a GET with it, in the emulator's thread. Pure: no I/O.

Rules
  1. The language is `Property eq value`, `and`, `or` and parentheses; `and` binds before `or`. Values are 'quoted' or bare words.
  2. A filter with a property, registry or resource type that this service does not have is refused.
  3. `SubordinateResources eq true` is not a comparison. It widens every OriginResource with which `and` joins it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from emulator.redfish.events.subscriptions import RedfishEvent, versionless
from emulator.redfish.service.call import RegistryError, shown

MAX_DEPTH: Final = 30
FORMATS: Final = ("Event",)
ORIGIN: Final = "OriginResource"
BELOW: Final = "SubordinateResources"
PROPERTIES: Final = ("EventFormatType", "MessageId", ORIGIN, "RegistryPrefix", "ResourceType", BELOW)
"""The properties that are true in SSEFilterPropertiesSupported."""

_TOKEN = re.compile(r"\s*(?:([()])|'((?:[^']|'')*)'|([^\s()']+))")
_FLAGS: Final = {"true": True, "false": False}

Filter: TypeAlias = Callable[[RedfishEvent], bool]


@dataclass(frozen=True, slots=True)
class Comparison:
    """`name eq value`."""

    name: str
    value: str | bool


@dataclass(frozen=True, slots=True)
class All:
    """Parts joined by `and`. No part is an All itself."""

    parts: tuple[FilterNode, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Parts joined by `or`. No part is an AnyOf itself."""

    parts: tuple[FilterNode, ...]


FilterNode: TypeAlias = Comparison | All | AnyOf


def parsed(text: str, known: Mapping[str, Collection[str]]) -> FilterNode:
    """The filter as a tree. `known`: allowed values of RegistryPrefix and ResourceType. Raises RegistryError (400)."""
    parser = _SseFilterParser(text, {"EventFormatType": FORMATS, **known})
    node = parser.either(0)
    if parser.token is not None:
        raise parser.wrong()
    _check_widening(node)
    return node


def compiled(node: FilterNode, below: bool = False) -> Filter:
    """The filter as a function. `below`: an OriginResource also matches the resources under it."""
    match node:
        case Comparison(name, value):
            return _comparison(name, str(value), below)
        case All(parts):
            wider = below or any(_widens(part) for part in parts)
            alls = [compiled(part, wider) for part in parts]
            return lambda event: all(part(event) for part in alls)
        case AnyOf(parts):
            anys = [compiled(part, below) for part in parts]
            return lambda event: any(part(event) for part in anys)


def origins(node: FilterNode) -> tuple[str, ...]:
    """The paths of all OriginResource comparisons."""
    if isinstance(node, Comparison):
        return (str(node.value),) if node.name == ORIGIN else ()
    return tuple(origin for part in node.parts for origin in origins(part))


def as_lists(node: FilterNode) -> Mapping[str, tuple[str | bool, ...]]:
    """The filter as lists of an EventDestination: values by property. Empty if such lists cannot express it."""
    lists: dict[str, tuple[str | bool, ...]] = {}
    for part in node.parts if isinstance(node, All) else (node,):
        leaves = part.parts if isinstance(part, AnyOf) else (part,)
        names = {leaf.name if isinstance(leaf, Comparison) else "" for leaf in leaves}
        name = names.pop()
        if names or not name or name in lists:
            return {}
        lists[name] = tuple(leaf.value for leaf in leaves if isinstance(leaf, Comparison))
    return lists


# -- evaluation ----------------------------------------------------------------------------------------------------------


def _comparison(name: str, value: str, below: bool) -> Filter:
    match name:
        case "MessageId":
            return lambda event: versionless(event.message_id) == versionless(value)
        case "RegistryPrefix":
            return lambda event: event.registry == value
        case "ResourceType":
            return lambda event: event.kind == value
        case "OriginResource" if below:
            return lambda event: event.origin == value or (event.origin or "").startswith(f"{value}/")
        case "OriginResource":
            return lambda event: event.origin == value
        case _:  # all events have the same format, and SubordinateResources is not a property of an event
            return lambda event: True


def _widens(node: FilterNode) -> bool:
    return node == Comparison(BELOW, True)


def _check_widening(node: FilterNode) -> None:
    """Raises RegistryError (400) for a SubordinateResources that no `and` joins with an OriginResource."""
    if _widens(node):
        raise _origin_missing()
    if isinstance(node, All) and any(_widens(part) for part in node.parts) and not origins(node):
        raise _origin_missing()
    for part in () if isinstance(node, Comparison) else node.parts:
        if not (isinstance(node, All) and _widens(part)):
            _check_widening(part)


def _origin_missing() -> RegistryError:
    return RegistryError(400, "PropertyMissing", ORIGIN, related=("$filter",))


# -- parser -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    quoted: bool
    begins: int


class _SseFilterParser:
    """Recursive descent. `token` is the next token; None at the end."""

    def __init__(self, text: str, known: Mapping[str, Collection[str]]) -> None:
        self._text = text
        self._known = known
        self._at = 0
        self.token: _Token | None = None
        self._next()

    def wrong(self) -> RegistryError:
        """The error for the text from the current token on; for the whole text if it ends too early."""
        rest = self._text if self.token is None else self._text[self.token.begins :].strip()
        return RegistryError(400, "QueryParameterValueFormatError", shown(rest), "$filter")

    def either(self, depth: int) -> FilterNode:
        parts = [self._both(depth)]
        while self._took("or"):
            parts.append(self._both(depth))
        flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, AnyOf) else (part,)))
        return AnyOf(flat) if len(flat) > 1 else flat[0]

    def _both(self, depth: int) -> FilterNode:
        parts = [self._one(depth)]
        while self._took("and"):
            parts.append(self._one(depth))
        flat = tuple(inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,)))
        return All(flat) if len(flat) > 1 else flat[0]

    def _one(self, depth: int) -> FilterNode:
        if depth > MAX_DEPTH:
            raise self.wrong()
        if not self._took("("):
            return self._comparison()
        inner = self.either(depth + 1)
        if not self._took(")"):
            raise self.wrong()
        return inner

    def _comparison(self) -> Comparison:
        name = self.token
        if name is None or name.quoted or name.text in ("(", ")", "eq", "and", "or", "not"):
            raise self.wrong()
        self._next()
        if not self._took("eq"):
            raise self.wrong()
        value = self.token
        if value is None or (not value.quoted and value.text in ("(", ")", "eq", "and", "or", "not")):
            raise self.wrong()
        self._next()
        return self._checked(name.text, value)

    def _checked(self, name: str, value: _Token) -> Comparison:
        if name not in PROPERTIES:
            raise RegistryError(400, "PropertyUnknown", shown(name), related=("$filter",))
        if name == BELOW:
            if value.quoted or value.text not in _FLAGS:
                raise RegistryError(400, "PropertyValueTypeError", shown(value.text), name, related=("$filter",))
            return Comparison(name, _FLAGS[value.text])
        if name in self._known and value.text not in self._known[name]:
            raise RegistryError(400, "PropertyValueNotInList", shown(value.text), name, related=("$filter",))
        return Comparison(name, value.text.rstrip("/") if name == ORIGIN else value.text)

    def _took(self, word: str) -> bool:
        if self.token is None or self.token.quoted or self.token.text != word:
            return False
        self._next()
        return True

    def _next(self) -> None:
        begins = self._at
        if not self._text[begins:].strip():
            self.token = None
            return
        match = _TOKEN.match(self._text, begins)
        if match is None:  # a quotation mark that nothing closes
            self.token = _Token(self._text[begins:], quoted=True, begins=begins)
            raise self.wrong()
        self._at = match.end()
        sign, quoted, word = match.groups()
        if quoted is not None:
            self.token = _Token(quoted.replace("''", "'"), quoted=True, begins=begins)
        else:
            self.token = _Token(sign or word, quoted=False, begins=begins)
