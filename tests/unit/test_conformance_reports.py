"""Results as code, line, JSON, JUnit, page and story."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from rich.console import Console

from conformance import requirement as req
from conformance.causal_chain import ChainLine
from conformance.finding import Finding
from conformance.report import html, junit, model, terminal
from conformance.report.report import FinishedRun
from conformance.result import Result, exit_code
from conformance.scenarios import BY_ID
from conformance.vocabulary import FindingKind, JUnitElement, Level, Verdict


def result(verdict: Verdict, scenario: str = "STATE-001", profile: str = "dell-idrac9", **more: object) -> Result:
    findings, stories = (), ()
    if verdict.is_defect:
        findings = (
            Finding(
                verdict=verdict,
                rule="G1",
                requirement=req.SAFE_CLAIM,
                expected="no claim",
                actual="<claimed> & lied",
                ask=0,
                kind=FindingKind.FALSE,
            ),
        )
        stories = ((ChainLine(3, 1, 0.5, "BMC", "answers HTTP 409"),),)
    return Result(
        **{  # type: ignore[arg-type]
            "fencer": "mine",
            "fencer_digest": "f",
            "profile": profile,
            "profile_digest": "p",
            "scenario": BY_ID[scenario],
            "verdict": verdict,
            "kind": FindingKind.FALSE if findings else None,
            "why": "" if verdict is Verdict.PASS else "because",
            "findings": findings,
            "stories": stories,
            "repeat": "fence-conformance run --fencer mine",
            **more,
        }
    )


def finished(*results: Result, **more: object) -> FinishedRun:
    return FinishedRun(  # type: ignore[arg-type]
        **{"results": results, "version": "1.0", "seed": 0, "exit_code": exit_code(results), "catalogue": "2026.1", **more}
    )


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ([Verdict.PASS], 0),
        ([Verdict.PASS, Verdict.NA, Verdict.WAIVED], 0),
        ([Verdict.PASS, Verdict.STUCK], 1),
        ([Verdict.HANG], 1),
        ([Verdict.MISLEADING, Verdict.HYGIENE], 1),
        ([Verdict.XPASS], 0),
        ([Verdict.UNSAFE, Verdict.ERROR, Verdict.SKIP, Verdict.STUCK], 3),
        ([Verdict.ERROR, Verdict.SKIP, Verdict.STUCK], 5),
        ([Verdict.SKIP, Verdict.STUCK, Verdict.PASS], 4),
        ([Verdict.NA], 4),
        ([], 4),
    ],
)
def test_the_exit_code_follows_the_order_unsafe_error_lack_finding(verdicts: list[Verdict], code: int) -> None:
    assert exit_code(tuple(result(v) for v in verdicts)) == code


@pytest.mark.parametrize(("verdicts", "code"), [([], 0), ([Verdict.NA], 0), ([Verdict.SKIP], 4), ([Verdict.UNSAFE], 3)])
def test_a_part_of_a_run_may_have_nothing_to_run(verdicts: list[Verdict], code: int) -> None:
    assert exit_code(tuple(result(v) for v in verdicts), is_part=True) == code


def test_the_last_line_counts_everything_for_grep() -> None:
    line = model.last_line((result(Verdict.PASS), result(Verdict.UNSAFE), result(Verdict.NA), result(Verdict.SKIP)))
    assert line == (
        "mine x dell-idrac9: 2 run, 1 pass, 1 UNSAFE, 0 STUCK, 0 HANG, 0 MISLEADING, 0 hygiene, 0 waived, 1 skipped, 1 N/A"
    )


def test_the_json_report_has_what_is_promised() -> None:
    report = json.loads(model.to_json(finished(result(Verdict.UNSAFE), result(Verdict.PASS, "ID-001"))))
    assert report["schema"] == "fencelab.conformance/1"
    assert report["summary"]["exit_code"] == 3
    assert report["summary"]["verdicts"]["UNSAFE"] == 1
    first = report["results"][0]
    assert (first["scenario"], first["profile"], first["verdict"], first["kind"]) == (
        "STATE-001",
        "dell-idrac9",
        "UNSAFE",
        "FALSE",
    )
    assert first["findings"][0]["chain"] == [{"seq": 3, "cause": 1, "at": 0.5, "actor": "BMC", "text": "answers HTTP 409"}]
    assert {p["origin"] for p in first["preconditions"]} == {"injected"}


def test_the_page_about_the_json_report_names_every_key() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
    prose = re.sub(r"^```$.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", prose))))
    report = model.report(finished(result(Verdict.UNSAFE, runs=((Verdict.STUCK, ""), (Verdict.UNSAFE, "")))))
    assert _keys(report) - {verdict.value for verdict in Verdict} - words == set()


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value) | set().union(*(_keys(inner) for inner in value.values()))
    return set().union(*(_keys(inner) for inner in value)) if isinstance(value, list) else set()


def test_junit_has_a_suite_per_profile_and_types_by_verdict() -> None:
    here = [result(v) for v in (Verdict.PASS, Verdict.UNSAFE, Verdict.NA, Verdict.ERROR)]
    results = [*here, result(Verdict.STUCK, profile="b")]
    root = Xml.fromstring(junit.to_junit(finished(*results)))
    suites = root.findall("testsuite")
    assert [(s.get("name"), s.get("tests"), s.get("failures"), s.get("errors"), s.get("skipped")) for s in suites] == [
        ("dell-idrac9", "4", "1", "1", "1"),
        ("b", "1", "1", "0", "0"),
    ]
    failure = suites[0].find("testcase/failure")
    assert failure is not None
    assert failure.get("type") == "unsafe"
    assert "answers HTTP 409" in str(failure.text)


@pytest.mark.parametrize(
    ("one", "strict", "holds"),
    [
        ({"verdict": Verdict.XPASS}, False, None),
        ({"verdict": Verdict.XPASS}, True, "failure"),
        ({"verdict": Verdict.WAIVED}, True, "skipped"),
        ({"verdict": Verdict.STUCK}, False, "failure"),
        ({"verdict": Verdict.UNSAFE, "informational": True}, False, "skipped"),
        ({"verdict": Verdict.FLAKY}, False, "failure"),
    ],
)
def test_junit_fails_exactly_where_the_exit_code_does(one: dict[str, object], strict: bool, holds: str | None) -> None:
    cell = result(**one)  # type: ignore[arg-type]
    root = Xml.fromstring(junit.to_junit(finished(cell, result(Verdict.PASS), strict_waivers=strict)))
    found = [e.tag for e in root.findall("testsuite/testcase/*") if e.tag in ("failure", "error", "skipped")]
    assert found == ([holds] if holds else [])
    assert ("failure" in found) == (exit_code((cell, result(Verdict.PASS)), strict_waivers=strict) != 0)


def test_an_informational_result_is_shown_and_does_not_count() -> None:
    results = (result(Verdict.UNSAFE, informational=True), result(Verdict.PASS))
    assert exit_code(results) == 0
    assert model.last_line(results).endswith(
        "0 UNSAFE, 0 STUCK, 0 HANG, 0 MISLEADING, 0 hygiene, 0 waived, 0 N/A, 1 informational"
    )
    assert "UNSAFE (FALSE), informational" in terminal.plain(results[0])


def test_an_interrupted_run_says_so_in_every_report() -> None:
    run = finished(result(Verdict.PASS), interrupted=True, not_run=("mine x a STATE-002", "mine x a <b>"), exit_code=130)
    data = json.loads(model.to_json(run))
    assert (data["interrupted"], data["not_run"][0], data["summary"]["exit_code"]) == (True, "mine x a STATE-002", 130)
    suites = Xml.fromstring(junit.to_junit(run)).findall("testsuite")
    assert [(s.get("name"), s.get("tests"), s.get("errors"), s.get("skipped")) for s in suites] == [
        ("dell-idrac9", "1", "0", "0"),
        ("interrupted", "3", "1", "2"),
    ]
    page = html.page(run)
    assert "was interrupted: 2 cells were not run" in page
    assert "mine x a &lt;b&gt;" in page
    assert "interrupted" not in html.page(finished(result(Verdict.PASS)))


def test_the_worst_is_printed_first() -> None:
    results = (
        result(Verdict.HYGIENE, "STATE-001"), result(Verdict.UNSAFE, "STATE-002", informational=True),
        result(Verdict.UNSAFE, "STATE-003"), result(Verdict.STUCK, "STATE-004"), result(Verdict.PASS, "STATE-007"),
    )  # fmt: skip
    assert [r.scenario.id for r in model.worst_first(results)] == ["STATE-003", "STATE-004", "STATE-001", "STATE-002"]
    told = re.findall(r'<details id="f\d+".*?<b>(.*?)</b>', html.page(finished(*results)))
    assert told == ["STATE-003", "STATE-004", "STATE-001", "STATE-002"]


def test_a_finding_says_what_was_seen_and_what_to_do() -> None:
    told = Finding(
        verdict=Verdict.STUCK, rule="L", requirement=req.DOES_IT, expected="e", actual="a", ask=0, level=Level.SHOULD,
        seen="read On at +1.2 s", remedy="Read twice",
    )  # fmt: skip
    one = result(
        Verdict.STUCK,
        findings=(told, told, replace(told, remedy="Look once more")),
        stories=((ChainLine(3, 1, 0.5, "BMC", "x"),), (), ()),
        remarks=("never met: y",),
    )
    text = terminal.plain(one)
    for part in (
        "FENCE-19 (L, SHOULD)", "seen        read On at +1.2 s", "remedy      Read twice", "see above",
        "1 more of FENCE-19 with the same remedy", "remark      never met: y", "explain FENCE-19 L",
    ):  # fmt: skip
        assert part in text, part
    page = html.page(finished(one))
    assert "read On at +1.2 s" in page
    assert "<strong>Read twice</strong>" in page
    assert json.loads(model.to_json(finished(one)))["results"][0]["findings"][0]["remedy"] == "Read twice"


def test_cells_that_fail_alike_are_told_once_and_then_listed() -> None:
    told = Finding(
        verdict=Verdict.HYGIENE, rule="G3", requirement=req.SECRETS, expected="e", actual="a", ask=0, level=Level.MUST,
        remedy="Mask it",
    )  # fmt: skip
    ids = ("STATE-001", "STATE-002", "STATE-003", "STATE-004", "STATE-007")
    alike = [result(Verdict.HYGIENE, each, findings=(told,), stories=((),)) for each in ids]
    other = result(Verdict.HYGIENE, "STATE-009", findings=(replace(told, remedy="Close it"),), stories=((),))
    text = "\n".join(part.plain for part in terminal.findings((*alike, other)))
    assert text.count("Mask it") == terminal.IN_FULL == 3
    assert text.count("Close it") == 1
    assert "HYGIENE  mine: FENCE-15 in 2 more cells with the same remedy: STATE-004, STATE-007" in text


def test_whatever_a_fencer_prints_the_xml_stays_well_formed() -> None:
    text = junit.to_junit(finished(result(Verdict.STUCK, said="\x00\x1b[31m ]]> <&\ud800", why="\x07")))
    Xml.fromstring(text.encode())


def test_the_page_is_self_contained_and_escapes_strangers() -> None:
    page = html.page(finished(result(Verdict.UNSAFE, why="<script>alert(1)</script>"), result(Verdict.PASS, "ID-001")))
    assert "<script>alert" not in page
    assert "&lt;claimed&gt; &amp; lied" in page
    assert "answers HTTP 409" in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_cell_is_called_as_pytest_calls_it() -> None:
    assert result(Verdict.PASS).id == "STATE-001[dell-idrac9]"


def test_every_verdict_has_a_letter_of_its_own_a_style_and_a_colour() -> None:
    assert len({verdict.letter for verdict in Verdict}) == len(Verdict)
    assert all(verdict.style and all(verdict.colours) and verdict.counted_as for verdict in Verdict)


def test_the_facts_of_a_verdict_agree_with_one_another() -> None:
    assert [verdict.severity for verdict in Verdict] == list(range(len(Verdict)))
    assert {v for v in Verdict if v.fails_gate} == {v for v in Verdict if v.is_defect} | {Verdict.ERROR, Verdict.SKIP}
    assert {v for v in Verdict if v.needs_action} == {v for v in Verdict if v.is_defect} | {Verdict.ERROR, Verdict.XPASS}
    assert all(v.ran for v in Verdict if v.needs_action)
    assert {v for v in Verdict if v.strict_junit is not v.junit} == {Verdict.XPASS}
    assert all(
        (v.exit_code != 0) == (v.junit in (JUnitElement.FAILURE, JUnitElement.ERROR)) for v in Verdict if v is not Verdict.SKIP
    )
    assert all(word.meaning for word in (*Verdict, *FindingKind))
    assert Verdict("N/A") is Verdict.NA


def test_a_finding_is_printed_with_requirement_chain_and_repeat_line() -> None:
    text = terminal.plain(result(Verdict.UNSAFE))
    for part in ("requirement", "FENCE-1", "expected", "actual", "because", "#3", "<- #1", "repeat", "fence-conformance run"):
        assert part in text


def test_what_this_machine_could_not_do_is_said_once_before_the_last_line() -> None:
    lacking = {"unprotected": ("no PID namespace (not permitted)",), "unsearched": ("HOME: the search was ended after 2 s",)}
    results = (result(Verdict.PASS, **lacking), result(Verdict.PASS, "STATE-002", **lacking), result(Verdict.PASS, "STATE-003"))
    said = io.StringIO()
    terminal.close(Console(file=said, width=200), results)
    lines = said.getvalue().splitlines()[-3:]
    assert lines[0] == "not protected  no PID namespace (not permitted)"
    assert lines[1] == "not searched  HOME: the search was ended after 2 s"
    summary = json.loads(model.to_json(finished(*results)))["summary"]
    assert summary["missing_protections"] == ["no PID namespace (not permitted)"]
    assert summary["not_searched"] == ["HOME: the search was ended after 2 s"]


def test_a_verdict_that_came_out_differently_twice_says_so() -> None:
    text = terminal.plain(
        result(Verdict.FLAKY, runs=((Verdict.HANG, "still running"), (Verdict.PASS, "")), why="HANG in one run")
    )
    assert "why         HANG in one run" in text
    assert "run         1: HANG (still running)" in text
    assert "run         2: PASS" in text


def test_a_run_that_was_stopped_before_its_first_cell_names_nobody() -> None:
    assert model.last_line(()).startswith("no cell: 0 run, 0 pass")
