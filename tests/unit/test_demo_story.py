"""The demonstration says what the journals say: a changed line of a journal changes the terminal's text and the page."""

from __future__ import annotations

import json

import pytest

from demo.__main__ import main
from demo.act_facts import facts
from demo.acts import ACTS, read
from demo.story import story_of
from emulator.core.clock import VirtualClock
from emulator.core.journal import EventKind, Journal


def an_act(*, down=True, split=False, posts=0, rail_falls=True):
    """The journal of an act, written by hand: the blow falls at 10 s."""
    clock = VirtualClock()
    journal = Journal(clock)
    said = {
        "what": "act", "title": "an act", "profile": "dell-idrac9", "policy": "reference", "scale": 0.1, "bound": 2.6,
    }  # fmt: skip
    journal.record("", EventKind.FENCER, **said)
    journal.record("node1", EventKind.RAIL, system="1", host="node1", rail="up", os="running", incarnation=1, was="initial")
    clock.move_to(10)
    journal.record("node1", EventKind.FENCER, what="blow", blow="power lost" if rail_falls else "hung")
    if rail_falls:
        journal.record(
            "node1", EventKind.RAIL, system="1", host="node1", rail="down", os="stopped", incarnation=2, was="went-down"
        )
        journal.record("node1", EventKind.REPORT, system="1", says={"system": "Off"})
    for _ in range(posts):
        clock.advance(0.1)
        journal.record(
            "node1", EventKind.COMMAND, system="1", via="redfish", reset="GracefulShutdown", row="Off", status=409, effect="none"
        )
        journal.record(
            "node1", EventKind.MANAGER, what="alert", alert="HA_FENCE_PERFORMED", text="HA Fencing of host node1 performed"
        )
    clock.move_to(11)
    if down:
        journal.record(
            "node1", EventKind.MANAGER, what="state", **{"from": "Fencing"}, to="Fenced", event="Fenced", status="Down"
        )
    clock.move_to(12)
    old = [9.0, 9.9] + ([11.6, 11.7] if split else [])
    journal.record("node1", EventKind.WRITE, vm="db1", host="node1", token="a", times=old)
    if down:
        journal.record("node2", EventKind.WRITE, vm="db1", host="node2", token="b", times=[11.5, 11.9])
    return journal


def said(journal):
    return "\n".join(line.text for line in facts(story_of(journal)))


def test_a_manager_that_reads_is_told_to_its_credit():
    text = said(an_act())
    assert "power commands sent to the BMC: 0" in text
    assert "the manager says Down after 1.00 s, the bound is 2.60 s" in text
    assert "db1 writes from node2 since 1.50 s" in text
    assert "writes of node1 after the manager said Down: 0" in text
    assert all(line.good is not False for line in facts(story_of(an_act())))


def test_every_refused_command_is_counted_and_every_false_alert_named():
    text = said(an_act(down=False, posts=9))
    assert "GracefulShutdown sent 9 times, answered 409" in text
    assert "the manager never says Down" in text
    assert "9 of them say “HA Fencing of host node1 performed”, and it was not so" in text
    assert "the machines of node1 run nowhere" in text


def test_two_writers_are_a_split_brain_with_figures():
    text = said(an_act(split=True, rail_falls=False))
    assert "SPLIT BRAIN on db1: node1 wrote twice more after node2 had begun, for 0.20 s" in text
    assert "the host was still powered" in text
    assert "writes of node1 after the manager said Down: 2" in text


@pytest.mark.parametrize("what", ["act", "blow"])
def test_a_journal_without_an_act_is_refused(what):
    events = [event for event in an_act() if event.data.get("what") != what]
    with pytest.raises(ValueError, match="not the journal of an act"):
        story_of(events)


@pytest.fixture
def run(tmp_path):
    """The folder of an earlier run."""
    for act in ACTS:
        (tmp_path / act.id).mkdir()
        (tmp_path / act.id / "journal.jsonl").write_text(an_act(posts=3).to_jsonl())
    result = {
        "scenario": "STATE-001", "profile": "dell-idrac9", "fencer": "conflict-is-off", "verdict": "UNSAFE", "title": "a title",
        "why": "claimed off", "repeat": "fence-conformance run ...",
        "findings": [
            {
                "verdict": "UNSAFE", "actual": "claimed off", "expected": "no claim", "requirement": "FENCE-1: never",
                "chain": [{"at": 0.5, "actor": "fencer", "text": "said: off"}],
            }
        ],
    }  # fmt: skip
    skipped = {**result, "fencer": "ipmitool", "verdict": "SKIP", "why": "ipmitool is not installed", "findings": []}
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "matrix.json").write_text(json.dumps({"results": [result, skipped]}))
    return tmp_path


def retell(run, capsys):
    code = main(["--retell", str(run), "--report", str(run / "report.html")])
    told = capsys.readouterr()
    return code, told.out, told.err, (run / "report.html").read_text() if code == 0 else ""


def change(path, old, new):
    text = path.read_text()
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ('"status": 409', '"status": 503', "GracefulShutdown sent 3 times, answered 409", "answered 503"),
        ('"status": "Down"', '"status": "Disconnected"', "the manager says Down after 1.00 s", "the manager never says Down"),
        ("[11.5, 11.9]", "[9.5, 11.9]", "writes of node1 after", "SPLIT BRAIN on db1"),
    ],
)
def test_one_changed_line_of_a_journal_changes_the_terminal_and_the_page(run, capsys, old, new, before, after):
    _, text, _, html = retell(run, capsys)
    assert before in text
    assert before in html
    count = (text.count(after), html.count(after))
    for act in ACTS:
        change(run / act.id / "journal.jsonl", old, new)
    _, text, _, html = retell(run, capsys)
    assert (text.count(after), html.count(after)) > count
    assert text.count(after) > count[0]
    assert html.count(after) > count[1]


def test_the_page_needs_no_network_and_shows_what_is_missing(run, capsys):
    code, text, _, html = retell(run, capsys)
    assert code == 0
    assert "ipmitool: ipmitool is not installed" in text
    assert "ipmitool is not installed" in html
    assert "src=" not in html
    assert html.count("http") == html.count("http://www.w3.org/2000/svg"), "the only address is a namespace"


def test_a_broken_journal_is_named_with_its_line(run, capsys):
    path = run / "b" / "journal.jsonl"
    path.write_text(path.read_text() + "nonsense\n")
    code, _, err, _ = retell(run, capsys)
    assert code == 2
    assert f"{path}:" in err
    assert "not a journal line" in err
    assert "Traceback" not in err


def test_a_run_that_is_not_there_is_one_sentence(tmp_path, capsys):
    code, _, err, _ = retell(tmp_path, capsys)
    assert code == 2
    assert err.count("\n") == 1


def test_a_missing_matrix_is_the_suites_fault(run, capsys):
    (run / "d" / "matrix.json").write_text("{}")
    code, _, err, _ = retell(run, capsys)
    assert code == 5
    assert "left no report" in err


def test_the_journal_of_an_act_is_read_line_by_line(run):
    assert read(run / "a" / "journal.jsonl").host == "node1"
