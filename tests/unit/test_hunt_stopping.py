"""A hunt that is stopped keeps what it has: at a second Ctrl-C, while evidence is written, and when it is killed."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from conformance.commands import hunt as hunt_command
from conformance.hunt import evidence_files, hunting, result_file, trial_run
from conformance.hunt.hunting import Ending
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.told import repeat_command
from conformance.hunt.trace import Trace
from conformance.hunt.trial_run import Hunted
from conformance.hunt.verdict import HuntedRun
from conformance.result import Result
from conformance.runner import MatrixCell, RunOptions
from conformance.vocabulary import Verdict
from profiles import load
from tests.definitions import on_transport
from tests.hunt_runs import REDFISH, hunted

DELL = load("dell-idrac9")
FAR = 1e12
ONE = SearchBounds(budget=1, depth=2)


def target(seed: int = 0) -> Hunted:
    return trial_run.hunted(on_transport(), DELL, DELL.id, seed)


def broken_by_conflict(trace: Trace, stop: threading.Event) -> HuntedRun:
    broken = any(each.word == "conflict" for each in trace.deviations)
    verdict, kind = (Verdict.UNSAFE, "FALSE") if broken else (Verdict.PASS, "")
    return hunted(trace, verdict, kind, why="claimed off")


def test_a_second_ctrl_c_while_runs_are_ended_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    search = Search([REDFISH], ONE)
    pressed: list[str] = []

    class ImpatientPool(hunting.ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
            super().shutdown(wait=wait, cancel_futures=cancel_futures)
            if cancel_futures:
                pressed.append("second")
                raise KeyboardInterrupt

    def first(run: HuntedRun) -> None:
        if run.is_find:
            pressed.append("first")
            raise KeyboardInterrupt

    monkeypatch.setattr(hunting, "ThreadPoolExecutor", ImpatientPool)
    ending = hunting.search_through(
        target(), search, jobs=1, until=FAR, on_run=first, on_tick=lambda: None, play=broken_by_conflict
    )
    assert (ending, pressed) == (Ending.STOPPED, ["first", "second"])
    assert len(hunting.unconfirmed(search)) == 1


def test_ctrl_c_while_evidence_is_written_still_tells_the_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evidence_files, "write_find", stopped)
    hunt = hunt_command._Hunt(target(), Search([REDFISH], ONE), {})
    code = hunt.carry_out(jobs=1, play=broken_by_conflict, time_s=FAR, out=tmp_path, state=None)
    said = capsys.readouterr()
    assert code == 130
    assert said.out.startswith("UNSAFE FALSE  HUNT-")
    assert said.out.splitlines()[-1].endswith("it was stopped; 1 UNSAFE")
    assert "stopped; some finds have no evidence" in said.err
    assert len(result_file.read(tmp_path / "hunt.json").finds) == 1


def test_a_state_is_kept_every_few_seconds_so_that_little_is_lost_when_the_hunt_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    monkeypatch.setattr(hunt_command, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(hunt_command, "SAVE_SHARE", 1e9)
    monkeypatch.setattr(result_file, "write", lambda result, file: kept.append(len(result.runs)))
    hunt = hunt_command._Hunt(target(), Search([REDFISH], ONE), {})
    hunt.carry_out(jobs=1, play=broken_by_conflict, time_s=FAR, out=None, state=tmp_path / "state")
    assert kept[:3] == [1, 2, 3], "behind each run"


def test_the_evidence_of_a_find_is_played_with_the_seed_of_the_hunt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []

    class Enough(Exception):
        pass

    def run_cell(cell: MatrixCell, stop: threading.Event, options: RunOptions | None = None) -> Result:
        seeds.append((options or RunOptions()).seed)
        raise Enough

    monkeypatch.setattr(evidence_files, "run_cell", run_cell)
    search = Search([REDFISH], ONE)
    while (trace := search.next()) is not None:
        search.take(broken_by_conflict(trace, threading.Event()))
    (find,) = hunting.unconfirmed(search)
    with pytest.raises(Enough):
        evidence_files.write_find(target(seed=7), find, tmp_path, "1")
    assert seeds == [7]


def test_the_command_that_plays_a_find_again_is_one_that_a_shell_takes_and_names_the_seed() -> None:
    assert repeat_command("mine", "dell-idrac9", Path("my finds/HUNT-1.yaml"), 7) == (
        "fence-conformance run --fencer mine --profile dell-idrac9 --scenario-file 'my finds/HUNT-1.yaml' --seed 7"
    )
    assert repeat_command("mine", "p", Path("f")) == "fence-conformance run --fencer mine --profile p --scenario-file f"
