"""Annotations of GitHub Actions: workflow commands, which a step prints and GitHub shows beside the fencer's file.

GitHub shows the first ten errors, ten warnings and ten notices of a step; the worst come first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TextIO

from conformance.report.model import last_line, reservations, worst_first
from conformance.report.place import place_of
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.sarif import level_of
from conformance.result import Result
from conformance.vocabulary import SarifLevel

COMMANDS: Final = {SarifLevel.ERROR: "error", SarifLevel.WARNING: "warning", SarifLevel.NOTE: "notice", SarifLevel.NONE: "notice"}


def to_annotations(run: FinishedRun) -> str:
    """A workflow command per finding, the worst first, and one for the run as a whole where it was interrupted."""
    return "".join(f"{line}\n" for line in _lines(run))


def _lines(run: FinishedRun) -> Iterator[str]:
    if run.interrupted:
        yield command("error", {"title": "fence-conformance"}, f"the run was interrupted: {len(run.not_run)} cells were not run")
    for result in worst_first(run.results):
        yield _annotation(result)
    told = [f"{label}: {'; '.join(sentences)}" for label, sentences in reservations(run.results)]
    yield command("notice", {"title": "fence-conformance"}, "\n".join((last_line(run.results), *told)))


def _annotation(result: Result) -> str:
    place = place_of(result.fencer_file)
    properties: dict[str, str] = {}
    if place is not None and not place.shipped:
        properties = {"file": place.path, "line": str(place.line)}
    mark = ", informational" if result.informational else ""
    properties["title"] = f"{result.verdict} {result.scenario.id} {result.fencer} x {result.profile}{mark}"
    told = [f"{result.scenario.title}: {result.why}"]
    told += dict.fromkeys(f"Remedy: {finding.remedy}" for finding in result.findings if finding.remedy)
    told.append(f"Repeat: {result.repeat}")
    return command(COMMANDS[level_of(result)], properties, "\n".join(told))


def command(name: str, properties: dict[str, str], text: str) -> str:
    """One workflow command, escaped as the runner reads it."""
    inside = ",".join(f"{key}={_escaped_property(value)}" for key, value in properties.items())
    return f"::{name}{' ' if inside else ''}{inside}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _escaped_property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_annotations(run))


GITHUB: Final = ReportFormat(name="github", suffix=".txt", help="Annotations for GitHub Actions (on `-`).", write=_write)
