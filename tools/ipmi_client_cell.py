"""One line of the table of IPMI clients: which client does what against a fresh BMC, and what must come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

AND = "&&"
"""Between two commands of one cell; the last one is judged."""

LIMIT = 30.0
"""Seconds for a whole cell where nothing else is said."""


@dataclass(frozen=True, kw_only=True)
class ClientCell:
    """`says` is a regular expression; `code` the exit status, None for any; `rail` the host's rail afterwards.

    `power` and `ipmi` are how the BMC is made: its host's state, and fields of the profile's IPMI block. `theirs` is why the
    client itself cannot do it, with the place in its source; what it says then is `says`.
    """

    client: str
    way: str
    what: str
    argv: tuple[str, ...]
    says: str
    code: int | None = 0
    rail: str | None = None
    power: str = "on"
    within: float = LIMIT
    ipmi: Mapping[str, object] = field(default_factory=dict)
    typed: str | None = None
    theirs: str = ""

    @property
    def restarts(self) -> bool:
        """Whether the host must have lost its run state, although its rail ends as it began."""
        return self.rail == "up" and self.power == "on" and any(word in self.what for word in ("cycle", "reset", "reboot"))

    @property
    def id(self) -> str:
        return f"{self.client} {self.way}: {self.what}".replace("/", "-")


def words(line: str) -> tuple[str, ...]:
    return tuple(line.split())


def then(*parts: str) -> str:
    """A pattern of things that are said one after the other, on any lines."""
    return "(?s)" + ".*".join(parts)
