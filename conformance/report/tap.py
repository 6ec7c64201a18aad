"""TAP version 14: a test point per cell, a YAML diagnostic for what failed. It agrees with the exit code, as JUnit does.

N/A, SKIP and WAIVED are SKIP with their reason; a finding that is informational is TODO, which fails nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, TextIO

from conformance.report.junit import element_of
from conformance.report.model import reservations
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.terminal import plain
from conformance.result import Result
from conformance.vocabulary import JUnitElement

VERSION: Final = "TAP version 14"
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]+")
"""What neither a line of TAP nor a string of YAML can hold."""


def to_tap(run: FinishedRun) -> str:
    """The whole run as a TAP document."""
    return "".join(f"{line}\n" for line in _lines(run))


def _lines(run: FinishedRun) -> Iterator[str]:
    yield VERSION
    yield f"1..{len(run.results) + len(run.not_run)}" + ("" if run.results or run.not_run else " # SKIP nothing was run")
    yield f"# fence-conformance {_line(run.version)}, catalogue {_line(run.catalogue)}, seed {run.seed}"
    for number, result in enumerate(run.results, 1):
        yield from _point(number, result, run)
    for label, sentences in reservations(run.results):
        yield from (f"# {label}: {_line(sentence)}" for sentence in sentences)
    if run.interrupted:
        yield f"Bail out! The run was interrupted: {len(run.not_run)} cells were not run"


def _point(number: int, result: Result, run: FinishedRun) -> Iterator[str]:
    kind = element_of(result, run)
    failed = kind in (JUnitElement.FAILURE, JUnitElement.ERROR)
    todo = result.informational and result.verdict.fails_gate
    head = f"{'not ok' if failed or todo else 'ok'} {number} - {escaped(_description(result))}"
    if todo:
        yield f"{head} # TODO informational: {escaped(result.verdict)}"
    elif kind is JUnitElement.SKIPPED:
        yield f"{head} # SKIP {escaped(f'{result.verdict}: {result.why}')}"
        return
    else:
        yield head
    if failed or todo:
        yield from _diagnostic(result)


def _description(result: Result) -> str:
    return f"{result.scenario.id} {result.fencer} x {result.profile}: {result.scenario.title}"


def escaped(text: str) -> str:
    """Text in a description or a reason: one line, with a backslash before `#` and `\\`."""
    return _line(text).replace("\\", "\\\\").replace("#", "\\#")


def _line(text: str) -> str:
    return _CONTROLS.sub(" ", text).strip()


def _diagnostic(result: Result) -> Iterator[str]:
    """A YAML block. Its strings are written as in JSON: that is YAML too, and the small YAML readers of TAP parsers take it."""
    finding = result.findings[0] if result.findings else None
    yield "  ---"
    for key, value in (
        ("message", result.why),
        ("severity", result.verdict.lower()),
        ("kind", result.kind.value if result.kind else ""),
        ("requirement", f"{finding.requirement.id}: {finding.requirement.sentence}" if finding else ""),
        ("expected", finding.expected if finding else ""),
        ("actual", finding.actual if finding else ""),
        ("remedy", finding.remedy if finding else ""),
        ("repeat", result.repeat),
        ("duration_ms", round(result.seconds * 1000)),
    ):
        if value != "":
            yield f"  {key}: {_yaml(value)}"
    yield "  finding:"
    for line in plain(result).rstrip().split("\n"):
        yield f"    - {_yaml(line)}"
    yield "  ..."


def _yaml(value: str | int) -> str:
    return json.dumps(_CONTROLS.sub(" ", value) if isinstance(value, str) else value, ensure_ascii=False)


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_tap(run))


TAP: Final = ReportFormat(name="tap", suffix=".tap", help="TAP version 14.", write=_write)
