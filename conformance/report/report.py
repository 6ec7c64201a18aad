"""What a report format is, and which there are.

To add a format, write a module in this package that holds a `ReportFormat`; `run` gets an option of its name. Another
distribution may name such a module under the entry point `fencelab.reports`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TextIO

import fencelab_plugins
from conformance.registry import Registry
from conformance.result import Result

NAME: Final = re.compile(r"[a-z][a-z0-9-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedRun:
    """A run of the suite, waivers applied. `exit_code` is how the command ends; `version` is the suite's.

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


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportFormat:
    """A format for files: `--NAME FILE` writes it, `-` is standard output. `suffix` is the usual end of its files.

    `write` writes the whole report as text; it may raise OSError.
    """

    name: str
    suffix: str
    help: str
    write: Callable[[FinishedRun, TextIO], object]

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise ValueError(f"a report is called as its option is, in small letters, digits and hyphens, not {self.name!r}")


REGISTRY: Registry[ReportFormat] = Registry(
    kind="report",
    group="fencelab.reports",
    package="conformance.report",
    find_in=partial(fencelab_plugins.instances, kind=ReportFormat),
    name_of=lambda report: report.name,
)
