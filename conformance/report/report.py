"""What a report format is, and which there are.

To add a format, write a module in this package that holds a `ReportFormat`; `run` gets an option of its name. Another
distribution may name such a module under the entry point `fencelab.reports`.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath
from types import MappingProxyType
from typing import Final, TextIO

import fencelab_plugins
from conformance.registry import Registry
from conformance.result import Result

NAME: Final = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run of the suite, waivers applied. `exit_code` is how the command ends; `version` is the suite's.

    `started` is when it began, in UTC, and `seconds` how long it took by the wall clock; None and 0 where nobody has measured it.
    `not_run` are the cells that were left when the user stopped it, as "FENCER x PROFILE ID"; `interrupted` says that he did.
    """

    results: tuple[Result, ...]
    version: str
    seed: int
    exit_code: int
    catalogue: str = ""
    strict: bool = False
    strict_waivers: bool = False
    interrupted: bool = False
    not_run: tuple[str, ...] = ()
    started: datetime.datetime | None = None
    seconds: float = 0.0

    @property
    def fencers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(result.fencer for result in self.results))

    @property
    def profiles(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(result.profile for result in self.results))


Write = Callable[[FinishedRun, TextIO], object]
"""Writes a whole report as text; may raise OSError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """A format for files: `--NAME FILE` writes it, `-` is standard output. `suffix` is the usual end of its files.

    `write` writes it. `other_forms` are forms of the same report that a file is given by the end of its name, such as `.json`.
    """

    name: str
    suffix: str
    help: str
    write: Write
    other_forms: Mapping[str, Write] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"a report is called as its option is, in small letters, digits and hyphens, not {self.name!r}")

    def writer_for(self, name: str) -> Write:
        """What writes a file of this name."""
        return self.other_forms.get(PurePath(name).suffix, self.write)


REGISTRY: Registry[ReportFormat] = Registry(
    kind="report",
    group="fencelab.reports",
    package="conformance.report",
    find_in=partial(fencelab_plugins.instances, kind=ReportFormat),
    name_of=lambda report: report.name,
)
