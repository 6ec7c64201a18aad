"""The causal chain of a finding, in words, from journals written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance import requirement as req
from conformance.causal_chain import describe, tell, tell_all
from conformance.finding import Finding
from conformance.vocabulary import Verdict
from emulator.core.clock import VirtualClock
from emulator.core.journal import Datum, Journal
from emulator.core.journal import Event as Event_
from emulator.core.journal import EventKind as Event


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


def test_one_chain_is_told_once() -> None:
    journal, claim = journal_of_an_incident()
    one = Finding(verdict=Verdict.STUCK, rule="L", requirement=req.DOES_IT, expected="", actual="", ask=0, anchors=(claim,))
    first, second, elsewhere = tell_all(tuple(journal), (one, one, replace(one, ask=1)))
    assert first
    assert second == ()
    assert elsewhere, "the chain of another ask is another chain"


def test_a_gate_that_opened_by_time_says_so() -> None:
    assert "because its time was up" in describe(Event_(1, 0.0, "t", Event.GATE, None, {"after_reads": 2, "by": "time"}))
