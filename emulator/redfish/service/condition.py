"""The expressions of $filter (DSP0266 7.3.4): comparisons of a member's properties, joined by and, or, not and parentheses.

`query` parses them for each request that has a $filter, in the emulator's thread. Pure: no I/O.

Rules
  1. `not` binds before `and`, `and` before `or`. Comparisons do not chain.
  2. A missing property is null. Values of different types are never equal, and neither is less than the other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from emulator.redfish.service.call import RegistryError, shown

Condition: TypeAlias = Callable[[Mapping[str, object]], bool]
Operand: TypeAlias = Callable[[Mapping[str, object]], object]

MAX_DEPTH: Final = 30
MAX_COMPARISONS: Final = 32
"""Each is applied to each member of a collection, while all other clients wait."""
_TOKEN = re.compile(
    r"\s*(?:(\()|(\))|'((?:[^']|'')*)'"
    r"|(-?\d{1,18}(?:\.\d{1,18})?)(?![\w/])"
    r"|([A-Za-z@#][\w@.#]*(?:/[A-Za-z@#][\w@.#]*)*))"
)
_WORDS: Final[Mapping[str, object]] = {"true": True, "false": False, "null": None}
_ORDER: Final[Mapping[str, tuple[int, ...]]] = {"gt": (1,), "ge": (0, 1), "lt": (-1,), "le": (-1, 0)}
"""The results of a three-way comparison (-1 less, 0 equal, 1 greater) for which an operator is true."""
_OPERATORS: Final = frozenset({"eq", "ne", *_ORDER})


def compiled(text: str) -> Condition:
    """The expression as a function of a member's body. Raises RegistryError (400) if it is not a filter expression."""
    parser = _ConditionParser(text)
    condition = parser.either(0)
    if parser.token is not None:
        raise parser.wrong()
    return condition


class _ConditionParser:
    """Recursive descent. `token` is the next token: ("(", None), ("word", "eq"), ("value", 7), or None at the end."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._comparisons = 0
        self.token: tuple[str, object] | None = None
        self._next()

    def wrong(self) -> RegistryError:
        return RegistryError(400, "QueryParameterValueFormatError", shown(self._text), "$filter")

    def either(self, depth: int) -> Condition:
        parts = [self._both(depth)]
        while self._took("or"):
            parts.append(self._both(depth))
        return parts[0] if len(parts) == 1 else lambda body: any(part(body) for part in parts)

    def _both(self, depth: int) -> Condition:
        parts = [self._negated(depth)]
        while self._took("and"):
            parts.append(self._negated(depth))
        return parts[0] if len(parts) == 1 else lambda body: all(part(body) for part in parts)

    def _negated(self, depth: int) -> Condition:
        if depth > MAX_DEPTH:
            raise self.wrong()
        if self._took("not"):
            return _not(self._negated(depth + 1))
        if self.token == ("(", None):
            self._next()
            inner = self.either(depth + 1)
            if self.token != (")", None):
                raise self.wrong()
            self._next()
            return inner
        return self._comparison()

    def _comparison(self) -> Condition:
        self._comparisons += 1
        if self._comparisons > MAX_COMPARISONS:
            raise self.wrong()
        left = self._operand()
        if self.token is None or self.token[0] != "word" or self.token[1] not in _OPERATORS:
            raise self.wrong()
        name = str(self.token[1])
        self._next()
        return _compare(name, left, self._operand())

    def _operand(self) -> Operand:
        token = self.token
        if token is None or token[0] in "()":
            raise self.wrong()
        kind, value = token
        self._next()
        if kind == "value":
            return lambda body: value
        word = str(value)
        if word in _WORDS:
            return lambda body: _WORDS[word]
        if word in _OPERATORS or word in ("and", "or", "not"):
            raise self.wrong()
        steps = word.split("/")
        return lambda body: _property(body, steps)

    def _took(self, word: str) -> bool:
        if self.token != ("word", word):
            return False
        self._next()
        return True

    def _next(self) -> None:
        if not self._text[self._at :].strip():
            self.token = None
            return
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            raise self.wrong()
        self._at = match.end()
        opening, closing, text, number, word = match.groups()
        if opening or closing:
            self.token = (opening or closing, None)
        elif text is not None:
            self.token = ("value", text.replace("''", "'"))
        elif number is not None:
            self.token = ("value", float(number) if "." in number else int(number))
        else:
            self.token = ("word", word)


def _property(body: Mapping[str, object], steps: list[str]) -> object:
    value: object = body
    for step in steps:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _compare(name: str, left: Operand, right: Operand) -> Condition:
    if name == "eq":
        return lambda body: _equal(left(body), right(body))
    if name == "ne":
        return lambda body: not _equal(left(body), right(body))
    wanted = _ORDER[name]
    return lambda body: _ranked(left(body), right(body)) in wanted


def _ranked(a: object, b: object) -> int | None:
    """-1, 0 or 1; None for values without an order."""
    if isinstance(a, bool) or isinstance(b, bool):
        return None
    if isinstance(a, int | float) and isinstance(b, int | float):
        return (a > b) - (a < b)
    if isinstance(a, str) and isinstance(b, str):
        return (a > b) - (a < b)
    return None


def _equal(a: object, b: object) -> bool:
    return _kind(a) == _kind(b) and a == b


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    return type(value).__name__


def _not(inner: Condition) -> Condition:
    return lambda body: not inner(body)
