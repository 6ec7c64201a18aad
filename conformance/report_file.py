"""Reads JSON reports of earlier runs (`run --json FILE`) for `compare`, `badge`, `replay` and `--only-failed`.

Only what these commands need is read; keys that a newer suite has added are passed over.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from conformance import requirement, scenarios
from conformance.report.model import SCHEMA
from conformance.report.report import FinishedRun
from conformance.requirement import Requirement
from conformance.result import Result
from conformance.scenario import SCENARIO_ID, Scenario
from conformance.vocabulary import Aspect, FindingKind, Level, Protocol, Verdict

MOST_BYTES = 1 << 30
"""A report of some 200,000 cells."""


class ReportUnreadable(Exception):
    """The file is no report that can be used; the text is one sentence with its name."""


class CellName(NamedTuple):
    """Which cell of the matrix; as reports sort them."""

    fencer: str
    profile: str
    scenario: str

    def __str__(self) -> str:
        return f"{self.fencer} x {self.profile} {self.scenario}"


class ReportedRequirement(BaseModel):
    id: str
    sentence: str
    source: str


class ReportedDigests(BaseModel):
    fencer: str
    profile: str


class ReportedCell(BaseModel):
    """One of `results` in a report (docs/report.md)."""

    model_config = ConfigDict(frozen=True)

    scenario: str
    profile: str
    fencer: str
    verdict: Verdict
    kind: FindingKind | None
    tier: int
    level: Level
    title: str
    requirement: ReportedRequirement
    source: str
    protocol: Protocol | None
    why: str
    informational: bool
    waived_from: Verdict | None
    digests: ReportedDigests
    repeat: str

    @field_validator("scenario")
    @classmethod
    def _is_an_id(cls, text: str) -> str:
        if not SCENARIO_ID.fullmatch(text):
            raise ValueError("must be the id of a scenario, like STATE-001")
        return text

    @property
    def name(self) -> CellName:
        return CellName(self.fencer, self.profile, self.scenario)


class ReadReport(BaseModel):
    """A report. `not_run` are "FENCER x PROFILE ID" of a run that was stopped."""

    schema_name: Literal["fencelab.conformance/1"] = Field(alias="schema")
    version: str
    seed: int
    catalogue: str
    strict: bool
    interrupted: bool
    not_run: tuple[str, ...]
    summary: dict[str, object]
    results: tuple[ReportedCell, ...]

    @property
    def exit_code(self) -> int:
        code = self.summary.get("exit_code")
        return code if isinstance(code, int) else 0

    @property
    def cells(self) -> dict[CellName, ReportedCell]:
        return {cell.name: cell for cell in self.results}

    def finished(self) -> FinishedRun:
        """The run as a report format takes it, without what only journals and findings hold."""
        return FinishedRun(
            results=tuple(_result(cell) for cell in self.results),
            version=self.version,
            seed=self.seed,
            exit_code=self.exit_code,
            catalogue=self.catalogue,
            strict=self.strict,
            interrupted=self.interrupted,
            not_run=self.not_run,
        )


def read_report(file: Path) -> ReadReport:
    """The report in a file. Raises ReportUnreadable."""
    data = _bytes(file)
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ReportUnreadable(f"{file} is not JSON: {error}") from None
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        named = (
            f"it says {str(found['schema'])[:60]!r}" if isinstance(found, dict) and "schema" in found else "it names no schema"
        )
        raise ReportUnreadable(f"{file} is not a report of run --json ({SCHEMA}): {named}")
    try:
        return ReadReport.model_validate(found)
    except ValidationError as error:
        raise ReportUnreadable(f"{file} cannot be used: {_first(error)}") from None


def read_cells(file: Path) -> tuple[ReportedCell, ...]:
    """What `--evidence` writes beside a journal: a list of results. Raises ReportUnreadable."""
    try:
        return TypeAdapter(tuple[ReportedCell, ...]).validate_json(_bytes(file))
    except ValidationError as error:
        raise ReportUnreadable(f"{file} cannot be used: {_first(error)}") from None


def _bytes(file: Path) -> bytes:
    try:
        if file.stat().st_size > MOST_BYTES:
            raise ReportUnreadable(f"{file} cannot be used: it is larger than {MOST_BYTES >> 20} MB")
        return file.read_bytes()
    except OSError as error:
        raise ReportUnreadable(f"cannot read {file}: {error.strerror}") from None


def _first(error: ValidationError) -> str:
    """The first mistake with its place, and how many more there are."""
    mistakes = error.errors(include_url=False, include_input=False)
    place = ".".join(str(part) for part in mistakes[0]["loc"])
    more = f" (and {len(mistakes) - 1} more)" if len(mistakes) > 1 else ""
    return f"{place}: {mistakes[0]['msg']}{more}" if place else f"{mistakes[0]['msg']}{more}"


def _result(cell: ReportedCell) -> Result:
    return Result(
        fencer=cell.fencer,
        fencer_digest=cell.digests.fencer,
        profile=cell.profile,
        profile_digest=cell.digests.profile,
        scenario=_scenario(cell),
        verdict=cell.verdict,
        kind=cell.kind,
        why=cell.why,
        protocol=cell.protocol,
        repeat=cell.repeat,
        informational=cell.informational,
        waived_from=cell.waived_from,
    )


def _scenario(cell: ReportedCell) -> Scenario:
    """Ours of that id; for one that this suite does not have, what the report tells of it."""
    if (known := scenarios.REGISTRY.shipped.get(cell.scenario)) is not None:
        return known
    named = next((each for each in requirement.ALL if each.id == cell.requirement.id), None)
    told = cell.requirement
    return Scenario(
        id=cell.scenario,
        tier=cell.tier,
        title=cell.title,
        requirement=named or Requirement(told.id, told.sentence, told.source, Aspect.SAFETY, cell.level),
        source=cell.source,
        given=(),
        steps=(),
    )
