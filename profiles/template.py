"""Fills `{name}` in the texts of a profile. There are no expressions.

Rules
  1. `{name}` is a key of `vars`, of `identity`, or of the request (`REQUEST`).
  2. `{name:hex}` is the text's bytes in hexadecimal, `{name:hex0}` only the first byte, `{name:high0}` that byte with its
     highest bit set, `{digits:12}` twelve random digits.
  3. A name that is not known yet stays unchanged. Braces with other content are ordinary text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from typing import Final

REQUEST: Final = frozenset({"reset_type", "message_id", "message_text", "n"})
"""Filled by the front ends when they answer; `arg0`, `arg1` ... are the arguments of a message."""

_HOLE: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?::([a-z0-9]+))?\}")
_ARGUMENT: Final = re.compile(r"arg[0-9]")
_HEX: Final = re.compile(r"hex|(hex|high)([0-9]{1,3})")
_DIGITS: Final = re.compile(r"[1-9][0-9]?")


def fill(text: str, values: Mapping[str, str], digits: Callable[[int], str] | None = None) -> str:
    """Returns the text with all known names filled in. `digits(n)` returns n decimal digits, from the rack's seed."""

    def put(hole: re.Match[str]) -> str:
        name, form = hole.group(1), hole.group(2)
        if name == "digits" and form and digits is not None:
            return digits(int(form))
        if name not in values:
            return hole.group(0)
        return _as(values[name], form)

    return _HOLE.sub(put, text)


def filled_vars(texts: Mapping[str, str], overrides: Mapping[str, str]) -> dict[str, str]:
    """Returns the `vars` with what a rack gives. One that is the serial number too says so: `system_id: "{serial}"`."""
    merged = {**texts, **overrides}
    serial = {"serial": merged["serial"]} if "serial" in merged else {}
    return {name: text if name in overrides else fill(text, serial) for name, text in merged.items()}


def _as(value: str, form: str | None) -> str:
    wanted = _HEX.fullmatch(form) if form else None
    if wanted is None:
        return value
    octets = value.encode()
    if wanted.group(2) is None:
        return octets.hex()
    place = int(wanted.group(2))
    high = 0x80 if wanted.group(1) == "high" else 0
    return bytes(octet | high for octet in octets[place : place + 1]).hex()


def octets_used(text: str) -> dict[str, int]:
    """Returns how many octets of each name a text shows that picks them one by one (`{serial:hex0}{serial:hex1}`).

    A name whose octets are all shown (`{serial:hex}`, `{serial}`) is not among them.
    """
    used: dict[str, int] = {}
    whole: set[str] = set()
    for hole in _HOLE.finditer(text):
        name, form = hole.group(1), hole.group(2)
        picked = _HEX.fullmatch(form) if form else None
        if picked is None or picked.group(2) is None:
            whole.add(name)
        else:
            used[name] = max(used.get(name, 0), int(picked.group(2)) + 1)
    return {name: count for name, count in used.items() if name not in whole}


def uses(text: str, names: Container[str]) -> bool:
    """Whether the text has a placeholder of one of these names."""
    return any(hole.group(1) in names for hole in _HOLE.finditer(text))


def mistakes(text: str, known: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Returns the placeholders that have no value anywhere, as (placeholder, name)."""
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
    """Returns the names that `vars` may not use, because the request or the rack fills them."""
    return name in REQUEST or name == "digits" or _ARGUMENT.fullmatch(name) is not None
