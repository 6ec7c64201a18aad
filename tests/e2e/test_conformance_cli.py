"""fence-conformance as a user meets it: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from conformance.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
HONEST = str(ROOT / "tests" / "bad_fencers" / "honest.yaml")
MUTANT = (ROOT / "tests" / "bad_fencers" / "mutant.yaml").read_text()

pytestmark = pytest.mark.timeout(300)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "conformance.cli", *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}


def cli(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, env=environment(), cwd=cwd, timeout=240)


def mutant(tmp_path: Path, name: str) -> str:
    """A fencer file of one defect, with the modules that it needs beside it."""
    for module in ("mutants.py", "honest.py"):
        (tmp_path / module).write_text((ROOT / "tests" / "bad_fencers" / module).read_text())
    file = tmp_path / "mine.yaml"
    file.write_text(MUTANT.replace("AlwaysFails", name))
    return str(file)


def test_a_fencer_that_passes_ends_with_zero_and_a_line_for_grep(tmp_path: Path) -> None:
    report, junit, page = tmp_path / "new" / "o.json", tmp_path / "o.xml", tmp_path / "o.html"
    done = cli(
        "run", "--fencer", HONEST, "--profile", "dell-idrac9", "--scenario", "STATE-001,ID-002", "--json", str(report),
        "--junit", str(junit), "--html", str(page),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("honest x dell-idrac9: 2 run, 2 pass, 0 UNSAFE")
    results = json.loads(report.read_text())["results"]
    assert [(r["scenario"], r["profile"], r["verdict"]) for r in results] == [
        ("STATE-001", "dell-idrac9", "PASS"),
        ("ID-002", "dell-idrac9", "PASS"),
    ]
    assert Xml.parse(junit).getroot().find("testsuite") is not None
    assert "<table" in page.read_text()


def test_an_unsafe_fencer_ends_with_three_and_tells_everything(tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    file = mutant(tmp_path, "ClaimOn2xx")
    done = cli("run", "--fencer", file, "--profile", "dell-idrac9", "--scenario", "TRUTH-001", "--evidence", str(evidence))
    assert done.returncode == 3
    for part in (
        "UNSAFE (FALSE)", "requirement FENCE-1", "expected", "actual", "because", "ComputerSystem.Reset", "power.ignore acts",
        f"repeat      fence-conformance run --fencer {file} --profile dell-idrac9 --scenario TRUTH-001",
    ):  # fmt: skip
        assert part in done.stdout, part
    folder = next(evidence.iterdir())
    journal = (folder / "journal.jsonl").read_text()
    assert json.loads(journal.splitlines()[0])["kind"] == "rack"
    assert "Zq7-" not in journal + (folder / "said.txt").read_text()


def test_the_repeat_line_repeats_the_verdict(tmp_path: Path) -> None:
    done = cli("run", "--fencer", mutant(tmp_path, "LastMember"), "--profile", "dell-idrac9", "--scenario", "ID-002")
    line = next(text for text in done.stdout.splitlines() if text.strip().startswith("repeat"))
    again = cli(*line.split("fence-conformance ", 1)[1].split())
    assert (done.returncode, again.returncode) == (3, 3)


def test_findings_that_are_not_unsafe_end_with_one(tmp_path: Path) -> None:
    file = mutant(tmp_path, "RefusedIsFailed")
    assert cli("run", "--fencer", file, "--profile", "dell-idrac9", "--scenario", "STATE-002").returncode == 1


def test_json_on_standard_output_is_nothing_but_json() -> None:
    done = cli("run", "--fencer", HONEST, "--profile", "dmtf-generic", "--scenario", "STATE-001", "--json", "-")
    assert json.loads(done.stdout)["summary"]["exit_code"] == 0
    assert "honest x dmtf-generic" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--fencer", "nope"), "no fencer 'nope'"),
        (("run", "--fencer", "ipmitol"), "did you mean 'ipmitool'?"),
        (("run", "--fencer", "./none.yaml"), "cannot be read"),
        (("run", "--fencer", HONEST, "--profile", "dell-idrac"), "did you mean 'dell-idrac9'?"),
        (("run", "--fencer", HONEST, "--scenario", "STAT-001"), "did you mean STATE-001"),
        (("run", "--fencer", HONEST, "--json", "/proc/none/o.json"), "cannot write /proc/none/o.json"),
        (("run", "--fencer", HONEST, "--junit", "/proc"), "cannot write /proc: it is a directory"),
        (("run", "--fencer", HONEST, "--evidence", "/proc/none"), "cannot write /proc/none/finding"),
        (("run", "--fencer", HONEST, "--scenario", ","), "nothing to run"),
        (("run", "--fencer", HONEST, "--profile", ""), "nothing to run"),
        (("run", "--fencer", HONEST, "--tier", "7"), "--tier"),
        (("run",), "--fencer"),
        (("explode",), "explode"),
        (("explain", "NOPE-1"), "no scenario or group"),
        (("explain", "STATE"), "is a group"),
    ],
)
def test_bad_input_is_one_sentence_and_two(
    arguments: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In this process: fifteen starts of Python would take fifteen seconds."""
    monkeypatch.setattr(sys, "argv", ["fence-conformance", *arguments])
    monkeypatch.setattr(signal, "signal", lambda number, handler: None)  # the test's process keeps its own
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_bad_input_of_the_command_itself_is_no_traceback() -> None:
    done = cli("run", "--fencer", "nope")
    assert done.returncode == 2
    assert "no fencer 'nope'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_broken_fencer_file_is_named_by_place(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("fencer: mine\nadapter: fence-agent\ncommand: [x]\nparams: {ip: '{bmc.hots}', port: '{bmc.port}'}\n")
    done = cli("run", "--fencer", str(file))
    assert done.returncode == 2
    assert f"{file}:4:14: params.ip: no such placeholder {{bmc.hots}}" in done.stderr


def test_a_tool_that_is_not_there_ends_with_four(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("fencer: mine\nadapter: fence-agent\ncommand: [no-such-agent]\nparams: {url: '{bmc.url}'}\n")
    done = cli("run", "--fencer", str(file), "--profile", "dmtf-generic", "--scenario", "STATE-001")
    assert done.returncode == 4
    assert "no-such-agent is not installed" in done.stdout


def test_nothing_that_applies_ends_with_four() -> None:
    done = cli("run", "--fencer", HONEST, "--profile", "dmtf-generic", "--scenario", "AGENT-003")
    assert done.returncode == 4
    assert done.stdout.splitlines()[-1].endswith("1 N/A")


def test_list_and_explain_tell_what_there_is() -> None:
    listed = json.loads(cli("list", "--json").stdout)
    assert len(listed["scenarios"]) == 20
    assert {"fence_bmc", "fence_redfish", "fence_ipmilan", "ipmitool", "cloudstack-redfish", "conflict-is-off"} <= set(
        listed["fencers"]
    )
    assert "STATE-001" in cli("list").stdout
    explained = cli("explain", "state-007").stdout
    for part in ("FENCE-3", "KVM session", "[injected]", "never claims while the rail is up", "conflict-other"):
        assert part in explained


def test_ctrl_c_ends_every_fencer_and_says_so(tmp_path: Path) -> None:
    file = mutant(tmp_path, "Spins")
    arguments = command("run", "--fencer", file, "--profile", "dmtf-generic", "--scenario", "STATE-016")
    process = subprocess.Popen(
        arguments, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    children = Path(f"/proc/{process.pid}/task")
    until = time.monotonic() + 60
    while not any(path.read_text().strip() for path in children.glob("*/children")) and time.monotonic() < until:
        os.sched_yield()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped" in stderr
    assert "Traceback" not in stderr
