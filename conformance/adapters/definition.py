"""A fencer as its file describes it: how it is asked, what it promises, what it can do.

Rules
  1. Pure data. `reading` makes it from YAML; the adapters only fill in what a BMC is called in a run.
  2. What names something that a scenario does not have is left out: a parameter, an item of a command line, or a whole bracketed
     group of items. So a fencer without a selector is a fencer that was given none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conformance.cause_patterns import Patterns
from conformance.vocabulary import Ask, Claim, Protocol

PLACEHOLDER: Final = re.compile(r"\{([a-z_]+\.[a-z_.]*)\}")
BMC_KEYS: Final = (
    "host", "port", "url", "user", "password", "system_uri", "uuid", "ipmi_host", "ipmi_port", "insecure", "ca_file",
)  # fmt: skip
KEYS: Final = frozenset(f"bmc.{key}" for key in BMC_KEYS)
SELECTORS: Final = frozenset({"bmc.system_uri", "bmc.uuid"})
SPEAKS: Final[Mapping[str, Protocol]] = {
    "bmc.ipmi_host": Protocol.IPMI,
    "bmc.ipmi_port": Protocol.IPMI,
    "bmc.port": Protocol.REDFISH,
    "bmc.url": Protocol.REDFISH,
    "bmc.system_uri": Protocol.REDFISH,
    "bmc.ca_file": Protocol.REDFISH,
}
"""Which protocol a placeholder gives away; the others are used with either."""

ADAPTERS: Final = ("fence-agent", "exec", "python")
Item = str | tuple[str, ...]
"""One argument, or a group of arguments that stands or falls together."""


def placeholders(text: str) -> frozenset[str]:
    return frozenset(PLACEHOLDER.findall(text))


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """The text with its placeholders filled in; None where one of them is empty in this scenario."""
    if any(not values[name] for name in placeholders(text)):
        return None
    return PLACEHOLDER.sub(lambda match: values[match[1]], text)


def fill_all(items: Sequence[Item], values: Mapping[str, str]) -> tuple[str, ...]:
    """A command line with its placeholders filled in, incomplete items and groups left out."""
    line: list[str] = []
    for item in items:
        group = (item,) if isinstance(item, str) else item
        filled = [fill(part, values) for part in group]
        if None not in filled:
            line += [part for part in filled if part is not None]
    return tuple(line)


def fill_map(texts: Mapping[str, str], values: Mapping[str, str]) -> dict[str, str]:
    filled = {key: fill(text, values) for key, text in texts.items()}
    return {key: text for key, text in filled.items() if text is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """By what a program's end is recognised. What is not named is not looked at."""

    exits: tuple[int, ...] = ()
    stdout: re.Pattern[str] | None = None
    stderr: re.Pattern[str] | None = None

    def fits(self, exit: int, stdout: str, stderr: str) -> bool:
        return (
            (not self.exits or exit in self.exits)
            and (self.stdout is None or self.stdout.search(stdout) is not None)
            and (self.stderr is None or self.stderr.search(stderr) is not None)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgramAction:
    """How a program is asked for one thing (adapter exec). `signs` are tried in order; none fits: it failed."""

    argv: tuple[Item, ...]
    stdin: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    signs: tuple[tuple[Claim, Sign], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FencerWay:
    """How the fencer is asked over one protocol. `functions` are those of the adapter python, `module:callable` per action."""

    command: tuple[Item, ...] = ()
    params: Mapping[str, str] = field(default_factory=dict)
    actions: Mapping[Ask, ProgramAction] = field(default_factory=dict)
    functions: Mapping[Ask, str] = field(default_factory=dict)

    def placeholders(self) -> frozenset[str]:
        return frozenset().union(*(placeholders(text) for text in self._texts()))

    def _texts(self) -> Iterator[str]:
        lines = [self.command, *(action.argv for action in self.actions.values())]
        for line in lines:
            for item in line:
                yield from (item,) if isinstance(item, str) else item
        yield from self.params.values()
        for action in self.actions.values():
            yield action.stdin
            yield from action.env.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A fencer. `deadline` in seconds, as the fencer promises it. `asks` is what it can be asked for."""

    name: str
    adapter: str
    file: Path
    ways: Mapping[Protocol, FencerWay]
    asks: frozenset[Ask]
    capabilities: frozenset[str] | None
    deadline: float
    limits: Mapping[str, float]
    causes: Patterns | None
    recorders: Mapping[str, str]
    digest: str
    built_in: bool = False

    @property
    def label(self) -> str:
        """What a user types to name it again."""
        return self.name if self.built_in else str(self.file)

    @property
    def folder(self) -> Path:
        """Where its file lies; absolute, since programs are started with another working directory."""
        return self.file.absolute().parent

    @property
    def cap(self) -> float:
        """When the suite ends it (ruling 13)."""
        return self.deadline + max(5.0, self.deadline / 4)
