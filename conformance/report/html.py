"""The matrix as one self-contained page: no script from elsewhere, no font, no picture to load.

Rules
  1. Everything on it comes from results; the text of a fencer is escaped like any stranger's.
  2. A cell has a colour *and* a letter; a finding opens with its chain of causes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TextIO

import jinja2
from markupsafe import Markup

from conformance.report.model import last_line, worst_first
from conformance.report.report import FinishedRun, ReportFormat
from conformance.result import Result
from conformance.scenario import Scenario
from conformance.vocabulary import Verdict

_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).resolve().parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def fragment(results: Sequence[Result]) -> str:
    """The matrix and its findings, to be put into a page."""
    every = tuple(results)
    return _ENVIRONMENT.get_template("matrix.html.j2").render(
        results=every,
        findings=worst_first(every),
        flaky=Verdict.FLAKY,
        columns=list(dict.fromkeys((r.fencer, r.profile) for r in every)),
        scenarios=list(_scenarios(every)),
        cells={(r.scenario.id, (r.fencer, r.profile)): r for r in every},
        verdicts=list(Verdict),
        present=[v for v in Verdict if any(r.verdict is v for r in every)],
        anchor=anchor,
        last_line=last_line(every),
    )


def page(run: FinishedRun) -> str:
    """A whole page, self-contained."""
    inside = Markup(fragment(run.results))
    return _ENVIRONMENT.get_template("page.html.j2").render(fragment=inside, run=run)


def anchor(result: Result) -> str:
    return f"{result.scenario.id}-{result.fencer}-{result.profile}".replace(" ", "_")


def _scenarios(results: Sequence[Result]) -> tuple[Scenario, ...]:
    return tuple({r.scenario.id: r.scenario for r in results}.values())


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(page(run))


HTML: Final = ReportFormat(name="html", suffix=".html", help="The matrix as one self-contained page.", write=_write)
