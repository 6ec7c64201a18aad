"""The pages that tools print from runs: they say what was measured, and how to measure it again."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from conformance import catalogues, fencers
from conformance.result import Result
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from profiles import load
from tools import print_cloudstack, print_scoreboard
from tools.print_scoreboard import ScoreCell

CELL = ScoreCell(
    fencer="ipmitool",
    profile="dell-idrac9",
    version="9.9",
    catalogue="2026.1",
    verdicts={"STATE-003": Verdict.STUCK, "IPMI-003": Verdict.UNSAFE, "TRUTH-001": Verdict.UNSAFE, "IPMI-002": Verdict.PASS},
    seconds=30.0,
    date="2026-11-28",
)


def test_a_row_counts_verdicts_and_findings_are_named() -> None:
    page = print_scoreboard.page([CELL], {})
    assert "| ipmitool | 1 | 2 |  | 1 |  |  |  |  |  |" in page
    assert "| ipmitool | dell-idrac9 | UNSAFE | IPMI-003, TRUTH-001 |" in page
    assert "| ipmitool | dell-idrac9 | STUCK | STATE-003 |" in page


def test_every_cell_has_the_command_that_runs_it_again() -> None:
    other = replace(CELL, profile="openbmc-x86", fencer="fence_bmc")
    page = print_scoreboard.page([CELL, other], {})
    for cell in (CELL, other):
        assert f"fence-conformance run --fencer {cell.fencer} --profile {cell.profile} --tier 0" in page


def test_our_own_failures_stand_there_like_any_other() -> None:
    page = print_scoreboard.page([replace(CELL, fencer="fence_bmc")], {})
    assert "| fence_bmc | dell-idrac9 | UNSAFE | IPMI-003, TRUTH-001 |" in page


def test_the_page_says_version_time_and_what_was_not_run_and_certifies_nothing() -> None:
    page = print_scoreboard.page([CELL, replace(CELL, profile="openbmc-x86")], {"redfishpower": "a | b"})
    assert "fencelab 9.9, catalogue 2026.1" in page
    assert "2 runs took 1 minutes in all" in page
    assert r"| redfishpower | a \| b |" in page
    assert "certified" not in page


def report(tmp_path: Path, **changed: object) -> Path:
    digests = {"fencer": fencers.load("ipmitool").digest, "profile": load("dell-idrac9").digest}
    one = {"fencer": "ipmitool", "profile": "dell-idrac9", "scenario": "STATE-003", "verdict": "STUCK", "digests": digests}
    results = [{**one, "informational": False}, {**one, "scenario": "TRUTH-015", "verdict": "UNSAFE", "informational": True}]
    whole = {
        "version": "9.9",
        "catalogue": catalogues.NEWEST.name,
        "interrupted": False,
        "results": results,
        "scoreboard": {"seconds": 3.0, "date": "2026-11-28"},
    }
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**whole, **changed}))
    return file


def test_informational_scenarios_do_not_count(tmp_path: Path) -> None:
    cell = print_scoreboard.read_report(report(tmp_path))
    assert cell is not None
    assert cell.verdicts == {"STATE-003": Verdict.STUCK}


def test_a_report_of_another_catalogue_or_of_other_files_is_none(tmp_path: Path) -> None:
    assert print_scoreboard.read_report(report(tmp_path, catalogue="1999")) is None
    results = json.loads(report(tmp_path).read_text())["results"]
    old = [{**result, "digests": {"fencer": "x", "profile": "y"}} for result in results]
    assert print_scoreboard.read_report(report(tmp_path, results=old)) is None
    assert print_scoreboard.read_report(report(tmp_path, interrupted=True)) is None
    assert print_scoreboard.read_report(tmp_path / "none.json") is None


def test_a_manager_is_not_in_the_table() -> None:
    assert "manager" in (print_scoreboard.lack_of("fence-ha") or "")


def test_the_page_of_the_repairs_tells_who_passes_on_which_profile() -> None:
    def results(profile: str, exact: Verdict) -> list[Result]:
        ids = (*print_cloudstack.OFF_AS_THE_VENDOR_DOES, "TRUTH-001")
        return [
            Result(
                fencer=f"cloudstack-{name}",
                fencer_digest="",
                profile=profile,
                profile_digest="",
                scenario=BY_ID[scenario],
                verdict=exact if name == "all-three-confirmed-exact" else Verdict.UNSAFE,
            )
            for name, _ in print_cloudstack.VARIANTS
            for scenario in ids
        ]

    page = print_cloudstack.page([*results("dell-idrac9", Verdict.PASS), *results("openbmc-x86", Verdict.UNSAFE)])
    assert (
        "**dell-idrac9**, nothing injected (PROFILE-001, PROFILE-002, PROFILE-003): passed by all-three-confirmed-exact." in page
    )
    assert "**openbmc-x86**, nothing injected (PROFILE-001, PROFILE-002, PROFILE-003): passed by nobody." in page
    assert "all-three is UNSAFE in PROFILE-001" in page
    assert "python -m tools.print_cloudstack" in page


def test_every_variant_is_a_fencer_file() -> None:
    folder = print_cloudstack.FOLDER
    assert {file.stem for file in folder.glob("*.yaml")} == {name for name, _ in print_cloudstack.VARIANTS}
    for name, _ in print_cloudstack.VARIANTS:
        assert fencers.load(str(folder / f"{name}.yaml")).name == f"cloudstack-{name}"
