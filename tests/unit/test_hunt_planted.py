"""Planted defects that only deviations reveal, each found by a hunt without any scenario. The fencers run in-process."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from conformance.hunt import trial_run
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.hunt.trial_run import try_trace
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Ask, Protocol, Verdict
from profiles import load
from tests.definitions import on_transport
from tests.planted_defects import IPMI, NOT_FOUND, PLANTED, REDFISH, Planted

DELL = load("dell-idrac9")
BUDGET = 2

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("hunt-planted")]


def hunt(mutant: str, world: World, only: str, depth: int = 7) -> Iterator[HuntedRun]:
    """The runs of a search with one kind of deviation, as they are played."""
    ours = trial_run.hunted(on_transport(mutant), DELL, DELL.id, 0)
    search = Search([world], SearchBounds(budget=BUDGET, depth=depth, only=frozenset({only})))
    while (trace := search.next()) is not None:
        run = try_trace(ours, trace, threading.Event(), alone=False)
        search.take(run)
        yield run


def reveals(run: HuntedRun, planted: Planted) -> bool:
    """Whether this run is the find that is looked for, and the fencer without the defect does better with the same deviations."""
    if not run.is_find or run.verdict is not planted.verdict or not run.trace.deviations:
        return False
    base = trial_run.hunted(on_transport(planted.base), DELL, DELL.id, 0)
    return try_trace(base, run.trace, threading.Event()).verdict is not planted.verdict


@pytest.mark.parametrize(
    "planted", [each for each in PLANTED if each.mutant not in NOT_FOUND], ids=lambda planted: planted.mutant
)
def test_a_planted_defect_is_found_with_the_deviation_that_reveals_it(planted: Planted) -> None:
    starts = (Start.ON, Start.OFF) if planted.verdict is Verdict.STUCK else (Start.ON,)
    for start in starts:
        for run in hunt(planted.mutant, World(planted.protocol, Ask.OFF, start), planted.deviation):
            assert run.trace.deviations or run.verdict is Verdict.PASS, "no deviation is needed to reveal it"
            if reveals(run, planted):
                assert len(run.trace.deviations) == planted.deviations
                return
    pytest.fail(f"no {planted.verdict} with {planted.deviation}")


def test_there_are_thirty_and_at_most_two_are_not_found() -> None:
    assert len({planted.mutant for planted in PLANTED}) == len(PLANTED) == 30
    assert set(NOT_FOUND) <= {planted.mutant for planted in PLANTED}
    assert len(NOT_FOUND) <= 2


@pytest.mark.parametrize("protocol", [REDFISH, IPMI])
def test_the_same_deviations_do_not_make_a_careful_fencer_unsafe(protocol: Protocol) -> None:
    for deviation in sorted({each.deviation for each in PLANTED if each.protocol is protocol}):
        for run in hunt("", World(protocol, Ask.OFF, Start.ON), deviation, depth=5):
            if len(run.trace.deviations) > 1:
                break
            assert not (run.is_find and run.verdict is Verdict.UNSAFE), run.trace
