"""A hunt on several machines: a scheduler of dask.distributed and three workers, one of which is killed while runs are played."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import fencers
from conformance.hunt.trace import Start, Trace
from conformance.hunt.trial_run import hunted, worlds_of
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Ask, Verdict
from profiles import load
from tests.commands import ROOT, command, environment
from tests.peers.dask_cluster import DaskCluster, pickle

HUNT = (
    *("--fencer", str(ROOT / "examples" / "cloudstack" / "conflict-then-read.yaml"), "--profile", "dell-idrac9"),
    *("--start", "on", "--budget", "1", "--depth", "4"),
)

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path)
    yield cluster
    cluster.close()


def result(folder: Path) -> tuple[list[str], list[str], list[str]]:
    """What a hunt found, how it says how far it is safe, and every run, in the order of their traces."""
    told = json.loads((folder / "hunt.json").read_text())
    return [find["scenario"] for find in told["finds"]], [told["radius"]], sorted(json.dumps(run[0]) for run in told["runs"])


def test_a_worker_that_is_killed_costs_no_run_and_the_finds_are_those_of_one_machine(dask: DaskCluster, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    workers = [dask.worker(f"worker{number}") for number in range(3)]
    for _ in workers:
        dask.wait_for("Register worker")
    line = [*command("fence-conformance"), "hunt", *HUNT, "--cluster", dask.address, "--out", str(there)]
    hunt = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT)
    assert hunt.stderr is not None
    first = hunt.stderr.readline()  # the first find is told while each worker has two runs in work
    os.kill(workers[0].pid, signal.SIGKILL)
    dask.wait_for("Remove worker")
    said, errors = hunt.communicate(timeout=300)
    assert first.startswith("fence-conformance: first UNSAFE")
    assert hunt.returncode == 3, errors
    assert "could not be played" not in errors
    alone = [*command("fence-conformance"), "hunt", *HUNT, "--jobs", "6", "--out", str(here)]
    assert subprocess.run(alone, capture_output=True, env=environment(), cwd=ROOT).returncode == 3
    assert result(there) == result(here), "no run is lost, and the finds are those of one machine"
    assert said.count("played again: 3 of 3 the same") == len(result(here)[0])


def test_a_run_and_what_became_of_it_survive_the_way_to_a_worker_and_back() -> None:
    target = hunted(fencers.load("cloudstack-redfish"), load("dell-idrac9"), "dell-idrac9", 0)
    worlds, _ = worlds_of(target, (Ask.OFF,), tuple(Start))
    for world in worlds:
        got = pickle.loads(pickle.dumps((target, Trace(world))))
        assert got[1] == Trace(world)
        assert (got[0].definition.digest, got[0].profile) == (target.definition.digest, target.profile)
    run = HuntedRun(trace=Trace(worlds[0]), steps=(), end="hangs", key="k", verdict=Verdict.HANG)
    assert pickle.loads(pickle.dumps(run)) == run


def test_a_cluster_that_is_not_there_is_one_sentence() -> None:
    line = [*command("fence-conformance"), "hunt", *HUNT, "--cluster", "tcp://127.0.0.1:1"]
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), cwd=ROOT)
    assert done.returncode == 4, done.stdout + done.stderr
    assert "no scheduler of dask.distributed answers at tcp://127.0.0.1:1" in done.stderr.splitlines()[-1]
