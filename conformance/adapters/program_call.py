"""A program as an adapter wants it started: the values are filled in, nothing runs yet. Pure data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramCall:
    """`line` is the program as its file names it, and its arguments. `env` is added to the clean environment of `process.run`."""

    line: tuple[str, ...]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
