"""Writes YAML as people write profiles: blocks for structure, one line for what belongs together. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z/][A-Za-z0-9_/. ()+-]*[A-Za-z0-9_/.)+-]|[A-Za-z]")
_NUMBER: Final = re.compile(r"[-+]?(\.?\d)[\d.eExXa-fA-F]*")
_WORDS: Final = frozenset({"true", "false", "null"})
_WIDTH: Final = 120


@dataclass(frozen=True, slots=True)
class Line:
    """A value that is written on one line, whatever its length; `comment` stands behind it."""

    value: YamlValue
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Hexadecimal:
    """An IPMI completion code."""

    value: int


YamlValue = None | bool | int | float | str | Hexadecimal | Sequence["YamlValue"] | Mapping[str, "YamlValue"] | Line


def yaml_text(root: Mapping[str, YamlValue], head: Sequence[str] = ()) -> str:
    """The document, after comments of `head`. Blocks of the top level are set apart by an empty line."""
    lines = [f"# {_printable(each)}".rstrip() for each in head]
    for key, value in root.items():
        written = list(_block(key, value, 0))
        if len(written) > 1 and lines:
            lines.append("")
        lines += written
    return "\n".join(lines) + "\n"


def _block(key: str, value: YamlValue, depth: int) -> Iterator[str]:
    start = f"{'  ' * depth}{scalar(key)}:"
    plain, comment = (value.value, value.comment) if isinstance(value, Line) else (value, "")
    flow = inline(plain)
    is_short = depth > 0 and len(start) + len(flow) < _WIDTH
    if isinstance(value, Line) or not isinstance(value, Mapping | list | tuple) or is_short or not value:
        yield f"{start} {flow}" + (f"    # {_printable(comment)}" if comment else "")
    elif isinstance(value, Mapping):
        yield start
        for name, each in value.items():
            yield from _block(name, each, depth + 1)
    else:
        yield start
        yield from (f"{'  ' * (depth + 1)}- {inline(each)}" for each in value)


def inline(value: YamlValue) -> str:
    """A value in flow style."""
    match value:
        case Line(value=inner):
            return inline(inner)
        case Hexadecimal(value=code):
            return f"0x{code:02X}"
        case bool() | None | int() | float():
            return json.dumps(value)
        case str():
            return scalar(value)
        case Mapping():
            return "{" + ", ".join(f"{scalar(key)}: {inline(each)}" for key, each in value.items()) + "}"
        case _:
            return "[" + ", ".join(inline(each) for each in value) + "]"


def scalar(text: str) -> str:
    """A text, in quotes where it would be read as something else."""
    is_plain = _PLAIN.fullmatch(text) and text not in _WORDS and not _NUMBER.fullmatch(text)
    return text if is_plain else json.dumps(_printable(text), ensure_ascii=False)


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
