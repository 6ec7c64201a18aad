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
from conformance import selection
from conformance.causal_chain import ChainLine, describe, tell, tell_all
from conformance.finding import Finding
from conformance.givens.given import GivenOrigin
from conformance.givens.profile_answers import ProfileAnswers
from conformance.play_scenario import planned
from conformance.report import html, junit, model, terminal
from conformance.report.report import FinishedRun
from conformance.result import Result, exit_code
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import FindingKind, JUnitElement, Level, Verdict
from emulator.core.clock import VirtualClock
from emulator.core.journal import Datum, Journal
from emulator.core.journal import Event as Event_
from emulator.core.journal import EventKind as Event
from profiles import load


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
    words = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page))))
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
    places = [html.page(finished(*results)).index(f'id="{i}-mine') for i in ("STATE-003", "STATE-004", "STATE-001")]
    assert places == sorted(places)


def test_a_finding_says_what_was_seen_and_what_to_do() -> None:
    told = Finding(
        verdict=Verdict.STUCK, rule="L", requirement=req.DOES_IT, expected="e", actual="a", ask=0, level=Level.SHOULD,
        seen="read On at +1.2 s", remedy="Read twice",
    )  # fmt: skip
    one = result(
        Verdict.STUCK, findings=(told, told), stories=((ChainLine(3, 1, 0.5, "BMC", "x"),), ()), remarks=("never met: y",)
    )
    text = terminal.plain(one)
    for part in (
        "FENCE-19 (L, SHOULD)", "seen        read On at +1.2 s", "remedy      Read twice", "see above",
        "remark      never met: y", "explain FENCE-19 L",
    ):  # fmt: skip
        assert part in text, part
    page = html.page(finished(one))
    assert "read On at +1.2 s" in page
    assert "<strong>Read twice</strong>" in page
    assert json.loads(model.to_json(finished(one)))["results"][0]["findings"][0]["remedy"] == "Read twice"


def test_one_chain_is_told_once() -> None:
    journal, claim = journal_of_an_incident()
    one = Finding(verdict=Verdict.STUCK, rule="L", requirement=req.DOES_IT, expected="", actual="", ask=0, anchors=(claim,))
    first, second, elsewhere = tell_all(tuple(journal), (one, one, replace(one, ask=1)))
    assert first
    assert second == ()
    assert elsewhere, "the chain of another ask is another chain"


def test_a_gate_that_opened_by_time_says_so() -> None:
    assert "because its time was up" in describe(Event_(1, 0.0, "t", Event.GATE, None, {"after_reads": 2, "by": "time"}))


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


# -- the story -------------------------------------------------------------------------------------------------------------


def journal_of_an_incident() -> tuple[Journal, int]:
    journal = Journal(VirtualClock())
    journal.record("target", Event.RAIL, system="1", host="target", rail="up", os="running", incarnation=1, was="initial")
    journal.record("target", Event.FENCER, what="start", ask=0, action="off", system="1")
    post = journal.record(
        "target", Event.REQUEST, protocol="redfish", method="POST", path="/redfish/v1/Systems/1/Actions/X", intent="power-command"
    )
    journal.record("target", Event.AUTH, post, result="ok", user="root", via="redfish")
    command = journal.record(
        "target",
        Event.COMMAND,
        post,
        system="1",
        via="redfish",
        reset="ForceOff",
        row="On",
        outcome="ok",
        status=204,
        effect="off",
    )
    journal.record("target", Event.FAULT, command, fault="power.ignore", seam="power", system="1")
    answer = journal.record("target", Event.RESPONSE, post, status=204)
    journal.record("target", Event.GATE, command, system="1", after_reads=3)
    journal.record("target", Event.REPORT, command, system="1", says={"chassis": "Off", "ipmi": None})
    claim = journal.record("target", Event.FENCER, answer, what="claim", ask=0)
    journal.record("target", Event.FENCER, what="end", ask=0, claim="off", exit=0)
    journal.record(
        "target", Event.RAIL, command, system="1", host="target", rail="down", os="stopped", incarnation=2, was="went-down"
    )
    return journal, claim


def test_the_story_follows_causes_and_tells_what_became_of_the_host() -> None:
    journal, claim = journal_of_an_incident()
    told = [str(line) for line in tell(tuple(journal), (claim,), 0)]
    text = "\n".join(told)
    for part in (
        "is asked for off", "POST", "ForceOff of 1, which is On: 204, effect off", "power.ignore acts", "answers HTTP 204",
        "opens after 3 reads", "its chassis says Off, its ipmi says null",
        "its answer is final", "said: off (exit 0)", "rail down",
    ):  # fmt: skip
        assert part in text, part
    assert [int(line[1:5]) for line in told] == sorted(int(line[1:5]) for line in told)


def test_a_changed_journal_changes_the_story() -> None:
    journal, claim = journal_of_an_incident()
    events = [e for e in journal if e.kind is not Event.FAULT]
    assert "power.ignore" not in "\n".join(str(line) for line in tell(events, (claim,), 0))


def test_a_long_story_is_cut_in_the_middle() -> None:
    journal, claim = journal_of_an_incident()
    for _ in range(40):
        journal.record("target", Event.GATE, system="1", after_reads=1)
    told = tell(tuple(journal), (claim,), 0)
    assert len(told) == 25
    assert "more of the same kind" in told[16].text


def test_ipmi_answers_are_told_as_completion_codes() -> None:
    journal = Journal(VirtualClock())
    journal.record("target", Event.FENCER, what="start", ask=0, action="off", system="1")
    asked = journal.record("target", Event.REQUEST, protocol="ipmi", method="IPMI", path="chassis-control")
    journal.record(
        "target", Event.COMMAND, asked, system="1", via="ipmi", reset="ForceOff", row="Off", completion_code=0xD5, effect="none"
    )
    journal.record("target", Event.RESPONSE, asked, completion_code=0xD5)
    text = "\n".join(str(line) for line in tell(tuple(journal), (asked,), 0))
    assert "answers 0xD5" in text
    assert ": 0xD5, effect none" in text


def chain_of(*events: tuple[Event, int | None, dict[str, Datum]]) -> str:
    """The chain of a journal that begins with an ask; the anchor is its first request, which is event 2."""
    journal = Journal(VirtualClock())
    journal.record("target", Event.FENCER, what="start", ask=0, action="off", system="1")
    for kind, cause, data in events:
        journal.append("target", kind, cause, data)
    return "\n".join(str(line) for line in tell(tuple(journal), (2,), 0))


def asked(path: str) -> tuple[Event, int | None, dict[str, Datum]]:
    return (Event.REQUEST, None, {"method": "GET", "path": path, "intent": "power-read"})


GET = asked("/redfish/v1/Systems/1")
OK: tuple[Event, int | None, dict[str, Datum]] = (Event.RESPONSE, 2, {"status": 200})


@pytest.mark.parametrize(
    ("path", "view", "word", "line"),
    [
        ("/redfish/v1/Systems/1", "system", "On", "System says PowerState On"),
        ("/redfish/v1/Chassis/1", "chassis", None, "Chassis says PowerState null"),
        ("chassis-status", "ipmi", "Off", "chassis status says off"),
        ("acpi-power-state", "ipmi", None, "acpi power state says that it does not know"),
    ],
)
def test_the_chain_says_what_was_read(path: str, view: str, word: str | None, line: str) -> None:
    assert line in chain_of(asked(path), OK, (Event.LOOK, 2, {"system": "1", "view": view, "word": word}))


def test_a_word_that_came_with_an_event_is_told_as_such() -> None:
    journal = Journal(VirtualClock())
    journal.record("target", Event.FENCER, what="start", ask=0, action="off", system="1")
    seen = journal.record("target", Event.LOOK, None, system="1", view="event", word="Off")
    assert "event says off" in str(tell(tuple(journal), (seen,), 0)[1])


@pytest.mark.parametrize(
    ("wire", "line"),
    [
        ({"answer": "none", "executed": True}, "the answer (HTTP 200) is lost: the fencer gets none of it (wire.x)"),
        ({"answer": "cut", "sent": 7, "size": 90}, "the answer (HTTP 200) is cut after 7 of 90 bytes (wire.x)"),
        ({"answer": "altered", "sent": 90, "size": 90}, "the answer (HTTP 200) is altered on its way (wire.x)"),
    ],
)
def test_an_answer_that_did_not_arrive_is_not_told_as_an_answer(wire: dict[str, Datum], line: str) -> None:
    chain = chain_of(GET, OK, (Event.WIRE, 2, {"fault": "wire.x", **wire}))
    assert line in chain
    assert "answers" not in chain


def test_an_answer_that_is_only_late_is_an_answer() -> None:
    chain = chain_of(GET, OK, (Event.WIRE, 2, {"fault": "wire.delay", "answer": "whole", "sent": 9, "size": 9}))
    assert "answers HTTP 200" in chain


def test_a_request_that_was_swallowed_is_told_as_such() -> None:
    chain = chain_of(GET, (Event.WIRE, 2, {"fault": "wire.hang", "answer": "none", "executed": False}))
    assert "the request is not executed, and there is no answer (wire.hang)" in chain


# -- the catalogue ---------------------------------------------------------------------------------------------------------


def test_the_catalogue_holds_the_scenarios_of_auth_tls_and_id() -> None:
    of = {group: sum(s.group == group for s in ALL) for group in ("AUTH", "TLS", "ID")}
    assert of == {"AUTH": 10, "TLS": 6, "ID": 19}


def test_the_catalogue_holds_the_twenty_scenarios_of_the_first_slice() -> None:
    assert {s.id for s in ALL} >= {
        "STATE-001", "STATE-002", "STATE-003", "STATE-004", "STATE-007", "STATE-009", "STATE-016", "STATE-019", "TRUTH-001",
        "TRUTH-006", "FAULT-008", "FAULT-010", "ASYNC-004", "TIME-001", "AUTH-001", "ID-001", "ID-002", "IPMI-002", "IPMI-003",
        "AGENT-003",
    }  # fmt: skip


@pytest.mark.parametrize("scenario", ALL, ids=[s.id for s in ALL])
def test_every_scenario_can_be_read_by_people(scenario: object) -> None:
    entry = BY_ID[scenario.id]  # type: ignore[attr-defined]
    assert entry.requirement in req.ALL
    assert all(given.sentence and given.origin is GivenOrigin.INJECTED for given in entry.given)
    assert all(word.phrase() for step in entry.steps for word in step.expect)
    names = {unit.name for unit in planned(entry, load("dmtf-generic"), "secret").units}
    assert {step.bmc for step in entry.steps} <= names


def test_requirements_are_numbered_once_and_their_level_is_in_their_sentence() -> None:
    assert len({r.id for r in req.ALL}) == len(req.ALL)
    assert all(r.level in r.sentence for r in req.ALL)
    assert all((Level.MUST in r.sentence) == (r.level is Level.MUST) for r in req.ALL)


def test_a_precondition_of_a_profile_holds_or_says_why_not() -> None:
    dell = load("dell-idrac9")
    assert ProfileAnswers("Off", "ForceOff", 409).missing_in(dell) is None
    assert "HTTP 409, not 204" in str(ProfileAnswers("Off", "ForceOff", 204).missing_in(dell))
    assert ProfileAnswers("Off", "ForceOff", 409).origin is GivenOrigin.PROFILE


def test_scenarios_are_picked_by_id_group_and_tier() -> None:
    assert [s.id for s in selection.pick_scenarios(("truth,ID-001",))] == ["TRUTH-001", "TRUTH-006", "ID-001"]
    assert {s.tier for s in selection.pick_scenarios((), tier=0)} == {0}


@pytest.mark.parametrize(
    ("words", "said"), [(("STAT-001",), "did you mean STATE-001"), (("zzz",), "there are the groups STATE, TRUTH")]
)
def test_an_unknown_scenario_gets_a_hint(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(selection.BadSelection, match=re.escape(said)):
        selection.pick_scenarios(words)


def test_unknown_profiles_and_fencers_are_one_sentence() -> None:
    with pytest.raises(selection.BadSelection, match="dell-idrac9"):
        selection.pick_profiles(("dell-idrac",))
    with pytest.raises(selection.BadSelection, match="no fencer 'nope'"):
        selection.pick_fencers(("nope",))


def test_all_means_every_profile_that_a_bmc_can_have() -> None:
    assert set(selection.pick_profiles(("all",))) >= {"dell-idrac9", "dmtf-generic", "openbmc-x86"}
