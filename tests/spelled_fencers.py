"""Cells of the matrix with fencers that write their requests in another way (`tests/bad_fencers/spellings.py`).

A verdict is about what a fencer asked for and what it was told, never about how it wrote a URL. So the planted mutants keep the
verdict of the table `CAUGHT`, and the honest fencer stays without a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from conformance import runner
from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from conformance.result import Result
from conformance.runner import MatrixCell
from conformance.scenarios import BY_ID
from conformance.vocabulary import FindingKind, Protocol, Verdict
from profiles import load
from tests.definitions import BAD_FENCERS, mutant
from tests.matrix.test_bad_fencers import CAUGHT

HONEST = "honest"
OVER_REDFISH = ("slash", "expand", "session", "absolute")
OVER_IPMI = ("acpi",)


class Spelled(NamedTuple):
    """A fencer, how it writes, the scenario, the profile."""

    fencer: str
    spelling: str
    scenario: str
    profile: str


ORDER_MATTERS = frozenset({"FAULT", "FLAKY", "ASYNC", "TIME"})
"""Groups in which a request meets trouble by its place in the sequence, by its path or by its connection."""
SPELLED_ALL_THE_SAME = frozenset({"FAULT-008", "FAULT-010", "ASYNC-004", "TIME-001"})


BY_PATH = frozenset(
    {"TRUTH-011", "TRUTH-012", "TRUTH-013", "TRUTH-014", "TRUTH-019", "AUTH-004", "AUTH-011", "CONC-001"}
    | {f"ID-{number:03}" for number in (4, 7, 8, 11, 13, 14, 16, 17)}
)
"""Trouble with the resource of a System or a Chassis, which a fencer that reads them expanded does not ask for."""
BY_LOG_IN = frozenset(
    {
        "AUTH-004",
        "AUTH-005",
        "AUTH-006",
        "AUTH-007",
        "AUTH-008",
        "AUTH-009",
        "AUTH-011",
        "TLS-006",
        "TRUTH-017",
        "CONC-001",
        "CONC-004",
    }
)
"""Trouble with Basic credentials, or with sessions: a fencer that opens a session for everything is another fencer there."""
NOT_BY_ACPI = frozenset({"IPMI-006", "IPMI-015"})  # other completion codes; the defect sits in the read that would be replaced
NOT_BY_SLASH = frozenset({"CONC-001"})  # counts reads by their path


def spellings_of(scenario: str, profile: str) -> tuple[str, ...]:
    """Those that say something about a scenario's protocol, that the profile accepts, and that meet the same trouble."""
    if BY_ID[scenario].group in ORDER_MATTERS and scenario not in SPELLED_ALL_THE_SAME:
        return ("absolute",)
    if BY_ID[scenario].protocol is Protocol.IPMI:
        return OVER_IPMI if scenario not in NOT_BY_ACPI else ()
    expands = load(profile).http.features.get("no_links") and load(profile).http.features.get("levels")
    left_out = {
        "expand": not expands or scenario in BY_PATH,
        "session": scenario in BY_LOG_IN,
        "slash": scenario in NOT_BY_SLASH,
    }
    return tuple(name for name in OVER_REDFISH if not left_out.get(name))


def wanted(cell: Spelled) -> tuple[Verdict, FindingKind | None]:
    """The verdict without any other spelling."""
    for name, scenario, profile, verdict, kind in CAUGHT:
        if (name, scenario, profile) == (cell.fencer, cell.scenario, cell.profile):
            return verdict, kind
    assert cell.fencer == HONEST, f"{cell} has no plain verdict"
    return Verdict.PASS, None


def definition(cell: Spelled) -> Definition:
    if cell.fencer != HONEST:
        return mutant(cell.fencer, cell.spelling)
    base = read(BAD_FENCERS / "honest.yaml")
    ways = {protocol: replace(way, params={"spelling": cell.spelling}) for protocol, way in base.ways.items()}
    return replace(base, name=f"{HONEST} {cell.spelling}", ways=ways)


def judged(cells: Iterable[Spelled]) -> Mapping[Spelled, Result]:
    every = tuple(cells)
    matrix = [MatrixCell(definition(cell), load(cell.profile), BY_ID[cell.scenario]) for cell in every]
    return dict(zip(every, runner.run(matrix), strict=True))


def check(cell: Spelled, result: Result) -> None:
    verdict, kind = wanted(cell)
    assert (result.verdict, result.why) == (verdict, result.why)
    if kind is not None and verdict is Verdict.PASS:
        assert kind in {note.kind for note in result.notes}, "noted, for information"
    elif kind is not None:
        assert result.kind is kind, result.why
