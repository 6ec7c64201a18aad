"""`{name}` in the texts of a profile, and nothing more: no expressions can creep in.

Rules
  1. `{name}` is a word of `vars`, of `identity`, or of the request (`REQUEST`).
  2. `{name:hex}` is the text's bytes in hexadecimal, `{name:hex0}` the first of them alone, `{digits:12}` twelve random
     digits.
  3. What is not known yet stays as it stands; braces that hold anything else are ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

REQUEST: Final = frozenset({"reset_type", "message_id", "message_text", "n"})
"""Filled by the front ends when they answer; `arg0`, `arg1` ... are the arguments of a message."""

_HOLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?::([a-z0-9]+))?\}")
_ARGUMENT: Final = re.compile(r"arg[0-9]")
_HEX: Final = re.compile(r"hex([0-9]{1,3})?")
_DIGITS: Final = re.compile(r"[1-9][0-9]?")


def fill(text: str, values: Mapping[str, str], digits: Callable[[int], str] | None = None) -> str:
    """The text with what is known put in. `digits(n)` gives n decimal digits, from the rack's seed."""

    def put(hole: re.Match[str]) -> str:
        name, form = hole.group(1), hole.group(2)
        if name == "digits" and form and digits is not None:
            return digits(int(form))
        if name not in values:
            return hole.group(0)
        return _as(values[name], form)

    return _HOLE.sub(put, text)


def _as(value: str, form: str | None) -> str:
    wanted = _HEX.fullmatch(form) if form else None
    if wanted is None:
        return value
    octets = value.encode()
    if wanted.group(1) is None:
        return octets.hex()
    place = int(wanted.group(1))
    return octets[place : place + 1].hex()


def mistakes(text: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Holes that nobody will ever fill: (the hole, its name)."""
    for hole in _HOLE.finditer(text):
        name, form = hole.group(1), hole.group(2)
        if name == "digits":
            good = form is not None and _DIGITS.fullmatch(form) is not None
        elif name in REQUEST or _ARGUMENT.fullmatch(name):
            good = form is None
        else:
            good = name in known and (form is None or _HEX.fullmatch(form) is not None)
        if not good:
            yield hole.group(0), name


def is_reserved(name: str) -> bool:
    """Names that `vars` may not take, because the request or the rack fills them."""
    return name in REQUEST or name == "digits" or _ARGUMENT.fullmatch(name) is not None
