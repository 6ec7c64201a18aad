"""The image `gate`: the suite beside other people's fencers, as somebody's CI uses it: no network, not root."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT

pytestmark = pytest.mark.timeout(600)
IMAGE = "fencelab:gate-test"


@pytest.fixture(scope="module")
def gate(docker_engine: None) -> Iterator[str]:
    """Shares the layers of the lab's image up to the installed wheel."""
    line = ["docker", "build", "-q", "--network", "host", "--target", "gate", "-t", IMAGE, str(ROOT)]
    built = subprocess.run(line, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr[-2000:]
    yield IMAGE
    subprocess.run(["docker", "rmi", IMAGE], capture_output=True, check=False)


def run(image: str, *words: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    line = ["docker", "run", "--rm", "--network", "none", *options, image, *words]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_it_gates_the_common_fencers_without_a_network(gate: str, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)  # the image's user is not this one
    fencers = "fence_bmc,fence_redfish,fence_ipmilan,ipmitool"
    words = ("run", "--fencer", fencers, "--profile", "dmtf-generic", "--scenario", "STATE-002", "--json", "/work/report.json")
    result = run(gate, *words, options=("-v", f"{tmp_path}:/work"))
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert result.returncode == report["summary"]["exit_code"], result.stdout + result.stderr
    verdicts = {each["fencer"]: each["verdict"] for each in report["results"]}
    assert set(verdicts) == set(fencers.split(","))
    assert verdicts["fence_bmc"] == "PASS"
    assert not {"SKIP", "ERROR"} & set(verdicts.values()), "a fencer is missing in the image, or cannot run"


def test_it_does_not_run_as_root_and_can_write_where_it_stands(gate: str) -> None:
    result = run(gate, "-c", "id -u; pwd; touch x && echo writable", options=("--entrypoint", "sh"))
    assert result.stdout.split() == ["1000", "/work", "writable"], result.stderr


def test_it_is_the_command_and_hands_its_exit_code_on(gate: str) -> None:
    result = run(gate, "run", "--fencer", "nobody-knows-it", "--profile", "dmtf-generic")
    assert result.returncode == 2
    assert "nobody-knows-it" in result.stderr
