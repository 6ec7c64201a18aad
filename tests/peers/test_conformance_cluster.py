"""Cells on several machines: a scheduler of dask.distributed and three workers, one of which is killed while cells are played."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import runner, selection
from tests.commands import PATIENCE, ROOT, command, environment
from tests.peers.dask_cluster import DaskCluster, pickle

CELLS = (
    "--fencer",
    "cloudstack-redfish,conflict-is-off",
    "--profile",
    "dell-idrac9,openbmc-x86",
    "--scenario",
    "STATE",
    "--tier",
    "0",
)

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskCluster]:
    cluster = DaskCluster(tmp_path)
    yield cluster
    cluster.close()


def verdicts(report: Path) -> list[tuple[str, str, str, str]]:
    results = json.loads(report.read_text())["results"]
    return [(r["fencer"], r["profile"], r["scenario"], r["verdict"]) for r in results]


def test_a_worker_that_is_killed_costs_no_cell_and_changes_no_verdict(dask: DaskCluster, tmp_path: Path) -> None:
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    workers = [dask.worker(f"worker{number}") for number in range(3)]
    line = [*command("fence-conformance"), "run", *CELLS, "--cluster", dask.address, "--json", str(there)]
    run = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), cwd=ROOT)
    assert run.stdout is not None
    first = run.stdout.readline()
    os.kill(workers[0].pid, signal.SIGKILL)  # each worker has two cells in work all the time
    dask.wait_for("Remove worker")
    rest, errors = run.communicate(timeout=300)
    assert run.returncode in (1, 3), errors
    assert " x " in first
    code = subprocess.run(
        [*command("fence-conformance"), "run", *CELLS, "--json", str(here)], capture_output=True, env=environment(), cwd=ROOT
    ).returncode
    assert code == run.returncode
    assert verdicts(there) == verdicts(here), "no cell is lost, all are in order, and the verdicts are those of one machine"
    assert "ERROR" not in rest


def refused(*arguments: str) -> str:
    line = [*command("fence-conformance"), "run", *CELLS, *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env=environment(), cwd=ROOT, timeout=PATIENCE)
    assert done.returncode == 4, done.stdout + done.stderr
    (sentence,) = done.stderr.splitlines()
    return sentence


def test_a_cluster_that_is_not_there_is_one_sentence(dask: DaskCluster) -> None:
    assert "no scheduler of dask.distributed answers at tcp://127.0.0.1:1" in refused("--cluster", "tcp://127.0.0.1:1")
    assert f"the scheduler at {dask.address} has no workers" in refused("--cluster", dask.address)


@pytest.mark.parametrize("fencer", ["fence_bmc", "cloudstack-redfish", "ipmitool", "fence-ha"])
def test_cells_and_results_survive_the_way_to_a_worker_and_back(fencer: str) -> None:
    profiles, scenarios = selection.pick_profiles(["dell-idrac9"]), selection.pick_scenarios(())
    for cell in runner.matrix(selection.pick_fencers([fencer]), profiles, scenarios):
        got = pickle.loads(pickle.dumps(cell))
        assert isinstance(got, runner.MatrixCell)
        assert (got.scenario, got.profile, got.definition.digest) == (cell.scenario, cell.profile, cell.definition.digest)
        result = runner.failed(cell, OSError("gone"), runner.RunOptions())
        assert pickle.loads(pickle.dumps(result)) == result
