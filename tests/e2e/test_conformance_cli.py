"""fence-conformance as a user meets it: what it prints, what it writes, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from conformance.cli import main
from conformance.scenarios import ALL
from tests.commands import ROOT, quick_command
from tests.commands import command as installed

HONEST = str(ROOT / "tests" / "bad_fencers" / "honest.yaml")
MUTANT = (ROOT / "tests" / "bad_fencers" / "mutant.yaml").read_text()

pytestmark = pytest.mark.timeout(300)


def command(*arguments: str) -> list[str]:
    return [*quick_command("fence-conformance"), *arguments]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}


def cli(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, env=environment(), cwd=cwd, timeout=240)


def mutant(tmp_path: Path, name: str) -> str:
    """A fencer file of one defect, with the modules that it needs beside it."""
    for module in (ROOT / "tests" / "bad_fencers").glob("*.py"):
        (tmp_path / module.name).write_text(module.read_text())
    for module in (ROOT / "tests").glob("ipmi_*.py"):
        (tmp_path / module.name).write_text(module.read_text())
    file = tmp_path / "mine.yaml"
    file.write_text(MUTANT.replace("AlwaysFails", name))
    return str(file)


@pytest.mark.long
def test_the_finding_of_the_readme_is_what_is_printed() -> None:
    """But for times and ports, and where the page shortens a line ([...])."""

    def block(text: str) -> list[str]:
        lines = text.splitlines()
        begin = next(n for n, line in enumerate(lines) if line.startswith("STUCK  STATE-002"))
        end = next(n for n, line in enumerate(lines) if n > begin and line.startswith("  repeat "))
        return [re.sub(r"[+-][0-9]+[.][0-9]+ s|[+-][0-9]+[.][0-9]+", "TIME", line) for line in lines[begin : end + 1]]

    done = cli("run", "--fencer", "cloudstack-redfish", "--profile", "dell-idrac9", "--scenario", "STATE-002")
    shown, printed = block((ROOT / "README.md").read_text()), block(done.stdout)
    assert len(shown) == len(printed), "\n".join(printed)
    for line, real in zip(shown, printed, strict=True):
        beginning, _, _ = line.partition(" [...]")
        assert real == line or (beginning != line and real.startswith(beginning)), (line, real)


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


@pytest.mark.long
def test_the_repeat_line_repeats_the_verdict(tmp_path: Path) -> None:
    done = cli("run", "--fencer", mutant(tmp_path, "LastMember"), "--profile", "dell-idrac9", "--scenario", "ID-002")
    line = next(text for text in done.stdout.splitlines() if text.strip().startswith("repeat"))
    again = cli(*line.split("fence-conformance ", 1)[1].split())
    assert (done.returncode, again.returncode) == (3, 3)


def test_findings_that_are_not_unsafe_end_with_one(tmp_path: Path) -> None:
    file = mutant(tmp_path, "RefusedIsFailed")
    assert cli("run", "--fencer", file, "--profile", "dell-idrac9", "--scenario", "STATE-002").returncode == 1


@pytest.mark.long
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
        (("explain", "FENCE-99"), "there are FENCE-1 to"),
        (("run", "--fencer", HONEST, "--catalogue", "1999"), "no catalogue '1999'; there are: 2026.1"),
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


@pytest.mark.long
def test_bad_input_of_the_command_itself_is_no_traceback() -> None:
    words = [*installed("fence-conformance"), "run", "--fencer", "nope"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(), timeout=240)
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
    assert len(listed["scenarios"]) == len(ALL)
    assert {"fence_bmc", "fence_redfish", "fence_ipmilan", "ipmitool", "cloudstack-redfish", "conflict-is-off"} <= set(
        listed["fencers"]
    )
    assert "STATE-001" in cli("list").stdout
    explained = cli("explain", "state-007").stdout
    for part in ("FENCE-3", "KVM session", "[injected]", "never claims while the rail is up", "conflict-other"):
        assert part in explained
    assert listed["catalogues"] == ["2026.1"]
    words = cli("explain", "FENCE-2,G6", "stuck").stdout
    for part in ("FENCE-2  A fencer MUST confirm off", "G6  Only the power", "STUCK  The goal was reached"):
        assert part in words


@pytest.mark.long
def test_a_fencer_that_always_fails_ends_with_one_and_one_that_always_succeeds_with_three(tmp_path: Path) -> None:
    scenarios = "TRUTH-001,TIME-001,FAULT-008,STATE-001,STATE-009,IPMI-002"
    fails = cli("run", "--fencer", mutant(tmp_path, "AlwaysFails"), "--profile", "dell-idrac9", "--scenario", scenarios)
    assert fails.returncode == 1, fails.stdout
    assert "ERROR" not in fails.stdout
    assert "STUCK (NOT-TRIED)  TRUTH-001" in fails.stdout
    succeeds = cli("run", "--fencer", mutant(tmp_path, "AlwaysSucceeds"), "--profile", "dell-idrac9", "--scenario", scenarios)
    assert succeeds.returncode == 3, succeeds.stdout
    assert "ERROR" not in succeeds.stdout


def test_a_finding_says_what_to_do_and_what_explains_it(tmp_path: Path) -> None:
    done = cli("run", "--fencer", mutant(tmp_path, "RefusedIsFailed"), "--profile", "dell-idrac9", "--scenario", "STATE-002")
    for part in (
        "requirement FENCE-2 (L)",
        "seen        sent ForceOff at",
        "HTTP 409",
        "remedy      Read the state before",
        "explain",
    ):
        assert part in done.stdout, part
    assert "MUST NOT claim off" not in done.stdout


def test_a_waiver_that_has_expired_says_so_on_the_cell(tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("waivers: [{scenario: STATE-002, verdict: STUCK, reason: next year, expires: 2020-01-01}]\n")
    file = mutant(tmp_path, "RefusedIsFailed")
    done = cli("run", "--fencer", file, "--profile", "dell-idrac9", "--scenario", "STATE-002", "--waivers", str(waivers))
    assert done.returncode == 1
    assert "remark      not waived, because the waiver has expired on 2020-01-01: next year" in done.stdout


def test_ctrl_c_ends_every_fencer_and_leaves_whole_reports_that_say_so(tmp_path: Path) -> None:
    file, data, junit, page = mutant(tmp_path, "Spins"), tmp_path / "o.json", tmp_path / "o.xml", tmp_path / "o.html"
    arguments = command(
        "run", "--fencer", file, "--profile", "dmtf-generic", "--scenario", "STATE-016,STATE-019", "--json", str(data),
        "--junit", str(junit), "--html", str(page), "--evidence", str(tmp_path / "evidence"),
    )  # fmt: skip
    process = subprocess.Popen(
        arguments, env=environment(), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("STATE-019"), "the one that only answers questions ends first"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; every fencer has been ended, 1 cells were not run" in stderr
    assert "Traceback" not in stderr
    report = json.loads(data.read_text())
    assert (report["interrupted"], report["not_run"]) == (True, ["mutant x dmtf-generic STATE-016"])
    assert [r["scenario"] for r in report["results"]] == ["STATE-019"]
    assert report["summary"]["exit_code"] == 130
    assert Xml.parse(junit).getroot().find("testsuite[@name='interrupted']") is not None
    assert "was interrupted" in page.read_text()
