"""Scenario files as a user meets them: lint, run, print, schema."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from conformance.cli import main
from tests.e2e.test_conformance_cli import HONEST, MUTANT, ROOT, cli
from tests.unit.test_scenario_files import EXAMPLE

pytestmark = pytest.mark.timeout(300)


def mutant(tmp_path: Path, name: str) -> str:
    """A fencer file of one defect, with all modules of the bad fencers beside it."""
    for module in (*(ROOT / "tests" / "bad_fencers").glob("*.py"), *(ROOT / "tests").glob("ipmi_*.py")):
        (tmp_path / module.name).write_text(module.read_text())
    file = tmp_path / "mine.yaml"
    file.write_text(MUTANT.replace("AlwaysFails", name))
    return str(file)


def written(tmp_path: Path, text: str = EXAMPLE) -> str:
    file = tmp_path / "acme-001.yaml"
    file.write_text(text)
    return str(file)


@pytest.mark.long
def test_the_example_of_the_page_passes_an_honest_fencer_and_finds_a_mutant(tmp_path: Path) -> None:
    file, report = written(tmp_path), tmp_path / "o.json"
    asked = ("--profile", "dell-idrac9", "--scenario-file", file)
    honest = cli("run", "--fencer", HONEST, *asked, "--json", str(report))
    assert honest.returncode == 0, honest.stdout + honest.stderr
    results = json.loads(report.read_text())["results"]
    assert [(each["scenario"], each["verdict"]) for each in results] == [("ACME-001", "PASS")], "only the file is run"

    wrong = cli("run", "--fencer", mutant(tmp_path, "ConflictIsOff"), *asked)
    assert wrong.returncode == 3, wrong.stdout + wrong.stderr
    line = next(text for text in wrong.stdout.splitlines() if text.strip().startswith("repeat"))
    assert f"--scenario-file {file}" in line
    again = cli(*shlex.split(line.split("fence-conformance ", 1)[1]))
    assert again.returncode == 3


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    monkeypatch.setattr("sys.argv", ["fence-conformance", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_lint_names_every_mistake_and_ends_with_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path)
    assert ended(monkeypatch, "scenario", "lint", file) == 0
    assert capsys.readouterr().out == "ACME-001: right\n"
    file = written(tmp_path, EXAMPLE.replace("never-claims", "never-claim").replace("tier: 1", "tier: one"))
    assert ended(monkeypatch, "scenario", "lint", file) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == f"{file}:3:7: tier: must be a whole number from 0 to 2, not 'one'"
    assert lines[1].startswith(f"{file}:18:9: asks[0].expect[0]: no expectation is called 'never-claim'; did you mean")
    assert ended(monkeypatch, "run", "--fencer", HONEST, "--scenario-file", file) == 2
    assert "tier: must be a whole number" in capsys.readouterr().err


def test_what_is_printed_can_be_linted_and_two_are_two_documents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended(monkeypatch, "explain", "STATE-007", "--yaml") == 0
    assert ended(monkeypatch, "scenario", "lint", written(tmp_path, capsys.readouterr().out)) == 0
    assert ended(monkeypatch, "explain", "STATE-001,STATE-002", "--yaml") == 0
    assert capsys.readouterr().out.count("---\nschema: scenario/1") == 1
    assert ended(monkeypatch, "explain", "FENCE-2", "--yaml") == 2
    assert "no scenario or group 'FENCE-2'" in capsys.readouterr().err


def test_the_schema_is_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended(monkeypatch, "schema", "scenario") == 0
    assert json.loads(capsys.readouterr().out)["$id"] == "scenario/1"


def test_a_waiver_may_name_a_scenario_of_a_file_that_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("waivers: [{scenario: ACME-001, verdict: STUCK, reason: r, expires: soon}]\n")
    asked = ("run", "--fencer", HONEST, "--waivers", str(waivers))
    assert ended(monkeypatch, *asked, "--scenario-file", written(tmp_path)) == 2
    assert "no such scenario" not in capsys.readouterr().err
    assert ended(monkeypatch, *asked) == 2
    assert "no such scenario" in capsys.readouterr().err
