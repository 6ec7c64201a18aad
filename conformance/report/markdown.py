"""A Markdown page for the summary of a CI step: totals by fencer and profile, then the findings, the worst first.

GitHub refuses a step summary of more than 1 MiB, so the page stays below that: findings that have no room any more are counted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, TextIO

from conformance.report.model import last_line, reservations, worst_first
from conformance.report.report import FinishedRun, ReportFormat
from conformance.result import Result, counts
from conformance.vocabulary import Verdict

MOST_BYTES: Final = 1_000_000
"""Of the page in UTF-8; GitHub's limit is 1,048,576."""
MOST_TABLE_ROWS: Final = 500
MOST_NOT_RUN: Final = 200
MOST_RESERVATIONS: Final = 50
"""Sentences of one kind."""
LONGEST: Final = 2_000
"""Characters of one sentence of a finding: what a fencer printed may stand in it."""
COLUMNS: Final = (
    Verdict.UNSAFE, Verdict.ERROR, Verdict.HANG, Verdict.STUCK, Verdict.FLAKY, Verdict.MISLEADING, Verdict.HYGIENE, Verdict.XPASS,
    Verdict.WAIVED, Verdict.SKIP, Verdict.NA, Verdict.PASS,
)  # fmt: skip
ENDINGS: Final = {
    0: "The gate passed.",
    1: "The gate failed: there are findings, none of them UNSAFE.",
    3: "The gate failed: at least one finding is UNSAFE.",
    4: "This machine lacks what was asked for, or nothing ran.",
    5: "The suite itself failed.",
    6: "The gate failed: a waiver is stale.",
    130: "The run was interrupted.",
}


def to_markdown(run: FinishedRun, most_bytes: int = MOST_BYTES) -> str:
    """The page, of at most so many bytes."""
    head = "\n".join(_head(run)) + "\n"
    room = most_bytes - len(head.encode(errors="replace")) - 200
    told: list[str] = []
    findings = worst_first(run.results)
    for result in findings:
        text = "\n".join(_finding(result)) + "\n"
        room -= len(text.encode(errors="replace"))
        if room < 0:
            break
        told.append(text)
    left = len(findings) - len(told)
    end = f"\n{left} more findings have no room on this page; the other reports hold all of them.\n" if left else ""
    return head + "".join(told) + end


def _head(run: FinishedRun) -> Iterator[str]:
    yield "## Fencing conformance"
    yield ""
    yield f"**{ENDINGS.get(run.exit_code, f'Ended with {run.exit_code}.')}** `{_code(last_line(run.results))}`"
    yield ""
    if run.interrupted:
        yield f"The run was interrupted: {len(run.not_run)} cells were not run."
        yield ""
        yield from _folded("Cells that were not run", [_text(name) for name in run.not_run], MOST_NOT_RUN)
    yield from _table(run)
    facts = [f"suite {run.version}", f"catalogue {run.catalogue}", f"seed {run.seed}"]
    if run.started is not None:
        facts.insert(0, f"{run.started:%Y-%m-%d %H:%M} UTC, {run.seconds:.0f} s")
    yield _text(", ".join(facts) + (", strict" if run.strict else ""))
    yield ""
    for label, sentences in reservations(run.results):
        yield from (f"- {label}: {_text(sentence)}" for sentence in sentences[:MOST_RESERVATIONS])
        if len(sentences) > MOST_RESERVATIONS:
            yield f"- {label}: {len(sentences) - MOST_RESERVATIONS} more"
        yield ""
    if worst_first(run.results):
        yield "### Findings, the worst first"
        yield ""


def _table(run: FinishedRun) -> Iterator[str]:
    shown = [verdict for verdict in COLUMNS if any(r.verdict is verdict and not r.informational for r in run.results)]
    informational = any(r.informational for r in run.results)
    columns = [verdict.value for verdict in shown] + (["informational"] if informational else [])
    yield f"| fencer | profile | {' | '.join(columns)} |"
    yield f"| --- | --- |{' ---: |' * len(columns)}"
    pairs: dict[tuple[str, str], list[Result]] = {}
    for result in run.results:
        pairs.setdefault((result.fencer, result.profile), []).append(result)
    for fencer, profile in list(pairs)[:MOST_TABLE_ROWS]:
        results = tuple(pairs[fencer, profile])
        found = counts(results)
        cells = [_count(found[verdict], verdict) for verdict in shown]
        if informational:
            cells.append(str(sum(r.informational for r in results)))
        yield f"| {_text(fencer)} | {_text(profile)} | {' | '.join(cells)} |"
    if len(pairs) > MOST_TABLE_ROWS:
        yield ""
        yield f"{len(pairs) - MOST_TABLE_ROWS} more rows are left out."
    yield ""


def _count(number: int, verdict: Verdict) -> str:
    return f"**{number}**" if number and verdict.needs_action else str(number)


def _folded(title: str, lines: Sequence[str], most: int) -> Iterator[str]:
    yield f"<details><summary>{title}</summary>"
    yield ""
    yield from (f"- {line}" for line in lines[:most])
    if len(lines) > most:
        yield f"- {len(lines) - most} more"
    yield ""
    yield "</details>"
    yield ""


def _finding(result: Result) -> Iterator[str]:
    kind = f" {result.kind}" if result.kind else ""
    mark = " (informational)" if result.informational else ""
    head = f"{result.verdict}{kind}{mark} {result.scenario.id} {result.fencer} x {result.profile}: {result.scenario.title}"
    yield f"<details><summary>{_html(head)}</summary>"
    yield ""
    if not result.findings or result.verdict is Verdict.FLAKY:
        yield f"- why: {_text(result.why)}"
    for finding in result.findings:
        requirement = finding.requirement
        yield f"- requirement: {requirement.id} ({finding.rule}): {_text(requirement.sentence)}"
        yield f"- expected: {_text(finding.expected)}"
        yield f"- actual: {_text(finding.actual)}"
        if finding.seen:
            yield f"- seen: {_text(finding.seen)}"
        if finding.remedy:
            yield f"- **remedy: {_text(finding.remedy)}**"
    for remark in result.remarks:
        yield f"- remark: {_text(remark)}"
    yield f"- repeat: `{_code(result.repeat)}`"
    yield ""
    yield "</details>"
    yield ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} [...]"


def _html(text: str) -> str:
    return _short(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _text(text: str) -> str:
    """A stranger's text: on one line, with nothing in it that Markdown or HTML would read; `@` and `#` must link to nobody."""
    shown = re.sub(r"([\\`*_{}\[\]|~!])", r"\\\1", _html(text))
    return shown.replace("@", "&#64;").replace("#", "&#35;").replace("://", "&#58;//")


def _code(text: str) -> str:
    return _short(text).replace("`", "'").replace("|", "¦")


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(to_markdown(run))


MARKDOWN: Final = ReportFormat(name="markdown", suffix=".md", help="A page for the summary of a CI step.", write=_write)
