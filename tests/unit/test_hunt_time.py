"""The time of a hunt bounds all of it: the search leaves time for its finds, and what there is no time to play again is kept."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from conformance.adapters.base import Interrupted
from conformance.hunt import evidence_files, hunting, trial_run
from conformance.hunt.hunting import Ending
from conformance.hunt.result_file import ConfirmedFind
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.told import find_lines
from conformance.hunt.trace import Trace
from conformance.hunt.trial_run import Hunted
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Verdict
from profiles import load
from tests.definitions import on_transport
from tests.hunt_runs import REDFISH, hunted, placed

DELL = load("dell-idrac9")
RUN_S = 10.0
FAR = 1e12


class Machine:
    """A machine on which every run takes ten seconds; `finds` are the deviations that break its fencer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *finds: str) -> None:
        self.now = 1000.0
        self.finds = finds
        monkeypatch.setattr(hunting, "time", SimpleNamespace(monotonic=lambda: self.now))
        monkeypatch.setattr(hunting, "try_trace", self.try_trace)

    def try_trace(self, target: Hunted, trace: Trace, stop: threading.Event, *, alone: bool = True) -> HuntedRun:
        if stop.is_set():
            raise Interrupted
        self.now += RUN_S
        broken = any(each.word in self.finds for each in trace.deviations)
        return hunted(trace, Verdict.UNSAFE if broken else Verdict.PASS, "FALSE" if broken else "")

    def hunt(self, search: Search, seconds: float) -> Ending:
        return hunting.search_through(
            target(), search, jobs=1, until=FAR, on_run=lambda run: None, on_tick=lambda: None, end=self.now + seconds
        )


def target(mutant: str = "") -> Hunted:
    return trial_run.hunted(on_transport(mutant), DELL, DELL.id, 0)


def test_a_search_that_finds_nothing_takes_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch)
    assert machine.hunt(Search([REDFISH], SearchBounds(budget=1)), 200.0) is Ending.TIME
    assert machine.now == 1200.0


def test_a_search_leaves_time_for_what_it_has_found_and_at_most_half_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "conflict")
    machine.hunt(Search([REDFISH], SearchBounds(budget=1)), 300.0)
    assert machine.now == 1300.0 - RUN_S * hunting.USUAL_RUNS
    machine = Machine(monkeypatch, "busy", "lost-request", "lost-answer", "null", "not-found")
    machine.hunt(Search([REDFISH], SearchBounds(budget=1)), 200.0)
    assert machine.now == 1100.0


@pytest.mark.long
def test_a_find_that_there_is_no_time_to_play_again_is_kept_and_said(tmp_path: Path) -> None:
    ours = target("ConflictIsOff")
    search = Search([REDFISH], SearchBounds(budget=1, depth=2, only=frozenset({"conflict"})))
    hunting.search_through(ours, search, jobs=1, until=FAR, on_run=lambda run: None, on_tick=lambda: None)
    (find,) = hunting.confirm(ours, search, jobs=1, end=0.0)
    assert (find.run.verdict, find.replays, find.of) == (Verdict.UNSAFE, 0, 0)
    assert "    played again: no, there was no time" in find_lines(find, "")


def test_a_find_without_time_for_its_evidence_still_has_its_scenario_file(tmp_path: Path) -> None:
    run = hunted(Trace(REDFISH, (placed(2, "conflict", what="power-command"),)), Verdict.UNSAFE, "FALSE", why="claimed off")
    find = ConfirmedFind(run=run, scenario="HUNT-100001", replays=3, of=3)
    with hunting.ended_at(0.0) as stop:
        stop.wait(5.0)
        with pytest.raises(Interrupted):
            evidence_files.write_find(target("ConflictIsOff"), find, tmp_path, "1", stop)
    assert [file.name for file in tmp_path.iterdir()] == ["HUNT-100001.yaml"]
