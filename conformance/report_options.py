"""The options of `fence-conformance run` that write reports: one for every `ReportFormat`, whoever provides it.

Each takes FILE or `-` (standard output). Reports that are plugged in are imported only when an option is named that is not
ours, or for the help text.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import click

from conformance.report.report import REGISTRY, FinishedRun, ReportFormat

STDOUT: Final = "-"
USAGE: Final = 2
REPORT_FAILED: Final = 5


class OneSentence(click.ClickException):
    """A mistake of the user's: said once, no traceback."""

    exit_code = USAGE

    def show(self, file: object = None) -> None:
        click.echo(f"fence-conformance: {self.message}", err=True)


def warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(f"fence-conformance: warning: {sentence}", err=True)


class ReportFailed(OneSentence):
    """The format itself failed, so the report is not whole."""

    exit_code = REPORT_FAILED


class ReportOption(click.Option):
    """`--NAME FILE|-`."""

    def __init__(self, report: ReportFormat) -> None:
        self.report = report
        names = [f"--{report.name}", f"report_{report.name.replace('-', '_')}"]
        super().__init__(
            names,
            metavar="FILE|-",
            type=click.Path(),
            expose_value=False,
            callback=_remember,
            help=f"Write a report: {report.help}",
        )


def _remember(ctx: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None:
        assert isinstance(option, ReportOption)
        ctx.ensure_object(dict)[option.report.name] = (option.report, value)


def wanted(ctx: click.Context) -> Mapping[ReportFormat, str]:
    """The reports that the user asked for, each with FILE or `-`. Raises OneSentence where two would go to standard output."""
    named: dict[ReportFormat, str] = dict(ctx.ensure_object(dict).values())
    to_stdout = [f"--{report.name}" for report, name in named.items() if name == STDOUT]
    if len(to_stdout) > 1:
        raise OneSentence(f"only one report can go to standard output, not {' and '.join(to_stdout)}")
    return named


class ReportingCommand(click.Command):
    """A command with an option for every report."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ours = {name for option in self.params for name in option.opts}
        self.params += options(REGISTRY.shipped.values(), ours)
        known = {name for option in self.params for name in option.opts}
        named = {word.partition("=")[0] for word in args if word.startswith("-") and word != STDOUT}
        asked_for_more = any(word.startswith("--") for word in named - known) or "-h" in named
        if asked_for_more:
            self.params += options(REGISTRY.all.values(), known)
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            if not REGISTRY.broken:
                raise
            raise OneSentence("; ".join((error.format_message(), *REGISTRY.broken))) from None


def options(reports: Iterable[ReportFormat], taken: Iterable[str]) -> list[click.Parameter]:
    """An option for each report whose name is free."""
    return [ReportOption(report) for report in reports if f"--{report.name}" not in taken]


def check_writable(file: Path) -> None:
    """Makes the directory of a file that is to be written. What cannot work is found out before a long run, not after it."""
    folder = file.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OneSentence(f"cannot write {file}: {error.strerror}") from None
    if file.is_dir():
        raise OneSentence(f"cannot write {file}: it is a directory")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise OneSentence(f"cannot write {file}: permission denied")


def write(report: ReportFormat, run: FinishedRun, name: str) -> None:
    """Writes one report. Raises OneSentence where it cannot be written, or where the format itself fails (exit 5)."""
    try:
        if name == STDOUT:
            report.write(run, sys.stdout)
            sys.stdout.flush()
        else:
            with Path(name).open("w", encoding="utf-8", errors="replace") as stream:
                report.writer_for(name)(run, stream)
    except OSError as error:
        raise OneSentence(f"cannot write {name}: {error.strerror}") from None
    except Exception as error:  # noqa: BLE001 - a format may be a stranger's
        raise ReportFailed(f"the report {report.name} failed: {type(error).__name__}: {error}") from None
