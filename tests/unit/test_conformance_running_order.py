"""The longest scenarios are begun first, and what comes back is in the order that was asked for."""

from __future__ import annotations

import os

import pytest

from conformance import runner
from conformance.running_order import default_jobs, longest_first
from conformance.scenarios import ALL, BY_ID
from profiles import load
from tests.definitions import on_transport


def test_many_asks_and_those_that_last_to_the_deadline_come_first() -> None:
    some = [BY_ID[name] for name in ("STATE-001", "TIME-003", "AUTH-007", "STATE-016")]
    assert [some[number].id for number in longest_first(some)] == ["AUTH-007", "TIME-003", "STATE-001", "STATE-016"]
    assert sorted(longest_first(ALL)) == list(range(len(ALL)))


def test_asks_at_the_same_time_take_as_long_as_the_longest() -> None:
    some = [BY_ID["AUTH-007"], BY_ID["CONC-001"], BY_ID["TIME-003"]]
    assert longest_first(some) == (0, 2, 1)


def test_eight_at_a_time_for_each_core(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert default_jobs() == 16
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(128)))
    assert default_jobs() == 256


def test_results_are_in_the_order_of_the_cells() -> None:
    wanted = ["TLS-001", "AGENT-003", "AUTH-010", "AGENT-001"]  # nothing that an in-process fencer can be tried on: no run
    cells = runner.matrix((on_transport(),), {"dell-idrac9": load("dell-idrac9")}, [BY_ID[name] for name in wanted])
    assert [result.scenario.id for result in runner.run(cells)] == wanted
