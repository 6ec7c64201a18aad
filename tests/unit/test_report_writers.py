"""SARIF, TAP, Markdown, annotations and badge: what other programs make of a run."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
import yaml

from conformance import catalogues, fencers
from conformance.catalogues import CatalogueLevel
from conformance.finding import Finding
from conformance.report import badge, github, junit, markdown, sarif, tap
from conformance.report.badge import BADGE
from conformance.report.report import FinishedRun
from conformance.report.text_width import width_px
from conformance.result import Result
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Verdict
from tests.formats import check_junit, check_sarif
from tests.report_samples import finished, many, sample

ONE = BY_ID["STATE-001"]
EVERY = tuple(sample(scenario, "mine", "dell-idrac9", verdict) for scenario, verdict in zip(ALL, Verdict, strict=False))
HOSTILE = "\x00\x1b[31m ]]> <&\ud800 ::error::x # TODO\n...\n1..0 | `a` @all \u2028 %0A"


def fencer_file(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    file = tmp_path / "ci" / "my agent.yaml"
    file.parent.mkdir()
    file.write_text("# mine\n\nfencer: mine\n", encoding="utf-8")
    return file


def hostile() -> Result:
    """A finding whose every free text is out to break the format."""
    worst = sample(ONE, "mine", "dell-idrac9", Verdict.STUCK)
    finding = Finding(
        verdict=Verdict.STUCK, rule="L", requirement=ONE.requirement, expected="e", actual=HOSTILE, ask=0, remedy="r",
        seen=HOSTILE,
    )  # fmt: skip
    return sample(
        ONE, "mine", "dell-idrac9", Verdict.STUCK, why=HOSTILE, said=HOSTILE, findings=(finding,), stories=worst.stories[:1],
        fencer_file="/nowhere/<&%,: #\udce9\n::x.yaml", remarks=(HOSTILE,),
    )  # fmt: skip


# SARIF


def test_sarif_has_the_level_of_the_verdict_and_nothing_for_what_passes() -> None:
    run = check_sarif(sarif.to_sarif(finished(*EVERY)))
    levels = {r["properties"]["verdict"]: r["level"] for r in run["results"]}  # type: ignore[attr-defined]
    assert levels == {
        "UNSAFE": "error", "ERROR": "error", "HANG": "error", "STUCK": "error", "FLAKY": "error", "MISLEADING": "warning",
        "HYGIENE": "warning", "XPASS": "warning", "WAIVED": "note",
    }  # fmt: skip


def test_an_informational_finding_is_a_note_in_sarif() -> None:
    (only,) = check_sarif(sarif.to_sarif(finished(sample(ONE, "mine", "a", Verdict.UNSAFE, informational=True))))["results"]  # type: ignore[misc]
    assert only["level"] == "note"


def test_a_waived_finding_is_suppressed_with_its_reason() -> None:
    waived = sample(ONE, "mine", "a", Verdict.WAIVED, why="STUCK waived until 2027-01-31: known")
    (only,) = check_sarif(sarif.to_sarif(finished(waived)))["results"]  # type: ignore[misc]
    assert only["suppressions"] == [{"kind": "external", "status": "accepted", "justification": waived.why}]


def test_a_rule_of_sarif_explains_the_scenario_and_how_to_mend_it() -> None:
    results = [sample(ONE, "mine", profile, Verdict.UNSAFE) for profile in ("a", "b")]
    run = check_sarif(sarif.to_sarif(finished(*results)))
    (rule,) = run["tool"]["driver"]["rules"]  # type: ignore[index]
    assert (rule["id"], rule["shortDescription"]["text"]) == ("STATE-001", ONE.title)
    assert ONE.requirement.sentence in rule["help"]["text"]
    assert "Remedy: Poll the power state after the command" in rule["help"]["text"]
    assert [r["ruleIndex"] for r in run["results"]] == [0, 0]  # type: ignore[attr-defined]


def test_a_finding_stands_at_the_key_of_the_fencers_file_relative_to_its_repository(tmp_path: Path) -> None:
    file = fencer_file(tmp_path)
    result = sample(ONE, "mine", "a", Verdict.UNSAFE, fencer_file=str(file))
    (only,) = check_sarif(sarif.to_sarif(finished(result)))["results"]  # type: ignore[misc]
    place = only["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "ci/my%20agent.yaml", "uriBaseId": "SRCROOT"}
    assert place["region"] == {"startLine": 3}


def test_a_fencer_that_comes_with_the_suite_has_a_place_in_the_suite() -> None:
    result = sample(ONE, "fence_bmc", "a", Verdict.UNSAFE, fencer_file=str(fencers.HERE / "fence_bmc.yaml"))
    (only,) = check_sarif(sarif.to_sarif(finished(result)))["results"]  # type: ignore[misc]
    place = only["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "conformance/fencers/fence_bmc.yaml", "uriBaseId": "FENCELAB"}
    assert place["region"] == {"startLine": 2}


def test_fingerprints_tell_cells_apart_and_survive_everything_else() -> None:
    def prints(**more: object) -> str:
        result = replace(sample(ONE, "mine", "a", Verdict.UNSAFE), **more)  # type: ignore[arg-type]
        (only,) = check_sarif(sarif.to_sarif(finished(result)))["results"]  # type: ignore[misc]
        return str(only["partialFingerprints"]["fencelab/v1"])

    same = prints()
    assert prints(verdict=Verdict.STUCK, why="other words", seconds=9.0, fencer_digest="x") == same
    assert len({same, prints(profile="b"), prints(fencer="his"), prints(scenario=BY_ID["STATE-002"])}) == 4


def test_sarif_says_what_was_not_tried_and_that_a_run_was_interrupted() -> None:
    skipped = sample(ONE, "mine", "a", Verdict.SKIP, why="ipmitool is not installed")
    run = check_sarif(sarif.to_sarif(finished(skipped, interrupted=True, not_run=("mine x a STATE-002",), exit_code=130)))
    (invocation,) = run["invocations"]  # type: ignore[misc]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 130)
    assert (invocation["startTimeUtc"], invocation["endTimeUtc"]) == ("2026-11-28T09:30:00Z", "2026-11-28T09:31:01Z")
    told = [(n["level"], n["message"]["text"]) for n in invocation["toolExecutionNotifications"]]
    assert told == [
        ("error", "the run was interrupted: 1 cells were not run"),
        ("warning", "STATE-001 mine x a: not tried, ipmitool is not installed"),
    ]


# TAP


def points(text: str) -> list[tuple[str, str]]:
    return [(ok, rest) for ok, rest in re.findall(r"^(ok|not ok) \d+ - (.*)$", text, re.MULTILINE)]


def test_tap_has_a_point_per_cell_and_agrees_with_junit() -> None:
    run = finished(*EVERY)
    lines = tap.to_tap(run).splitlines()
    assert lines[:2] == ["TAP version 14", f"1..{len(EVERY)}"]
    for result, (ok, rest) in zip(EVERY, points(tap.to_tap(run)), strict=True):
        kind = junit.element_of(result, run)
        assert (ok == "not ok") == (kind in (junit.JUnitElement.FAILURE, junit.JUnitElement.ERROR)), result.verdict
        assert (" # SKIP " in rest) == (kind is junit.JUnitElement.SKIPPED), result.verdict


def test_tap_gives_the_reason_of_a_skip_and_lets_informational_findings_fail_nothing() -> None:
    run = finished(
        sample(ONE, "mine", "a", Verdict.NA, why="mine does not speak ipmi"),
        sample(ONE, "mine", "a", Verdict.UNSAFE, informational=True),
    )
    (skip, todo) = points(tap.to_tap(run))
    assert skip == ("ok", f"STATE-001 mine x a: {ONE.title} # SKIP N/A: mine does not speak ipmi")
    assert todo == ("not ok", f"STATE-001 mine x a: {ONE.title} # TODO informational: UNSAFE")


def test_a_diagnostic_of_tap_is_yaml_with_the_whole_finding() -> None:
    text = tap.to_tap(finished(sample(ONE, "mine", "a", Verdict.UNSAFE)))
    block = yaml.safe_load(re.search(r"^  ---\n(.*?)^  \.\.\.$", text, re.MULTILINE | re.DOTALL)[1])  # type: ignore[index]
    assert block["severity"] == "unsafe"
    assert block["requirement"].startswith("FENCE-2: ")
    assert block["remedy"].startswith("Poll the power state")
    assert any(line.startswith("  because     #1") for line in block["finding"])


def test_an_interrupted_run_bails_out() -> None:
    text = tap.to_tap(finished(sample(ONE, "mine", "a", Verdict.PASS), interrupted=True, not_run=("x", "y")))
    assert text.splitlines()[1] == "1..3"
    assert text.splitlines()[-1] == "Bail out! The run was interrupted: 2 cells were not run"


# Markdown


def test_markdown_counts_by_fencer_and_profile_and_tells_the_worst_first() -> None:
    page = markdown.to_markdown(finished(*EVERY))
    assert "**The gate failed: at least one finding is UNSAFE.**" in page
    head = next(line for line in page.splitlines() if line.startswith("| fencer"))
    row = next(line for line in page.splitlines() if line.startswith("| mine"))
    assert head.startswith("| fencer | profile | UNSAFE | ERROR | HANG | STUCK |")
    assert row.startswith("| mine | dell-idrac9 | **1** | **1** |")
    summaries = re.findall(r"<summary>(\w+)", page)
    assert summaries == ["UNSAFE", "ERROR", "HANG", "STUCK", "FLAKY", "MISLEADING", "HYGIENE", "XPASS"]
    assert "**remedy: Poll the power state after the command until it says Off twice" in page
    assert "2026-11-28 09:30 UTC, 62 s, suite 1.0, catalogue 2026.1, seed 0" in page


def test_markdown_stays_below_the_limit_of_githubs_summary_and_says_what_is_left_out() -> None:
    page = markdown.to_markdown(many(["failing"], 25))
    assert 900_000 < len(page.encode()) <= 1_000_000
    told, left = page.count("<details>"), re.search(r"(\d+) more findings have no room", page)
    assert left is not None
    assert told + int(left[1]) == 25 * len(ALL)


# Annotations


def test_an_annotation_names_file_line_title_and_what_to_do(tmp_path: Path) -> None:
    result = sample(ONE, "mine", "a", Verdict.UNSAFE, why="claimed: off,\n100 % sure", fencer_file=str(fencer_file(tmp_path)))
    first = github.to_annotations(finished(result)).splitlines()[0]
    assert first.startswith("::error file=ci/my agent.yaml,line=3,title=UNSAFE STATE-001 mine x a::")
    assert "claimed: off,%0A100 %25 sure%0ARemedy: Poll the power state" in first


def test_properties_of_an_annotation_escape_what_ends_them() -> None:
    line = github.command("warning", {"title": "a:b,c%d\r\ne"}, "x:y,z%\r\n")
    assert line == "::warning title=a%3Ab%2Cc%25d%0D%0Ae::x:y,z%25%0D%0A"


def test_annotations_come_worst_first_and_never_for_what_passes() -> None:
    lines = github.to_annotations(finished(*EVERY)).splitlines()
    assert [line.split()[0] for line in lines] == ["::error"] * 5 + ["::warning"] * 3 + ["::notice"]
    informational = github.to_annotations(finished(sample(ONE, "mine", "a", Verdict.UNSAFE, informational=True)))
    assert informational.startswith("::notice title=UNSAFE STATE-001 mine x a%2C informational::")


# Badge


def tier_0(verdict: Verdict = Verdict.PASS, profiles: tuple[str, ...] = ("a", "b", "c")) -> FinishedRun:
    entries = catalogues.NEWEST.entries
    ids = [
        s for s in ALL if s.id in entries and entries[s.id].tier == 0 and entries[s.id].level is not CatalogueLevel.INFORMATIONAL
    ]
    return finished(*(sample(s, "mine", p, verdict) for s in ids for p in profiles))


def test_a_badge_speaks_of_a_tier_profiles_and_a_version_and_certifies_nothing() -> None:
    run = tier_0()
    said = badge.words(run)
    assert said.label == "fencing tier 0"
    assert said.message == f"{len(run.results)}/{len(run.results)} pass · 3 profiles · suite 1.0"
    assert said.colour == badge.GREEN
    assert "profiles a, b, c" in said.sentence
    assert "certif" not in badge.to_svg(run) + badge.to_endpoint(run)


def test_a_badge_names_a_tier_only_if_all_of_it_was_tried() -> None:
    run = tier_0()
    assert badge.words(finished(*run.results[:-1])).label == f"fencing {len(run.results) // 3} scenarios"
    assert badge.words(finished(run.results[0])).label == "fencing 1 scenario"
    assert badge.words(finished(*run.results, catalogue="of somebody else")).label.endswith("scenarios")


@pytest.mark.parametrize(
    ("verdict", "more", "colour", "begins"),
    [
        (Verdict.UNSAFE, {}, badge.RED, "0/1 pass, 1 UNSAFE"),
        (Verdict.STUCK, {}, badge.AMBER, "0/1 pass, 1 other finding"),
        (Verdict.ERROR, {}, badge.AMBER, "0/1 pass, 1 ERROR"),
        (Verdict.XPASS, {"exit_code": 6}, badge.AMBER, "1/1 pass"),
        (Verdict.WAIVED, {}, badge.GREEN, "0/1 pass, 1 waived"),
        (Verdict.SKIP, {}, badge.GREY, "not tested"),
        (Verdict.NA, {}, badge.GREY, "not tested"),
        (Verdict.PASS, {"interrupted": True}, badge.GREY, "interrupted"),
    ],
)
def test_the_colour_of_a_badge_is_that_of_the_gate(verdict: Verdict, more: dict[str, object], colour: str, begins: str) -> None:
    said = badge.words(finished(sample(ONE, "mine", "a", verdict), **more))
    assert (said.colour, said.message.startswith(f"{begins} · ")) == (colour, True), said.message


def test_the_boxes_of_a_badge_are_as_wide_as_their_texts() -> None:
    root = Xml.fromstring(badge.to_svg(tier_0()))
    left, right = root.findall(".//{*}g[@clip-path]/{*}rect")
    texts = root.findall(".//{*}text")
    for box, text in zip((left, right), texts, strict=True):
        inner = float(text.get("textLength", 0))
        assert inner == round(width_px(text.text or ""))
        assert float(box.get("width", 0)) == inner + 2 * badge.PADDING
    assert root.get("width") == str(int(left.get("width", 0)) + int(right.get("width", 0)))


def test_a_badge_has_a_form_for_badge_servers_by_the_end_of_its_name() -> None:
    out = io.StringIO()
    BADGE.writer_for("out/badge.json")(tier_0(Verdict.UNSAFE), out)
    told = json.loads(out.getvalue())
    assert (told["schemaVersion"], told["label"], told["color"], told["isError"]) == (1, "fencing tier 0", "b33000", True)
    svg = io.StringIO()
    BADGE.writer_for("badge.svg")(tier_0(), svg)
    assert svg.getvalue().startswith("<svg ")


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(
    ("back", "front"),
    [
        *(verdict.colours for verdict in Verdict),
        *((c, "#fff") for c in (badge.GREEN, badge.AMBER, badge.RED, badge.GREY, badge.LABEL_COLOUR)),
    ],
)
def test_every_colour_can_be_read(back: str, front: str) -> None:
    """WCAG 2.1, 1.4.3: 4.5 to 1."""
    darker, lighter = sorted((luminance(back), luminance(front)))
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


# All of them


def test_whatever_a_fencer_prints_every_format_stays_what_it_is() -> None:
    run = finished(hostile(), sample(ONE, "mine", "b", Verdict.NA, why=HOSTILE))
    check_sarif(sarif.to_sarif(run).encode(errors="replace").decode())
    check_junit(junit.to_junit(run))
    told = tap.to_tap(run)
    assert len(points(told)) == 2
    assert told.count("\n  ...\n") == 1
    assert " \\# TODO ... 1..0 " in told
    assert not any(line.startswith(("1..0", "...")) for line in told.splitlines())
    yaml.safe_load(re.search(r"^  ---\n(.*?)^  \.\.\.$", told, re.MULTILINE | re.DOTALL)[1])  # type: ignore[index]
    annotations = github.to_annotations(run)
    assert len(annotations.split("\n")) == 3
    page = markdown.to_markdown(run)
    assert "<&" not in page
    assert "@all" not in page
    Xml.fromstring(badge.to_svg(run))


def test_an_empty_run_makes_every_report() -> None:
    run = finished()
    check_sarif(sarif.to_sarif(run))
    check_junit(junit.to_junit(run))
    assert tap.to_tap(run).splitlines()[:2] == ["TAP version 14", "1..0 # SKIP nothing was run"]
    assert "or nothing ran" in markdown.to_markdown(run)
    assert badge.words(run).colour == badge.GREY
    assert github.to_annotations(run).count("\n") == 1
