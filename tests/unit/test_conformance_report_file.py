"""Reports of earlier runs are read as they were written, and a file that is none is refused in one sentence with its name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.report import model
from conformance.report_file import ReportUnreadable, read_cells, read_report
from conformance.result import counts
from conformance.vocabulary import Verdict
from tests.unit.test_conformance_reports import finished, result

RESULTS = (result(Verdict.PASS), result(Verdict.UNSAFE, "TRUTH-001"), result(Verdict.NA, "IPMI-001"))


def written(tmp_path: Path, **changes: object) -> Path:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**model.report(finished(*RESULTS)), **changes}))
    return file


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    read = read_report(written(tmp_path))
    assert [(*cell.name, cell.verdict) for cell in read.results] == [
        (r.fencer, r.profile, r.scenario.id, r.verdict) for r in RESULTS
    ]
    assert set(map(str, read.cells)) == {f"mine x dell-idrac9 {r.scenario.id}" for r in RESULTS}


def test_a_run_is_made_of_it_that_report_formats_take(tmp_path: Path) -> None:
    run = read_report(written(tmp_path)).finished()
    assert (run.exit_code, run.catalogue, run.version) == (3, "2026.1", "1.0")
    assert counts(run.results) == counts(RESULTS)
    assert model.last_line(run.results) == model.last_line(RESULTS)


def test_a_scenario_that_this_suite_does_not_have_is_taken_from_the_report(tmp_path: Path) -> None:
    data = model.report(finished(*RESULTS))
    results = data["results"]
    assert isinstance(results, list)
    assert isinstance(results[0], dict)
    results[0] |= {"scenario": "ACME-1", "title": "theirs", "requirement": {"id": "ACME-9", "sentence": "MUST", "source": "us"}}
    file = tmp_path / "report.json"
    file.write_text(json.dumps(data))
    scenario = read_report(file).finished().results[0].scenario
    assert (scenario.id, scenario.title, scenario.requirement.sentence) == ("ACME-1", "theirs", "MUST")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("[" * 200_000, "is not JSON"),
        ("[]", "it names no schema"),
        ("{}", "it names no schema"),
        ('{"schema": "fencelab.conformance/9"}', "it says 'fencelab.conformance/9'"),
        ('{"schema": "fencelab.conformance/1"}', "version: Field required (and 7 more)"),
    ],
)
def test_a_file_that_is_no_report_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(ReportUnreadable) as raised:
        read_report(file)
    assert said in str(raised.value)
    assert str(file) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("changes", [{"results": 3}, {"results": [{"scenario": "STATE-001"}]}, {"seed": "many"}])
def test_a_report_that_is_not_whole_is_named_by_place(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(ReportUnreadable, match=next(iter(changes))):
        read_report(written(tmp_path, **changes))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReportUnreadable, match=r"cannot read .*none\.json: No such file"):
        read_report(tmp_path / "none.json")
    with pytest.raises(ReportUnreadable, match=r"cannot read .*: Is a directory"):
        read_report(tmp_path)
    with pytest.raises(ReportUnreadable, match="cannot read"):
        read_cells(tmp_path / "none.json")


def test_cells_of_evidence_are_a_list(tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text(json.dumps([model.cell(RESULTS[1])]))
    assert [str(cell.name) for cell in read_cells(file)] == ["mine x dell-idrac9 TRUTH-001"]
    file.write_text("{}")
    with pytest.raises(ReportUnreadable, match="valid array"):
        read_cells(file)
