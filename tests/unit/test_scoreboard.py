"""The pages that tools print from runs: they say what was measured, and how to measure it again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import catalogues, fencers
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from tools import print_scoreboard, scoreboard_page, scoreboard_vendors
from tools.print_scoreboard import Board, PlannedRun
from tools.scoreboard_data import NotMerged, ScoreCell, digests_of, joined, merged, read_cells, read_report, write_cells

CELL = ScoreCell(
    fencer="ipmitool",
    profile="dell-idrac9",
    version="9.9",
    catalogue=catalogues.NEWEST.name,
    digests=digests_of("ipmitool", "dell-idrac9"),
    verdicts={"STATE-003": Verdict.STUCK, "IPMI-003": Verdict.UNSAFE, "TRUTH-001": Verdict.UNSAFE, "IPMI-002": Verdict.PASS},
    met={},
    why={},
    seconds=30.0,
    date="2026-11-28",
)
SHOWN = tuple(CELL.verdicts)
OLD = replace(CELL, digests={"fencer": "x", "profile": "y"})


def test_a_row_counts_verdicts_and_findings_are_named() -> None:
    page = scoreboard_page.page([CELL], {})
    assert "| ipmitool | 1 | 2 |  | 1 |  |  |  |  |  |" in page
    assert "| ipmitool | dell-idrac9 | UNSAFE | IPMI-003, TRUTH-001 |" in page
    assert "| ipmitool | dell-idrac9 | STUCK | STATE-003 |" in page


def test_every_cell_has_the_command_that_runs_it_again() -> None:
    other = replace(CELL, profile="openbmc-x86", fencer="fence_bmc")
    page = scoreboard_page.page([CELL, other], {})
    for cell in (CELL, other):
        assert f"fence-conformance run --fencer {cell.fencer} --profile {cell.profile} --tier 0" in page


def test_our_own_failures_stand_there_like_any_other() -> None:
    page = scoreboard_page.page([replace(CELL, fencer="fence_bmc")], {})
    assert "| fence_bmc | dell-idrac9 | UNSAFE | IPMI-003, TRUTH-001 |" in page


def test_the_page_says_version_time_and_what_was_not_run_and_certifies_nothing() -> None:
    page = scoreboard_page.page([CELL, replace(CELL, profile="openbmc-x86")], {"redfishpower": "a | b"})
    assert f"fencelab 9.9, catalogue {catalogues.NEWEST.name}" in page
    assert "2 runs took 1 minutes in all" in page
    assert r"| redfishpower | a \| b |" in page
    assert "certified" not in page


def test_the_page_names_cells_whose_files_have_changed_since() -> None:
    assert "has changed since" not in scoreboard_page.page([CELL], {})
    assert "has changed since these were run: dell-idrac9 (ipmitool)." in scoreboard_page.page([OLD], {})
    assert "dell-idrac9 (ipmitool)." in scoreboard_page.page([replace(CELL, catalogue="1999")], {})
    both = scoreboard_page.page([OLD, replace(OLD, fencer="sushy"), CELL, replace(OLD, profile="openbmc-x86")], {})
    assert "were run: dell-idrac9 (ipmitool, sushy); openbmc-x86 (ipmitool)." in both
    both = scoreboard_page.page([OLD, replace(OLD, fencer="sushy"), replace(OLD, profile="openbmc-x86")], {})
    assert "were run: dell-idrac9; openbmc-x86 (ipmitool)." in both
    assert "dell-idrac9 (gone)." in scoreboard_page.page([replace(CELL, fencer="gone")], {})


def test_the_page_says_why_nothing_was_tested() -> None:
    assert "ERROR and FLAKY" not in scoreboard_page.page([CELL], {})
    failed = replace(CELL, verdicts={**CELL.verdicts, "IPMI-003": Verdict.ERROR}, why={"IPMI-003": "never met: a | b"})
    assert r"| ipmitool | dell-idrac9 | IPMI-003 | ERROR | never met: a \| b |" in scoreboard_page.page([failed], {})


def test_the_reason_of_an_error_is_kept_without_ports(tmp_path: Path) -> None:
    why = "cannot listen on 127.0.0.1:4711"
    file = report(tmp_path, [result("IPMI-003", "ERROR", why=why), result("STATE-003", "UNSAFE")])
    assert read_report(file, detailed=False)[0].why == {"IPMI-003": "cannot listen on 127.0.0.1"}


@pytest.mark.long
def test_a_verdict_of_a_busy_machine_is_told_and_run_again(tmp_path: Path) -> None:
    late = result("IPMI-003", "STUCK", remarks=["the machine was late in every run, by up to 9.0 s: run it again"])
    once = result("STATE-003", "STUCK", remarks=["not counted: 1 run in which the machine was late, by up to 9.0 s"])
    (cell,) = read_report(report(tmp_path, [late, once, result("IPMI-002", "PASS")]), detailed=False)
    assert cell.late == ("IPMI-003",)
    assert "| ipmitool | dell-idrac9 | IPMI-003 |" in scoreboard_page.page([cell], {})
    assert "busy machine" not in scoreboard_page.page([CELL], {}).lower()
    whole = replace(board(), scenarios=tuple(cell.verdicts))
    (run,) = print_scoreboard.doubtful(whole, {cell.key: cell}, ["ipmitool"], ["dell-idrac9"])
    assert run.scenarios == ("IPMI-003",)
    settled = replace(cell, verdicts={"IPMI-003": Verdict.PASS}, late=())
    assert merged({cell.key: cell}, settled, whole.scenarios)[cell.key].late == ()
    assert "Scenarios by fencer: sushy 1." in scoreboard_vendors.page(
        [vendor_cell("hpe-ilo5", Verdict.STUCK, "", late=("PROFILE-001",))]
    )
    assert "busy machine" not in scoreboard_vendors.page(VENDORS)


def test_the_page_says_which_answers_were_assumed() -> None:
    assert "assumed" not in scoreboard_page.page([CELL], {})
    assert "| ipmitool | dell-idrac9 | IPMI-002, STATE-003 |" in scoreboard_page.page(
        [replace(CELL, assumed=("STATE-003", "IPMI-002"))], {}
    )


def result(scenario: str, verdict: str, **changed: object) -> dict[str, object]:
    """One of `results` in a JSON report."""
    return {
        "fencer": "ipmitool",
        "profile": "dell-idrac9",
        "scenario": scenario,
        "verdict": verdict,
        "why": "" if verdict == "PASS" else "claimed off while the rail was up",
        "informational": False,
        "assumed_cells": 0,
        "power_cells": [],
        "timings": {"seconds": 2.0},
        "digests": dict(digests_of("ipmitool", "dell-idrac9")),
        **changed,
    }


def report(tmp_path: Path, results: Sequence[Mapping[str, object]], **changed: object) -> Path:
    whole = {
        "schema": "fencelab.conformance/1",
        "version": "9.9",
        "catalogue": catalogues.NEWEST.name,
        "started": "2026-11-28T10:00:00+00:00",
        "seconds": 3.0,
        "interrupted": False,
        "results": results,
    }
    file = tmp_path / "report.json"
    file.write_text(json.dumps({**whole, **changed}))
    return file


def test_informational_scenarios_do_not_count(tmp_path: Path) -> None:
    file = report(tmp_path, [result("STATE-003", "STUCK"), result("TRUTH-015", "UNSAFE", informational=True)])
    (cell,) = read_report(file, detailed=False)
    assert cell.verdicts == {"STATE-003": Verdict.STUCK}
    assert (cell.seconds, cell.date, cell.current) == (3.0, "2026-11-28", True)


def test_a_report_of_several_profiles_is_several_cells_that_share_its_time(tmp_path: Path) -> None:
    longer = result("STATE-003", "PASS", profile="openbmc-x86", timings={"seconds": 4.0})
    cells = read_report(report(tmp_path, [result("STATE-003", "PASS"), longer]), detailed=False)
    assert [(cell.profile, cell.seconds) for cell in cells] == [("dell-idrac9", 1.0), ("openbmc-x86", 2.0)]


def test_the_cells_of_the_power_table_are_told_where_a_board_shows_them(tmp_path: Path) -> None:
    met = [
        {"via": "redfish", "row": "Off", "reset": "ForceOff", "code": 409, "effect": "none", "assumed": False},
        {"via": "ipmi", "row": "On", "reset": "ForceOff", "code": 0xD5, "effect": "power_off", "assumed": True},
    ]
    file = report(tmp_path, [result("STATE-003", "UNSAFE", power_cells=[*met, met[0]], assumed_cells=1)])
    (cell,) = read_report(file, detailed=True)
    assert cell.met["STATE-003"] == ("Off + ForceOff: 409, nothing happens; On + ForceOff: 0xD5, power off (assumed)")
    assert cell.why["STATE-003"] == "claimed off while the rail was up"
    assert cell.assumed == ("STATE-003",)
    assert not read_report(file, detailed=False)[0].met


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": "other/1"}'])
def test_what_is_no_report_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(text)
    with pytest.raises(NotMerged, match=r"wrong\.json is no report"):
        read_report(file, detailed=False)


def test_a_run_that_was_stopped_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotMerged, match="was stopped"):
        read_report(report(tmp_path, [result("STATE-003", "PASS")], interrupted=True), detailed=False)


def test_the_file_gives_back_what_was_written_one_line_for_each_cell(tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    other = replace(CELL, profile="openbmc-x86", assumed=("IPMI-003",), met={"IPMI-003": "a"}, why={"IPMI-003": "b"})
    write_cells(file, [other, CELL])
    assert read_cells(file) == {CELL.key: CELL, other.key: other}
    assert [line.count('"fencer": "ipmitool"') for line in file.read_text().splitlines()] == [0, 1, 1, 0]
    assert read_cells(tmp_path / "none.json") == {}


@pytest.mark.parametrize("text", ["{", '{"form": "fencelab.scoreboard/2", "cells": []}', '{"form": "fencelab.scoreboard/1"}'])
def test_a_file_that_is_no_scoreboard_is_refused_with_its_name(tmp_path: Path, text: str) -> None:
    file = tmp_path / "board.json"
    file.write_text(text)
    with pytest.raises(NotMerged, match=r"board\.json is no scoreboard"):
        read_cells(file)


def test_a_whole_run_replaces_its_cell_and_no_other() -> None:
    other = replace(CELL, profile="openbmc-x86")
    new = replace(CELL, verdicts=dict.fromkeys(SHOWN, Verdict.PASS))
    assert merged({CELL.key: CELL, other.key: other}, new, SHOWN) == {CELL.key: new, other.key: other}
    assert merged({}, new, SHOWN) == {CELL.key: new}
    assert merged({CELL.key: OLD}, new, SHOWN) == {CELL.key: new}


def test_a_run_of_some_scenarios_replaces_these() -> None:
    old = replace(CELL, assumed=("STATE-003", "IPMI-003"), met={"STATE-003": "a", "IPMI-003": "b"}, why={"STATE-003": "c"})
    new = replace(CELL, verdicts={"STATE-003": Verdict.PASS}, date="2026-11-29", seconds=1.0)
    cell = merged({CELL.key: old}, new, SHOWN)[CELL.key]
    assert cell == replace(
        CELL,
        verdicts={**CELL.verdicts, "STATE-003": Verdict.PASS},
        date="2026-11-29",
        assumed=("IPMI-003",),
        met={"IPMI-003": "b"},
    )


def test_shards_of_a_run_are_one_cell() -> None:
    one = replace(CELL, verdicts={"STATE-003": Verdict.STUCK, "IPMI-003": Verdict.UNSAFE}, seconds=10.0)
    two = replace(CELL, verdicts={"TRUTH-001": Verdict.UNSAFE, "IPMI-002": Verdict.PASS}, seconds=20.0)
    assert joined([one, two]) == (CELL,)
    other = replace(two, profile="openbmc-x86")
    assert joined([one, other]) == (one, other)
    assert joined([replace(one, digests={}), two]) == (two,)


def test_a_run_that_does_not_fit_is_refused() -> None:
    some = replace(CELL, verdicts={"STATE-003": Verdict.PASS})
    for known, new, why in (
        ({}, OLD, "another catalogue, fencer file or profile"),
        ({}, replace(CELL, catalogue="1999"), "another catalogue"),
        ({}, replace(CELL, verdicts={**CELL.verdicts, "STATE-019": Verdict.PASS}), "STATE-019"),
        ({}, some, "lacks 3 of 4"),
        ({CELL.key: OLD}, some, "lacks 3 of 4"),
    ):
        with pytest.raises(NotMerged, match=why):
            merged(known, new, SHOWN)


def board(*, at_once: bool = False) -> Board:
    return replace(print_scoreboard.boards()[0], scenarios=SHOWN, at_once=at_once)


@pytest.mark.long
def test_a_cell_that_is_current_is_not_run_again() -> None:
    profiles = ("dell-idrac9", "openbmc-x86", "dmtf-generic")
    cells = {CELL.key: CELL, ("ipmitool", "openbmc-x86"): replace(OLD, profile="openbmc-x86")}
    runs = list(print_scoreboard.planned(board(), cells, ["ipmitool"], profiles))
    assert runs == [PlannedRun("ipmitool", ("openbmc-x86",)), PlannedRun("ipmitool", ("dmtf-generic",))]
    runs = list(print_scoreboard.planned(board(at_once=True), cells, ["ipmitool"], profiles))
    assert runs == [PlannedRun("ipmitool", ("openbmc-x86", "dmtf-generic"))]
    assert len(list(print_scoreboard.planned(board(), cells, ["ipmitool"], profiles, fresh=True))) == len(profiles)
    whole = {
        ("ipmitool", profile): replace(CELL, profile=profile, digests=digests_of("ipmitool", profile)) for profile in profiles
    }
    assert not list(print_scoreboard.planned(board(at_once=True), whole, ["ipmitool"], profiles))


@pytest.mark.long
def test_a_cell_that_lacks_a_scenario_of_the_board_is_run_again() -> None:
    wider = replace(board(), scenarios=(*SHOWN, "STATE-019"))
    assert list(print_scoreboard.planned(wider, {CELL.key: CELL}, ["ipmitool"], ["dell-idrac9"]))


@pytest.mark.long
def test_what_may_be_due_to_a_busy_machine_is_run_again_alone() -> None:
    shaky = replace(CELL, verdicts={**CELL.verdicts, "IPMI-003": Verdict.FLAKY, "IPMI-002": Verdict.ERROR})
    runs = list(print_scoreboard.doubtful(board(), {CELL.key: shaky}, ["ipmitool"], ["dell-idrac9"]))
    assert runs == [PlannedRun("ipmitool", ("dell-idrac9",), ("IPMI-002", "IPMI-003"))]
    words = " ".join(print_scoreboard.words_of(board(), runs[0]))
    assert words == "run --fencer ipmitool --profile dell-idrac9 --scenario IPMI-002,IPMI-003 --jobs 1"
    assert not list(print_scoreboard.doubtful(board(), {CELL.key: CELL}, ["ipmitool"], ["dell-idrac9"]))
    assert not list(print_scoreboard.doubtful(board(), {CELL.key: shaky}, ["sushy"], ["dell-idrac9"]))


def test_the_command_on_the_page_is_the_one_that_is_run() -> None:
    run = PlannedRun("ipmitool", ("dell-idrac9",))
    said = " ".join(("fence-conformance", *print_scoreboard.words_of(print_scoreboard.boards()[0], run)))
    assert said == scoreboard_page.command_of("ipmitool", "dell-idrac9")


def test_named_runs_are_kept_beside_what_is_in_the_file(tmp_path: Path) -> None:
    kept = replace(board(), data=tmp_path / "board.json")
    other = replace(CELL, profile="openbmc-x86", digests=digests_of("ipmitool", "openbmc-x86"))
    print_scoreboard.keep(kept, [CELL])
    print_scoreboard.keep(kept, [other])
    assert set(read_cells(kept.data)) == {CELL.key, other.key}
    assert print_scoreboard.ordered(kept, read_cells(kept.data)) == [CELL, other]


def test_a_manager_is_not_in_the_table() -> None:
    assert "manager" in (print_scoreboard.lack_of("fence-ha") or "")


@pytest.mark.parametrize("number", [0, 1])
def test_the_committed_pages_are_those_of_the_committed_data(number: int) -> None:
    shipped = print_scoreboard.boards()[number]
    cells = read_cells(shipped.data)
    assert cells
    shown = shipped.page.read_text(encoding="utf-8")
    for cell in print_scoreboard.ordered(shipped, cells):
        assert set(cell.verdicts) <= set(shipped.scenarios)
        assert cell.fencer in shown
        assert cell.profile in shown
    assert all(
        verdict in (Verdict.PASS, Verdict.NA)
        for cell in cells.values()
        if cell.fencer == "fence_bmc"
        for verdict in cell.verdicts.values()
    )


def vendor_cell(profile: str, verdict: Verdict, met: str, **changed: object) -> ScoreCell:
    values = {
        "fencer": "sushy",
        "profile": profile,
        "digests": digests_of("sushy", profile),
        "verdicts": {
            **dict.fromkeys(scoreboard_vendors.SCENARIOS, Verdict.NA),
            "PROFILE-001": verdict,
            "PROFILE-002": Verdict.PASS,
        },
        "met": {"PROFILE-001": met},
        **changed,
    }
    return replace(CELL, **values)  # type: ignore[arg-type]


NOTHING, REFUSED = "Off + ForceOff: 204, nothing happens", "Off + ForceOff: 409, nothing happens"
VENDORS = (
    vendor_cell("ami-megarac", Verdict.PASS, NOTHING),
    vendor_cell("cisco-cimc", Verdict.PASS, NOTHING, assumed=("PROFILE-001",)),
    vendor_cell("dell-idrac9", Verdict.STUCK, REFUSED, why={"PROFILE-001": "failed although the host was off"}),
    vendor_cell("hpe-ilo5", Verdict.UNSAFE, f"{NOTHING} (assumed)", assumed=("PROFILE-001",)),
    vendor_cell("hpe-ilo6", Verdict.NA, "", verdicts=dict.fromkeys(scoreboard_vendors.SCENARIOS, Verdict.NA)),
)


def test_the_vendors_page_has_a_mark_for_each_fencer_on_each_profile() -> None:
    lines = scoreboard_vendors.page(VENDORS, ["sushy", "fence_bmc"]).splitlines()
    for row in (
        "| [ami-megarac](profiles/ami-megarac.md) | 2/2 | not run |",
        "| [cisco-cimc](profiles/cisco-cimc.md) | 2/2 *assumed* | not run |",
        "| [dell-idrac9](profiles/dell-idrac9.md) | 1/2 STUCK | not run |",
        "| [hpe-ilo6](profiles/hpe-ilo6.md) |  | not run |",
        "| PROFILE-001 | 2/4 |  |",
        "| PROFILE-002 | 4/4 |  |",
    ):
        assert row in lines


def test_the_vendors_page_says_where_they_differ_and_which_cell_does_it() -> None:
    page = scoreboard_vendors.page(VENDORS, ["sushy"])
    title = BY_ID["PROFILE-001"].title
    assert f"- **PROFILE-001** {title}: PASS on 2 of 4. {NOTHING} (2)." in page
    assert f"  - STUCK on dell-idrac9: {REFUSED}. Found: failed although the host was off" in page
    assert f"  - UNSAFE on hpe-ilo5 (*assumed*): {NOTHING}. The answers are those of vendors that come out otherwise" in page
    assert "**PROFILE-002**" not in page
    assert "certified" not in page


def test_the_vendors_page_tells_what_of_a_profile_is_not_in_its_answers() -> None:
    off, redirected = "On + ForceOff: 204, force off", replace(VENDORS[2], profile="hpe-ilo4", met={})
    early = vendor_cell("openbmc-x86", Verdict.UNSAFE, off)
    page = scoreboard_vendors.page([vendor_cell("ami-megarac", Verdict.PASS, off), early, redirected], ["sushy"])
    assert "  - STUCK on hpe-ilo4: no power command. A path without a slash at its end is answered with 308." in page
    assert (
        f"  - UNSAFE on openbmc-x86: {off}. The answers are those of vendors that come out otherwise; here force off is" in page
    )
    assert "System says Off" in page


def test_where_all_vendors_are_alike_the_page_says_so() -> None:
    assert "The same verdict on every vendor" in scoreboard_vendors.page(VENDORS[:2], ["sushy"])


def test_the_vendors_page_takes_every_bmc_and_scenarios_that_count() -> None:
    assert "pdu-generic" not in scoreboard_vendors.profiles()
    assert {"dell-idrac9", "ipmi-only"} <= set(scoreboard_vendors.profiles())
    assert set(scoreboard_vendors.FENCERS) <= set(fencers.names())
    for scenario in scoreboard_vendors.SCENARIOS:
        assert not catalogues.is_informational(BY_ID[scenario], catalogues.NEWEST)
