"""Preconditions about a manager that watches: what each does when the hosts have been taken up, and when it has fired."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from conformance.givens.manager_deviations import AgentDeviates, AgentsObserved, FaultWhileWatched
from conformance.site import Agents, AgentWord
from conformance.workloads import ASKED
from emulator import Armed, Emulator, make_fault


class RecordedCalls:
    """Stands for the agents and the emulator: notes what it is asked to do."""

    def __init__(self, *events: SimpleNamespace) -> None:
        self.calls: list[tuple[object, ...]] = []
        self._events = events

    def arm(self, *words: object) -> None:
        self.calls.append(("arm", *words))

    def observe(self) -> None:
        self.calls.append(("observe",))

    def deviate(self, *words: object) -> None:
        self.calls.append(("deviate", *words))

    def events(self) -> tuple[SimpleNamespace, ...]:
        return self._events


def asked(bmc: str = "second", **facts: object) -> SimpleNamespace:
    """An agent has been asked."""
    return SimpleNamespace(bmc=bmc, data={"what": ASKED, "request": "start", "nth": 2, "deviation": "refused", **facts})


def test_a_fault_is_armed_when_the_hosts_are_watched_and_not_before() -> None:
    armed, calls = Armed(fault=make_fault("wire.reset")), RecordedCalls()
    given = FaultWhileWatched("the BMC breaks the connection", armed)
    given.arrange(cast(Emulator, calls))
    assert calls.calls == []
    given.watched(cast(Emulator, calls), cast(Agents, calls))
    assert calls.calls == [("arm", "target", armed)]


def test_agents_are_observed_from_the_failure_on() -> None:
    calls = RecordedCalls()
    AgentsObserved().watched(cast(Emulator, calls), cast(Agents, calls))
    assert calls.calls == [("observe",)]
    assert "close them without an answer" in AgentsObserved().sentence


@pytest.mark.parametrize(
    ("word", "nth", "said"),
    [
        ("refused", 2, "at the second start request after the failure the agent of second refuses; nothing was started"),
        ("silent", 4, "at the 4th start request after the failure the agent of second does not answer"),
    ],
)
def test_an_agent_deviates_at_one_request_and_that_is_said(word: AgentWord, nth: int, said: str) -> None:
    calls, given = RecordedCalls(), AgentDeviates("second", word, nth, "start", 1.5)
    given.watched(cast(Emulator, calls), cast(Agents, calls))
    assert calls.calls == [("deviate", "second", "start", nth, word, 1.5)]
    assert given.sentence == said


@pytest.mark.parametrize(
    ("event", "fired"),
    [
        (asked(), 1),
        (asked("target"), 0),
        (asked(what="another"), 0),
        (asked(request="health"), 0),
        (asked(nth=1), 0),
        (asked(deviation="late"), 0),
    ],
)
def test_it_has_fired_only_at_its_own_request(event: SimpleNamespace, fired: int) -> None:
    given = AgentDeviates("second", "refused", 2, "start")
    (fact,) = given.faults(cast(Emulator, RecordedCalls(event)))
    assert (fact.fired, fact.must_fire, fact.sentence) == (fired, True, given.sentence)
