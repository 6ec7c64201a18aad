"""Hunts of HA managers on virtual time: planted defects are found, a careful one and fence-ha pass, finds are scenario files."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.adapters.definition import Definition
from conformance.adapters.python_transport import PythonTransportAdapter
from conformance.adapters.reading import read
from conformance.hunt import agent_deviation, trial_run
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import ManagerStart, PlacedDeviation, Trace, World, as_list, from_list
from conformance.hunt.trial_run import Hunted, try_trace, worlds_of
from conformance.hunt.verdict import HuntedRun
from conformance.runner import MatrixCell, run_cell
from conformance.scenario_files.reading import read_file
from conformance.scenario_files.writing import text_of
from conformance.vocabulary import Ask, FindingKind, Protocol, Verdict
from profiles import load
from tests.commands import ROOT

DELL = load("dell-idrac9")
HUNTED = ROOT / "tests" / "hunted"
CUT, SILENT, DARK, WELL = (World(Protocol.REDFISH, Ask.WATCH, scene) for scene in ManagerStart)
TWICE = FindingKind.TWICE
FOUND: tuple[tuple[str, World, str, Verdict], ...] = (
    ("trusts-2xx", SILENT, "", Verdict.UNSAFE),
    ("starts-first", SILENT, "", Verdict.UNSAFE),
    ("silence-is-off", DARK, "", Verdict.UNSAFE),
    ("one-missed-probe", WELL, "agent-silent", Verdict.UNSAFE),
    ("late-is-dead", WELL, "agent-late", Verdict.UNSAFE),
    ("503-is-dead", WELL, "agent-error", Verdict.UNSAFE),
    ("empty-is-gone", WELL, "agent-empty", Verdict.UNSAFE),
    ("404-is-off", SILENT, "not-found", Verdict.UNSAFE),
    ("409-is-off", SILENT, "conflict", Verdict.UNSAFE),
    ("one-read", SILENT, "word-first", Verdict.UNSAFE),
    ("lost-start-elsewhere", CUT, "start-answer-lost", Verdict.UNSAFE),
    ("gives-up", CUT, "busy", Verdict.STUCK),
    ("one-start", CUT, "start-refused", Verdict.STUCK),
    ("alive-for-ever", CUT, "agent-alive", Verdict.STUCK),
)

pytestmark = [pytest.mark.xdist_group("hunt-managers"), pytest.mark.timeout(300)]


def manager(flaw: str) -> Definition:
    careful = read(HUNTED / "manager.yaml")
    way = careful.ways[Protocol.REDFISH]
    assert isinstance(way, PythonTransportAdapter)
    return replace(careful, ways={Protocol.REDFISH: replace(way, params={"flaw": flaw})})


def target(definition: Definition) -> Hunted:
    return trial_run.hunted(definition, DELL, DELL.id, 0)


def searched(ours: Hunted, world: World, *only: str) -> list[HuntedRun]:
    """Without a deviation, and all that cost at most two of those that are named, at most one at a time."""
    search = Search(
        [world], SearchBounds(budget=2 if "word-first" in only else 1, depth=40, only=frozenset(only) or frozenset("-"))
    )
    while (trace := search.next()) is not None:
        search.take(try_trace(ours, trace, threading.Event()))
    assert all(run.verdict is not Verdict.ERROR for run in search.runs), [run.why for run in search.runs]
    return search.runs


def finds(runs: list[HuntedRun]) -> list[tuple[Verdict, str, str]]:
    return [(run.verdict, str(run.trace), run.why) for run in runs if run.is_find]


@pytest.mark.long
@pytest.mark.parametrize(("flaw", "world", "deviation", "verdict"), FOUND, ids=[flaw for flaw, *_ in FOUND])
def test_a_planted_defect_of_a_manager_is_found(flaw: str, world: World, deviation: str, verdict: Verdict) -> None:
    found = finds(searched(target(manager(flaw)), world, *filter(None, [deviation])))
    assert verdict in {each for each, _, _ in found}
    assert bool(deviation) == (f"{world}: no deviation" not in {trace for _, trace, _ in found}), (
        "a defect that needs no deviation"
    )


@pytest.mark.long
def test_nothing_is_found_in_a_careful_manager() -> None:
    ours = target(manager(""))
    words = ("agent-silent", "agent-alive", "agent-returns", "start-answer-lost", "start-refused", "conflict", "busy")
    assert [find for world in (CUT, SILENT, DARK, WELL) for find in finds(searched(ours, world, *words))] == []


@pytest.mark.long
def test_fence_ha_survives_what_breaks_cloudstacks_rules() -> None:
    refused = Trace(SILENT, (PlacedDeviation(11, "conflict", 1, "power-command"),))
    for name, verdict in (("fence-ha-transport", Verdict.PASS), ("cloudstack-ha-transport", Verdict.UNSAFE)):
        run = try_trace(target(read(HUNTED / f"{name}.yaml")), refused, threading.Event())
        assert (run.verdict, run.complete) == (verdict, True), run.why


def test_a_find_is_a_scenario_that_can_be_played_from_its_file(tmp_path: Path) -> None:
    ours = target(manager("lost-start-elsewhere"))
    lost = Trace(CUT, (PlacedDeviation(1, "start-answer-lost", 1, "start@second"),))
    run = try_trace(ours, lost, threading.Event())
    assert (run.verdict, run.kind) == (Verdict.UNSAFE, TWICE.value)
    file = tmp_path / "found.yaml"
    file.write_text(text_of(ours.scenario(lost, Verdict.UNSAFE)))
    cell = MatrixCell(ours.definition, DELL, read_file(str(file)))
    result = run_cell(cell, threading.Event())
    assert (result.verdict, result.kind) == (Verdict.UNSAFE, TWICE)
    careful = run_cell(replace(cell, definition=manager("")), threading.Event())
    assert careful.verdict is Verdict.PASS, careful.why


def test_every_deviation_of_an_agent_can_be_written_and_read() -> None:
    ours = target(manager(""))
    for scene in (CUT, SILENT, DARK, WELL):
        for deviation in agent_deviation.DEVIATIONS:
            (request,) = deviation.requests
            trace = Trace(scene, (PlacedDeviation(3, deviation.word, 2, f"{request}@second"),))
            assert from_list(as_list(trace)) == trace
            assert deviation.how in text_of(ours.scenario(trace, Verdict.STUCK))


def test_a_host_that_has_missed_two_probes_in_a_row_may_be_cut() -> None:
    ours = target(manager("one-missed-probe"))
    once, again = (PlacedDeviation(at, "agent-silent", nth, "health@second") for at, nth in ((2, 1), (3, 2)))
    assert try_trace(ours, Trace(WELL, (once,)), threading.Event()).verdict is Verdict.UNSAFE
    assert not try_trace(ours, Trace(WELL, (once, again)), threading.Event()).is_find


def test_a_manager_that_never_takes_up_its_hosts_is_no_safe_one() -> None:
    careful = read(HUNTED / "manager.yaml")
    way = careful.ways[Protocol.REDFISH]
    assert isinstance(way, PythonTransportAdapter)
    idle = replace(careful, ways={Protocol.REDFISH: replace(way, function="small_manager:idle")})
    run = try_trace(target(idle), Trace(CUT), threading.Event())
    assert (run.verdict, run.why) == (Verdict.ERROR, "the manager was never ready: it has not taken up all hosts")


def test_a_manager_is_hunted_in_scenes_and_a_fencer_from_starts() -> None:
    worlds, left_out = worlds_of(target(manager("")), (Ask.WATCH,), tuple(ManagerStart))
    assert (worlds, left_out) == ((CUT, SILENT, DARK, WELL), {})
