"""What the scoreboards remember of runs: docs/scoreboard.json and docs/scoreboard-vendors.json, one line for each cell.

A cell is one fencer on one profile. It is *current* while the newest catalogue, the fencer's file and the profile are those of
the run; `tools.print_scoreboard` runs only cells that are not. Reports of `fence-conformance run --json` are merged into a file:
a report of all scenarios of a board replaces the cell, a report of some of them replaces these in a cell that is current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from conformance import catalogues, fencers
from conformance.vocabulary import Verdict
from profiles import load

FORM: Final = "fencelab.scoreboard/1"
ASSUMED: Final = " (assumed)"
UNSETTLED: Final = frozenset({Verdict.ERROR, Verdict.FLAKY})
"""Verdicts whose reason every board tells."""
LATE: Final = "the machine was late in every run"
"""How a remark begins where no run of a scenario counted; then the verdict may be due to a busy machine."""
LONGEST_WHY: Final = 300
_PORT: Final = re.compile(r"(127\.0\.0\.1|\[::1\]):[0-9]+")


class NotMerged(Exception):
    """A file cannot be used; the text is one sentence with its name and the reason."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreCell:
    """One fencer on one profile. `verdicts` are the scenarios that count, by id; `seconds` is wall clock of the run.

    `assumed` are scenarios in which a power command met a cell that the profile does not know. `met` says for each scenario which
    cells of the power table were met; it is empty on boards that do not show it. `why` is what was found where a scenario did not
    pass; such boards have it of ERROR and FLAKY only. `late` are scenarios in whose runs the machine was late.
    """

    fencer: str
    profile: str
    version: str
    catalogue: str
    digests: Mapping[str, str]
    verdicts: Mapping[str, Verdict]
    assumed: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    met: Mapping[str, str]
    why: Mapping[str, str]
    seconds: float
    date: str

    @property
    def key(self) -> tuple[str, str]:
        return self.fencer, self.profile

    @property
    def current(self) -> bool:
        """Whether the catalogue, the fencer's file and the profile are still those of the run."""
        return self.catalogue == catalogues.NEWEST.name and self.digests == digests_of(self.fencer, self.profile)

    def has(self, scenarios: Iterable[str]) -> bool:
        """Whether it holds exactly these scenarios."""
        return set(self.verdicts) == set(scenarios)


@cache
def digests_of(fencer: str, profile: str) -> dict[str, str]:
    """What a report would say now; empty for a fencer or a profile that there is no more."""
    if fencer not in fencers.names():
        return {}
    return {"fencer": fencers.load(fencer).digest, "profile": load(profile).digest}


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _StoredCell(_Strict):
    """One line of the file. Verdicts are kept the other way round, to be short: verdict to ids."""

    fencer: str
    profile: str
    version: str
    catalogue: str
    date: str
    seconds: float
    digests: dict[str, str]
    verdicts: dict[Verdict, tuple[str, ...]]
    assumed: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    met: dict[str, str] = Field(default_factory=dict)
    why: dict[str, str] = Field(default_factory=dict)


class _Stored(_Strict):
    form: Literal["fencelab.scoreboard/1"]
    cells: tuple[_StoredCell, ...]


def read_cells(file: Path) -> dict[tuple[str, str], ScoreCell]:
    """The cells of a file by fencer and profile; none where there is no file. Raises NotMerged."""
    if not file.exists():
        return {}
    try:
        stored = _Stored.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise NotMerged(f"{file} is no scoreboard: {_first_line(error)}") from None
    return {(each.fencer, each.profile): _restored(each) for each in stored.cells}


def _restored(stored: _StoredCell) -> ScoreCell:
    verdicts = {scenario: verdict for verdict, ids in stored.verdicts.items() for scenario in ids}
    return ScoreCell(
        fencer=stored.fencer, profile=stored.profile, version=stored.version, catalogue=stored.catalogue, digests=stored.digests,
        verdicts=verdicts, assumed=stored.assumed, late=stored.late, met=stored.met, why=stored.why, seconds=stored.seconds,
        date=stored.date,
    )  # fmt: skip


def write_cells(file: Path, cells: Iterable[ScoreCell]) -> None:
    """One line for each cell, in the order of fencers and profiles, so that a difference shows what was run again."""
    lines = [json.dumps(_stored(cell), ensure_ascii=False) for cell in sorted(cells, key=lambda cell: cell.key)]
    new = file.with_suffix(".new")
    new.write_text(f'{{"form": "{FORM}", "cells": [\n' + ",\n".join(lines) + "\n]}\n", encoding="utf-8")
    new.replace(file)


def _stored(cell: ScoreCell) -> dict[str, object]:
    by_verdict = {
        verdict.value: sorted(scenario for scenario, found in cell.verdicts.items() if found is verdict) for verdict in Verdict
    }
    details: dict[str, object] = {
        "assumed": sorted(cell.assumed),
        "late": sorted(cell.late),
        "met": dict(sorted(cell.met.items())),
        "why": dict(sorted(cell.why.items())),
    }
    return {
        "fencer": cell.fencer,
        "profile": cell.profile,
        "version": cell.version,
        "catalogue": cell.catalogue,
        "date": cell.date,
        "seconds": cell.seconds,
        "digests": dict(cell.digests),
        "verdicts": {verdict: ids for verdict, ids in by_verdict.items() if ids},
        **{name: value for name, value in details.items() if value},
    }


def spelled(effect: str) -> str:
    """The key of an effect as the pages write it."""
    return effect.replace("_", " ").replace("-", " ")


class _PowerCell(BaseModel):
    via: str
    row: str
    reset: str
    code: int
    effect: str
    assumed: bool

    def __str__(self) -> str:
        code = f"0x{self.code:02X}" if self.via == "ipmi" else str(self.code)
        effect = "nothing happens" if self.effect == "none" else spelled(self.effect)
        return f"{self.row} + {self.reset}: {code}, {effect}{ASSUMED if self.assumed else ''}"


class _Timings(BaseModel):
    seconds: float


class _Reported(BaseModel):
    """What is read of one of `results` in a report (docs/report.md)."""

    scenario: str
    profile: str
    fencer: str
    verdict: Verdict
    why: str
    informational: bool
    assumed_cells: int
    power_cells: tuple[_PowerCell, ...] = ()
    remarks: tuple[str, ...] = ()
    timings: _Timings
    digests: dict[str, str]


class _Report(BaseModel):
    form: Literal["fencelab.conformance/1"] = Field(alias="schema")
    version: str
    catalogue: str
    started: str
    seconds: float
    interrupted: bool
    results: tuple[_Reported, ...]


def read_report(file: Path, *, detailed: bool) -> tuple[ScoreCell, ...]:
    """The cells of a JSON report, one for each fencer and profile; `detailed`: with `met` and `why`. Raises NotMerged.

    The seconds of the run are shared out by the time that the scenarios of each cell took.
    """
    try:
        report = _Report.model_validate_json(file.read_bytes())
    except (OSError, ValidationError) as error:
        raise NotMerged(f"{file} is no report of fence-conformance run --json: {_first_line(error)}") from None
    if report.interrupted:
        raise NotMerged(f"{file} is of a run that was stopped: run it again to its end")
    by_cell: dict[tuple[str, str], list[_Reported]] = {}
    for result in report.results:
        by_cell.setdefault((result.fencer, result.profile), []).append(result)
    whole = sum(result.timings.seconds for result in report.results) or 1.0
    return tuple(_cell(report, results, whole, detailed=detailed) for results in by_cell.values())


def _cell(report: _Report, results: Sequence[_Reported], whole: float, *, detailed: bool) -> ScoreCell:
    counted = [result for result in results if not result.informational]
    share = sum(result.timings.seconds for result in results) / whole
    met = {r.scenario: "; ".join(dict.fromkeys(map(str, r.power_cells))) for r in counted if detailed and r.power_cells}
    told = (r for r in counted if r.verdict in UNSETTLED or (detailed and r.verdict.ran and r.verdict is not Verdict.PASS))
    why = {r.scenario: _PORT.sub(r"\1", r.why)[:LONGEST_WHY] for r in told}
    return ScoreCell(
        fencer=results[0].fencer, profile=results[0].profile, version=report.version, catalogue=report.catalogue,
        digests=results[0].digests, verdicts={result.scenario: result.verdict for result in counted},
        assumed=tuple(result.scenario for result in counted if result.assumed_cells), met=met, why=why,
        late=tuple(r.scenario for r in counted if any(remark.startswith(LATE) for remark in r.remarks)),
        seconds=round(report.seconds * share, 1), date=report.started[:10],
    )  # fmt: skip


def joined(cells: Iterable[ScoreCell]) -> tuple[ScoreCell, ...]:
    """The parts of a run that was shared out (`--shard`) as one cell; their seconds are added.

    Of a scenario that two parts have the later one counts.
    """
    whole: dict[tuple[str, str], ScoreCell] = {}
    for cell in cells:
        known = whole.get(cell.key)
        same = known is not None and (known.catalogue, known.digests) == (cell.catalogue, cell.digests)
        whole[cell.key] = (
            replace(_updated(known, cell), seconds=known.seconds + cell.seconds) if known is not None and same else cell
        )
    return tuple(whole.values())


def merged(
    known: Mapping[tuple[str, str], ScoreCell], new: ScoreCell, scenarios: Iterable[str]
) -> dict[tuple[str, str], ScoreCell]:
    """The cells with `new` among them; `scenarios` are those of the board. Raises NotMerged."""
    wanted, name = set(scenarios), f"{new.fencer} on {new.profile}"
    if not new.current:
        raise NotMerged(f"{name}: the run was of another catalogue, fencer file or profile than those that are here now")
    if not set(new.verdicts) <= wanted:
        raise NotMerged(f"{name}: the run holds {', '.join(sorted(set(new.verdicts) - wanted))}, which this board does not show")
    if new.has(wanted):
        return {**known, new.key: new}
    old = known.get(new.key)
    if old is None or not old.current or not old.has(wanted):
        lacking = len(wanted - set(new.verdicts))
        raise NotMerged(f"{name}: the run lacks {lacking} of {len(wanted)} scenarios, and no current run holds the others")
    return {**known, new.key: _updated(old, new)}


def _updated(old: ScoreCell, new: ScoreCell) -> ScoreCell:
    def kept(mapping: Mapping[str, str]) -> dict[str, str]:
        return {scenario: text for scenario, text in mapping.items() if scenario not in new.verdicts}

    return replace(
        old,
        version=new.version,
        date=new.date,
        verdicts={**old.verdicts, **new.verdicts},
        assumed=(*(scenario for scenario in old.assumed if scenario not in new.verdicts), *new.assumed),
        late=(*(scenario for scenario in old.late if scenario not in new.verdicts), *new.late),
        met={**kept(old.met), **new.met},
        why={**kept(old.why), **new.why},
    )


def _first_line(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}"
    return str(error)
