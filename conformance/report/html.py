"""The matrix and its findings as one self-contained page: nothing is loaded from elsewhere, and without scripts it reads as well.

Rules
  1. Everything on it comes from results; the text of a fencer is escaped like any stranger's.
  2. A cell has a colour *and* a letter; a finding opens with its picture and its chain of causes.
  3. The page stays below `MOST_BYTES`. Findings lose their picture and chain first, those last that are the first of their kind;
     then they are only counted. What was left out is said, and the JSON report and the evidence hold all of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TextIO

import jinja2
from markupsafe import Markup

from conformance.report.evidence import events_of
from conformance.report.markdown import ENDINGS
from conformance.report.model import last_line, met_assumed, reservations, worst_first
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report.swimlane import swimlane
from conformance.result import Result, counts
from conformance.scenario import Scenario
from conformance.vocabulary import Verdict

MOST_BYTES: Final = 4_900_000
"""Of the page in UTF-8, so that a browser of a phone opens it at once."""
MOST_PICTURES: Final = 4
"""Pictures of one cell: it may hold many asks."""
LONGEST: Final = 4_000
"""Characters of one sentence: what a fencer printed may stand in it."""
TOTALS: Final = tuple(verdict for verdict in Verdict)

_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).resolve().parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
_ENVIRONMENT.filters["identity"] = id


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """A fencer on a profile."""

    fencer: str
    profile: str
    begins_fencer: bool


@dataclass(frozen=True)
class ReportPage:
    """What the template shows of a run."""

    run: FinishedRun

    @cached_property
    def columns(self) -> tuple[MatrixColumn, ...]:
        pairs = list(dict.fromkeys((r.fencer, r.profile) for r in self.run.results))
        pairs.sort(key=lambda pair: self.run.fencers.index(pair[0]))
        return tuple(MatrixColumn(f, p, n == 0 or pairs[n - 1][0] != f) for n, (f, p) in enumerate(pairs))

    @cached_property
    def spans(self) -> tuple[tuple[str, int], ...]:
        """Each fencer with the number of its columns."""
        return tuple((fencer, sum(c.fencer == fencer for c in self.columns)) for fencer in self.run.fencers)

    @cached_property
    def groups(self) -> Mapping[str, tuple[Scenario, ...]]:
        """The scenarios of each group, in the order of the run."""
        scenarios = {r.scenario.id: r.scenario for r in self.run.results}.values()
        names = dict.fromkeys(scenario.group for scenario in scenarios)
        return {name: tuple(s for s in scenarios if s.group == name) for name in names}

    @cached_property
    def cells(self) -> Mapping[tuple[str, str, str], Result]:
        return {(r.scenario.id, r.fencer, r.profile): r for r in self.run.results}

    @cached_property
    def findings(self) -> tuple[Result, ...]:
        return worst_first(self.run.results)

    @cached_property
    def numbers(self) -> Mapping[int, int]:
        """The place of each finding on the page, by the identity of its result."""
        return {id(result): number for number, result in enumerate(self.findings)}

    @cached_property
    def present(self) -> tuple[Verdict, ...]:
        return tuple(v for v in TOTALS if any(r.verdict is v for r in self.run.results))

    @cached_property
    def open_in(self) -> Mapping[str, int]:
        """How many findings each group has."""
        return {name: sum(r.scenario.group == name for r in self.findings) for name in self.groups}

    @cached_property
    def totals(self) -> Mapping[tuple[str, str], Mapping[Verdict, int]]:
        """How often there is each verdict, for each fencer on each profile."""
        by_column: dict[tuple[str, str], list[Result]] = {(c.fencer, c.profile): [] for c in self.columns}
        for result in self.run.results:
            by_column[result.fencer, result.profile].append(result)
        return {pair: counts(tuple(results)) for pair, results in by_column.items()}

    @cached_property
    def informational(self) -> Mapping[tuple[str, str], int]:
        return {
            (c.fencer, c.profile): sum(
                r.informational for r in self.run.results if r.fencer == c.fencer and r.profile == c.profile
            )
            for c in self.columns
        }

    @cached_property
    def fencer_versions(self) -> Mapping[str, str]:
        return {r.fencer: r.fencer_digest for r in self.run.results}

    @cached_property
    def profile_versions(self) -> Mapping[str, tuple[str, str]]:
        return {r.profile: (r.profile_version, r.profile_digest) for r in self.run.results}

    @property
    def sentences(self) -> Iterator[tuple[str, str]]:
        for label, sentences in reservations(self.run.results):
            yield from ((label, sentence) for sentence in sentences)

    @staticmethod
    def tip(result: Result) -> str:
        """What a cell without a finding tells who points at it: its reason, and whether it rests on assumed answers."""
        told = [result.why] if result.why else []
        return "; ".join((*told, f"assumed: {met_assumed(result.assumed)}") if result.assumed else told)


def page(run: FinishedRun, most_bytes: int = MOST_BYTES) -> str:
    """The whole page, of at most so many bytes where the matrix alone leaves that room."""
    shown = ReportPage(run)
    template = _ENVIRONMENT.get_template("page.html.j2")

    def whole(findings: Sequence[str], told: int, lacking: int) -> str:
        return template.render(
            page=shown, run=run, findings=Markup("".join(findings)), told=told, lacking=lacking, cut=cut,
            ending=ENDINGS.get(run.exit_code, f"Ended with {run.exit_code}."), last_line=last_line(run.results),
        )  # fmt: skip

    bare = len(whole((), len(shown.findings), 1).encode(errors="replace"))
    told, lacking = _fitting(shown.findings, most_bytes - bare)
    return whole(told, len(told), lacking)


def _fitting(findings: Sequence[Result], room: int) -> tuple[list[str], int]:
    """As many findings as fit, in full where they fit so; and how many have lost their picture and chain."""
    told = []
    for number, result in enumerate(findings):
        text = _finding(number, result, full=False)
        room -= len(text.encode(errors="replace"))
        if room < 0:
            break
        told.append(text)
    shortened = len(told)
    for number in _most_telling(findings[: len(told)]):
        text = _finding(number, findings[number], full=True)
        more = len(text.encode(errors="replace")) - len(told[number].encode(errors="replace"))
        if more <= room:
            room -= more
            told[number] = text
            shortened -= 1
        elif room < 0.01 * MOST_BYTES:
            break
    return told, shortened


def _most_telling(findings: Sequence[Result]) -> Iterator[int]:
    """Their numbers: first one of each fencer, scenario, verdict and kind, then all others."""
    seen: set[tuple[str, str, Verdict, str]] = set()
    others = []
    for number, result in enumerate(findings):
        key = (result.fencer, result.scenario.id, result.verdict, result.kind or "")
        if key in seen:
            others.append(number)
            continue
        seen.add(key)
        yield number
    yield from others


def _finding(number: int, result: Result, *, full: bool) -> str:
    events = events_of(result) if full else ()
    asks = list(dict.fromkeys(finding.ask for finding in result.findings))[:MOST_PICTURES] if events else []
    pictures = {ask: Markup(swimlane(events, ask)) for ask in asks}
    return _ENVIRONMENT.get_template("finding.html.j2").render(
        r=result, number=number, full=full, pictures=pictures, flaky=Verdict.FLAKY, cut=cut
    )


def cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} [...]"


def _write(run: FinishedRun, stream: TextIO) -> None:
    stream.write(page(run))


HTML: Final = ReportFormat(name="html", suffix=".html", help="The matrix as one self-contained page.", write=_write)
