"""Hunts of in-process fencers: a planted defect is found with one deviation, a careful fencer is not; nothing is counted that no
fencer could know."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.adapters.definition import Definition
from conformance.adapters.reading import read
from conformance.hunt import hunting, trial_run
from conformance.hunt.evidence_files import write_find
from conformance.hunt.hunting import Ending
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import PlacedDeviation, Start, Trace, World
from conformance.hunt.trial_run import Hunted, try_trace, worlds_of
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Ask, Protocol, Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import on_transport

DELL = load("dell-idrac9")
FAR = 1e12
REDFISH, IPMI = (World(protocol, Ask.OFF, Start.ON) for protocol in (Protocol.REDFISH, Protocol.IPMI))

pytestmark = pytest.mark.xdist_group("hunt-in-process")


def target(definition: Definition) -> Hunted:
    return trial_run.hunted(definition, DELL, DELL.id, 0)


def hunt(definition: Definition, world: World, depth: int, words: frozenset[str] = frozenset()) -> Search:
    """All of one deviation at the first requests; with `words` only of these."""
    search = Search([world], SearchBounds(budget=1, depth=depth, only=words))
    ours = target(definition)
    while (trace := search.next()) is not None:
        search.take(try_trace(ours, trace, threading.Event(), alone=False))
    return search


def finds(search: Search) -> set[tuple[str, str]]:
    return {("".join(each.word for each in run.trace.deviations), run.verdict.value) for run in search.runs if run.is_find}


@pytest.mark.parametrize(
    ("mutant", "world", "word"),
    [
        pytest.param("ConflictIsOff", REDFISH, "conflict", marks=pytest.mark.long),
        ("ClaimOn2xx", REDFISH, ""),
        ("PoweringOffIsOff", REDFISH, "powering-off"),
        ("DropIsDone", REDFISH, "lost-request"),
    ],
)
def test_a_planted_defect_is_found_with_at_most_one_deviation(mutant: str, world: World, word: str) -> None:
    search = hunt(on_transport(mutant), world, depth=3, words=frozenset({word}))
    assert (word, "UNSAFE") in finds(search)


@pytest.mark.parametrize("world", [pytest.param(REDFISH, marks=pytest.mark.long), IPMI], ids=["redfish", "ipmi"])
def test_a_careful_fencer_is_not_found_unsafe(world: World) -> None:
    words = frozenset({"early-off", "conflict", "ignored", "powering-off", "null", "lost-answer", "task-fails"})
    search = hunt(on_transport(), world, depth=6, words=words)
    assert len(search.runs) > 10
    assert not {find for find in finds(search) if find[1] == "UNSAFE"}
    assert not [run for run in search.runs if run.verdict is Verdict.ERROR or not run.complete]


def test_a_lie_that_lasts_as_long_as_a_proof_is_listed_and_not_counted() -> None:
    """The careful fencer proves Off by two reads one second apart; its file says nothing, so four seconds are its promise."""
    lies = tuple(PlacedDeviation(at, "early-off", nth, "chassis-status", "ipmi") for at, nth in ((3, 1), (4, 2)))
    careful = on_transport()
    run = try_trace(target(careful), Trace(IPMI, lies), threading.Event())
    assert (run.verdict, run.complete, run.undetectable) == (Verdict.UNSAFE, True, False)
    promises_less = replace(careful, limits={**careful.limits, "stable_for": 0.9})
    listed = try_trace(target(promises_less), Trace(IPMI, lies), threading.Event())
    assert (listed.verdict, listed.undetectable, listed.is_find) == (Verdict.UNSAFE, True, False)


@pytest.mark.parametrize(("mutant", "verdict"), [("EndOfTaskIsOff", Verdict.UNSAFE), ("", Verdict.PASS)])
def test_a_task_that_completes_and_did_nothing_reveals_who_takes_its_end_for_off(mutant: str, verdict: Verdict) -> None:
    ours = target(on_transport(mutant))
    plain = try_trace(ours, Trace(REDFISH), threading.Event())
    search = Search([REDFISH], SearchBounds(budget=2, depth=6, only=frozenset({"task-empty"})))
    search.next()
    search.take(plain)
    trace = search.next()
    assert trace is not None
    assert [each.word for each in trace.deviations] == ["task-empty"]
    run = try_trace(ours, trace, threading.Event())
    assert (run.verdict, run.complete) == (verdict, True)


@pytest.mark.parametrize("mutant", ["IgnoresSelector", "LastMember", ""])
def test_who_takes_the_first_or_the_last_system_is_found_without_a_deviation(mutant: str) -> None:
    verdict = Verdict.UNSAFE if mutant else Verdict.PASS
    run = try_trace(target(on_transport(mutant)), Trace(World(Protocol.REDFISH, Ask.OFF, Start.TWO)), threading.Event())
    assert (run.verdict, run.kind) == (verdict, "WRONG-TARGET" if mutant else "")


def test_a_run_counts_the_answers_that_the_profile_assumes() -> None:
    dgx = load("nvidia-dgx")
    on_dgx = trial_run.hunted(on_transport(), dgx, dgx.id, 0)
    assert try_trace(on_dgx, Trace(REDFISH), threading.Event()).assumed == 1
    assert try_trace(target(on_transport()), Trace(REDFISH), threading.Event()).assumed == 0


def test_a_deviation_that_never_comes_is_no_find() -> None:
    late = Trace(REDFISH, (PlacedDeviation(90, "early-off", 90, "power-read", "system"),))
    run = try_trace(target(on_transport("ConflictIsOff")), late, threading.Event())
    assert not run.complete
    assert not run.is_find


def test_a_run_comes_out_the_same_alone_and_behind_others() -> None:
    ours = trial_run.hunted(read(ROOT / "tests" / "hunted" / "fence-bmc-transport.yaml"), DELL, DELL.id, 0)
    search = Search([IPMI], SearchBounds(budget=1, depth=2))
    while (trace := search.next()) is not None:
        search.take(try_trace(ours, trace, threading.Event(), alone=False))
    assert len(search.runs) > 5
    assert [try_trace(ours, run.trace, threading.Event()) for run in search.runs] == search.runs


def test_worlds_that_cannot_be_searched_say_why() -> None:
    worlds, left_out = worlds_of(target(on_transport()), (Ask.OFF,), (Start.ON, Start.TWO))
    assert World(Protocol.REDFISH, Ask.OFF, Start.TWO) in worlds
    assert left_out == {World(Protocol.IPMI, Ask.OFF, Start.TWO): "IPMI knows one system for each BMC"}


@pytest.mark.long
def test_a_find_is_confirmed_and_its_file_reproduces_it(tmp_path: Path) -> None:
    ours = target(on_transport("ConflictIsOff"))
    search = Search([REDFISH], SearchBounds(budget=1, depth=3))
    seen: list[HuntedRun] = []
    ending = hunting.search_through(ours, search, jobs=2, until=FAR, on_run=seen.append, on_tick=lambda: None)
    assert ending is Ending.COMPLETE
    assert seen == search.runs
    (conflict,) = (find for find in hunting.confirm(ours, search, jobs=2) if find.run.trace.deviations[0].word == "conflict")
    assert (conflict.replays, conflict.of, conflict.run.verdict) == (3, 3, Verdict.UNSAFE)
    result = write_find(ours, conflict, tmp_path, "1")
    assert result.verdict is Verdict.UNSAFE
    assert (tmp_path / f"{conflict.scenario}.svg").read_text().startswith("<svg xmlns=")
    folder = next(path for path in tmp_path.iterdir() if path.is_dir())
    assert {"journal.jsonl", "redfish.har", "finding.txt"} <= {file.name for file in folder.iterdir()}


def test_the_end_of_the_time_keeps_what_was_found() -> None:
    ours = target(on_transport())
    search = Search([REDFISH], SearchBounds(budget=1))
    assert hunting.search_through(ours, search, jobs=1, until=0.0, on_run=lambda run: None, on_tick=lambda: None) is Ending.TIME
    assert len(search.runs) == 1
    assert search.waiting > 0


def test_ctrl_c_keeps_what_was_found() -> None:
    ours = target(on_transport("ConflictIsOff"))
    search = Search([REDFISH], SearchBounds(budget=1))

    def stop_at_the_find(run: HuntedRun) -> None:
        if run.is_find:
            raise KeyboardInterrupt

    ending = hunting.search_through(ours, search, jobs=1, until=FAR, on_run=stop_at_the_find, on_tick=lambda: None)
    assert ending is Ending.STOPPED
    (find,) = hunting.unconfirmed(search)
    assert (find.replays, find.of) == (0, 0)


@pytest.mark.parametrize("word", ["lost-request", "lost-answer"])
def test_a_word_behind_a_read_that_was_lost_comes_at_the_request_that_is_named(word: str) -> None:
    """A request over IPMI that was lost has asked for no word, one whose answer was lost has."""
    lost = Trace(IPMI, (PlacedDeviation(3, word, 1, "chassis-status"),))
    ours = target(on_transport())
    steps = try_trace(ours, lost, threading.Event()).steps
    assert [step.told for step in steps[2:4]] == ["nothing", "On"]
    assert steps[3].viewed == (1 if word == "lost-request" else 2)
    early = PlacedDeviation(4, "early-off", steps[3].viewed, steps[3].what, steps[3].view)
    run = try_trace(ours, lost.then(early), threading.Event())
    assert run.complete
    assert run.steps[3].told == "Off"
