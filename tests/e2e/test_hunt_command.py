"""`fence-conformance hunt` as a user meets it: what it prints and writes, how it goes on, how it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import ROOT
from tests.e2e.test_conformance_cli import cli

CLOUDSTACK = ROOT / "examples" / "cloudstack"
WRONG = ("--fencer", str(CLOUDSTACK / "conflict-then-read.yaml"), "--profile", "dell-idrac9")
SHORT = ("--start", "on", "--budget", "1", "--depth", "2", "--jobs", "2")
CAREFUL = str(ROOT / "tests" / "bad_fencers" / "honest-transport.yaml")

pytestmark = [pytest.mark.long, pytest.mark.timeout(300), pytest.mark.xdist_group("hunt-command")]


def refused(*arguments: str, code: int = 2) -> str:
    """The one sentence that a hunt ends with."""
    done = cli("hunt", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hunt")
    done = cli("hunt", *WRONG, *SHORT, "--out", str(folder / "out"), "--state", str(folder / "state"))
    (folder / "said").write_text(done.stdout)
    assert done.returncode == 3, done.stdout + done.stderr
    return folder


def test_a_find_is_told_with_its_replays_and_the_last_line_says_how_far_it_came(found: Path) -> None:
    lines = (found / "said").read_text().splitlines()
    assert any(line.startswith("UNSAFE EARLY  HUNT-") for line in lines)
    assert "    played again: 3 of 3 the same" in lines
    assert lines[-2].startswith("safety radius: no deviation (off over redfish, host on")
    assert lines[-1].startswith("hunt  ")
    assert "without a deviation: all 1; cost 1: all " in lines[-1]


def test_the_written_scenario_comes_out_the_same_ten_times_of_ten(found: Path) -> None:
    files = sorted((found / "out").glob("HUNT-*.yaml"))
    assert files
    done = cli("run", *WRONG, "--scenario-file", str(files[0]), "--repeat", "10")
    assert done.returncode in (1, 3)
    assert "the same in 10 of 10 repeats" in done.stdout


def test_picture_result_and_evidence_are_written(found: Path) -> None:
    names = {path.name for path in (found / "out").iterdir()}
    assert {"picture-redfish.svg", "picture-redfish.mmd", "hunt.json"} <= names
    result = json.loads((found / "out" / "hunt.json").read_text())
    assert result["format"] == "hunt/1"
    assert result["finished"] is True
    assert {f"{find['scenario']}.svg" for find in result["finds"]} <= names


def test_a_hunt_goes_on_from_its_state_and_plays_nothing_twice(found: Path) -> None:
    before = json.loads((found / "state").read_text())
    done = cli("hunt", *WRONG, *SHORT, "--state", str(found / "state"))
    assert done.returncode == 3
    assert "first UNSAFE" not in done.stderr, "it was known, and not played"
    after = json.loads((found / "state").read_text())
    assert sorted(str(run[0]) for run in after["runs"]) == sorted(str(run[0]) for run in before["runs"])
    assert "is of another fencer" in refused("--fencer", CAREFUL, "--profile", "dell-idrac9", "--state", str(found / "state"))
    assert "is of another seed" in refused(*WRONG, "--seed", "9", "--state", str(found / "state"))


def test_a_careful_fencer_ends_with_zero_and_the_radius_says_what_was_tried() -> None:
    done = cli("hunt", "--fencer", CAREFUL, "--profile", "dell-idrac9", "--start", "on", "--budget", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-2] == "safety radius: none up to 0 within the first 12 requests: 2 runs, all combinations"


def test_two_hunts_are_compared(found: Path, tmp_path: Path) -> None:
    new = found / "out" / "hunt.json"
    told = json.loads(new.read_text())
    old = tmp_path / "old.json"
    old.write_text(json.dumps({**told, "finds": [], "runs": told["runs"][:1]}))
    worse = cli("hunt", "--diff", str(old), str(new))
    assert worse.returncode == 1
    assert any(line.startswith("+    UNSAFE EARLY") for line in worse.stdout.splitlines())
    assert cli("hunt", "--diff", str(new), str(old)).returncode == 0
    assert cli("hunt", "--diff", str(new), str(new)).stdout.splitlines()[-1].strip() == "nothing has changed"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--fencer and --profile say whom to hunt"),
        ((*WRONG, "--ask", "onn"), "--ask: there is no 'onn'; there are: off, reboot"),
        ((*WRONG, "--start", ""), "--start: nothing is named"),
        ((*WRONG, "--out", ""), "--out: nothing is named"),
        ((*WRONG, "--state", ""), "--state: nothing is named"),
        ((*WRONG, "--state", "/dev/zero"), "/dev/zero is not the result of a hunt: it is a device"),
        ((*WRONG, "--time", "nan"), "--time: nan is no number of seconds"),
        (("--fencer", "ipmitool,fence_bmc", "--profile", "dell-idrac9"), "one fencer and one profile"),
        (("--fencer", "nobody", "--profile", "dell-idrac9"), "nobody"),
        (("--diff", "nowhere.json", "nowhere.json"), "nowhere.json cannot be read"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    assert words in refused(*arguments)


def test_what_cannot_be_searched_is_said() -> None:
    sentence = refused("--fencer", "ipmitool", "--profile", "dell-idrac9", "--start", "two", code=4)
    assert "nothing to search" in sentence
