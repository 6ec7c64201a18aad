"""The mutation score of the suite: its mutants, a sample of them, and docs/mutation-score.md."""

from __future__ import annotations

import ast
from collections.abc import Mapping

import pytest

from emulator import reusable
from tests.commands import ROOT
from tools.mutation_score import matrix, page, playing, reasons, tables
from tools.mutation_score.__main__ import PAGE
from tools.mutation_score.changed_copy import with_copies
from tools.mutation_score.literal_change import Mutant, SourceMoved, read
from tools.mutation_score.matrix import FencerMatrix, MutantResult
from tools.mutation_score.playing import MatrixColumn
from tools.mutation_score.probes import Probe, probed, probes_of

EVERY = [(fencer, mutant) for fencer in tables.FENCERS for mutant in tables.of(fencer)]
KILLED = (
    ("reference", "word-anything-else-is-off", "STATE-009"),
    ("careful", "not-on-is-off", "STATE-009"),
)
"""A mutant and a scenario that kills it, for each fencer."""

pytestmark = pytest.mark.xdist_group("mutation-score")


@pytest.mark.parametrize("fencer", tables.FENCERS)
def test_there_are_sixty_mutants_of_each_fencer(fencer: str) -> None:
    assert len(tables.by_id(fencer)) == 60


@pytest.mark.parametrize(("fencer", "mutant"), EVERY, ids=[f"{fencer}-{mutant.id}" for fencer, mutant in EVERY])
def test_a_mutant_changes_the_source_as_it_is_today_in_one_place(fencer: str, mutant: Mutant) -> None:
    source = read(ROOT, mutant)
    changed = ast.parse(mutant.applied(source))
    assert ast.dump(changed) != ast.dump(ast.parse(source))
    assert mutant.lines(source)
    assert mutant.file in matrix.sources(matrix.ORIGINALS[fencer])


def test_a_source_that_has_moved_is_told() -> None:
    mutant = Mutant("gone", "fencer/proof.py", "no such text", "", "nothing")
    with pytest.raises(SourceMoved, match=r"gone: fencer/proof\.py has 'no such text' 0 times"):
        mutant.applied(read(ROOT, mutant))


def test_a_change_stands_in_the_lines_that_differ() -> None:
    mutant = Mutant("two", "x.py", "a = 1\nb = 2\nc = 3\n", "a = 1\nb = 5\nc = 3\n", "nothing")
    assert mutant.lines("# first\na = 1\nb = 2\nc = 3\n") == range(3, 4)


def verdicts(fencer: str, mutant: str, scenario: str) -> Mapping[MatrixColumn, str]:
    cells, _ = playing.columns(fencer)
    column = MatrixColumn(scenario, playing.PROFILE)
    played = playing.play(fencer, mutant, {column: cells[column]}, reusable(), lambda: playing.prepared(fencer, mutant))
    return {each.column: each.verdict.value for each in played}


@pytest.mark.long
@pytest.mark.parametrize(("fencer", "mutant", "scenario"), KILLED, ids=[fencer for fencer, *_ in KILLED])
def test_a_scenario_kills_a_mutant_and_not_the_fencer_itself(fencer: str, mutant: str, scenario: str) -> None:
    column = MatrixColumn(scenario, playing.PROFILE)
    assert verdicts(fencer, mutant, scenario) == {column: "UNSAFE"}
    assert verdicts(fencer, "", scenario) == {column: "PASS"}


@pytest.mark.long
@pytest.mark.parametrize("fencer", tables.FENCERS)
def test_every_run_passes_the_place_of_a_mutant_or_cannot_differ(fencer: str) -> None:
    """Each mutant has a probe, so no run is left out for want of one."""
    originals = matrix.ORIGINALS[fencer]
    probes = probes_of(originals.root, tables.of(fencer), matrix.sources(originals))
    assert {probe.number for probe in probes} == set(range(60))


def test_a_probe_stands_in_front_of_its_statement() -> None:
    source = "def f(x):\n    if x:\n        return 1\n    return 2\n"
    tree = ast.fix_missing_locations(probed(ast.parse(source), [Probe("f.py", 4, 4, 7)], "passed"))
    names: dict[str, object] = {"passed": set()}
    exec(compile(tree, "f.py", "exec"), names)
    function, passed = names["f"], names["passed"]
    assert callable(function)
    assert (function(True), passed) == (1, set())
    assert (function(False), passed) == (2, {7})


def test_a_copy_leaves_the_fencer_as_it_is() -> None:
    import fencer.proof

    mutant = tables.by_id("reference")["proof-one-read"]
    with_copies(matrix.ORIGINALS["reference"], mutant)
    import fencer_changed.procedure as changed  # type: ignore[import-not-found]

    assert changed.proof.reads_needed(False) == 1
    assert changed.proof is not fencer.proof
    assert fencer.proof.reads_needed(False) == 2


def made_up(fencer: str, *, missing: str = "") -> FencerMatrix:
    """A matrix of two columns: TRUTH-001 kills all mutants but the first one, TRUTH-002 none."""
    found = FencerMatrix(fencer, "digest", ["TRUTH-001", "TRUTH-002"], {"HA-001": f"{fencer} cannot be asked for watch"})
    first = next(iter(tables.by_id(fencer)))
    for name in tables.by_id(fencer):
        kills = {} if name == first else {"TRUTH-001": "UNSAFE"}
        merged = () if name == missing else ("TRUTH-002",)
        found.results[name] = MutantResult(mutant=name, digest="", kills=kills, played=("TRUTH-001",), merged=merged)
    return found


def test_the_page_shows_who_kills_whom_and_what_survives_why() -> None:
    matrices = [made_up(fencer) for fencer in tables.FENCERS]
    first = [next(iter(tables.by_id(fencer))) for fencer in tables.FENCERS]
    survivors = {fencer: {name: "Nobody looks."} for fencer, name in zip(tables.FENCERS, first, strict=True)}
    assert page.unexplained(matrices, survivors, {"TRUTH-002": "Too rare."}) == []
    shown = page.text(matrices, {fencer: {} for fencer in tables.FENCERS}, survivors, {"TRUTH-002": "Too rare."})
    assert "| fence_bmc, the reference | 60 | 59 | 98 % | 0 | 60 | 60 | 0 |" in shown
    assert f"| {first[0]} | Nobody looks. |  | not hunted yet |" in shown
    assert " | Too rare. |" in shown
    assert "- HA-001: it cannot be asked for watch." in shown
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines() if line.startswith(("proof-one-read", "one-page"))}
    assert rows == {"proof-one-read": ["."], "one-page": ["U"]}
    assert page.NO_REASON not in shown
    assert "not complete" not in shown


def test_what_has_no_reason_and_what_needs_none_is_told() -> None:
    matrices = [made_up(fencer) for fencer in tables.FENCERS]
    survivors = {"reference": {"logins-no-gap": "Killed long ago."}, "careful": {"one-off-read": "Nobody looks."}}
    assert page.unexplained(matrices, survivors, {"TRUTH-001": "Too rare."}) == [
        "reference: proof-one-read survives, without a reason",
        "reference: logins-no-gap has a reason, and is killed",
        "TRUTH-002 kills nothing, without a reason",
        "TRUTH-001 has a reason, and kills something",
    ]
    assert page.NO_REASON in page.text(matrices, {fencer: {} for fencer in tables.FENCERS}, survivors, {})


def test_an_unfinished_matrix_says_so_and_calls_no_mutant_a_survivor_too_early() -> None:
    unfinished = made_up("reference", missing="proof-one-read")
    assert unfinished.survivors == []
    assert not unfinished.is_settled_whole
    shown = page.text(
        [unfinished, made_up("careful")], {fencer: {} for fencer in tables.FENCERS}, {"reference": {}, "careful": {}}, {}
    )
    assert "The matrix is not complete: 1 runs, marked ?, are still to be played." in shown


def test_the_page_is_of_the_mutants_and_the_reasons_of_today() -> None:
    shown = PAGE.read_text(encoding="utf-8")
    rows = [line for line in shown.splitlines() if line.startswith("| ")]
    for fencer in tables.FENCERS:
        for mutant in tables.of(fencer):
            told = page.row_start(mutant)
            assert any(row.startswith(told) for row in rows), f"{mutant.id}: run `python -m tools.mutation_score`"
        for name, why in reasons.SURVIVORS[fencer].items():
            assert any(row.startswith(f"| {name} | {why} |") for row in rows), name
    assert [row for row in rows if page.NO_REASON in row] == []
    for name, why in reasons.IDLE_SCENARIOS.items():
        assert any(row.startswith(f"| {name} | ") and row.endswith(f" | {why} |") for row in rows), name
