"""Hunts of fence_bmc: all combinations of two deviations in the first ten requests on virtual time, and random ones of three.

Prints how many runs that took and how long. `HUNT_SECONDS` is the length of the random search (1800).

And hunts of thirty planted defects, without a hint which deviation reveals them: at least 28 are found.
"""

from __future__ import annotations

import os
import threading
import time

import pytest

from conformance.adapters.reading import read
from conformance.hunt import hunting, trial_run
from conformance.hunt.radius import radius_sentence
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.hunt.trial_run import try_trace
from conformance.vocabulary import Ask, Protocol, Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import on_transport
from tests.planted_defects import NOT_FOUND, PLANTED, Planted

FENCE_BMC = ROOT / "tests" / "hunted" / "fence-bmc-transport.yaml"
DELL = load("dell-idrac9")
FAR = 1e12
MOST_RUNS = 600
"""Runs in which a planted defect has to be found."""
WORLDS = [
    World(protocol, Ask.OFF, start) for protocol in Protocol for start in Start if (protocol, start) != (Protocol.IPMI, Start.TWO)
]

pytestmark = pytest.mark.timeout(2 * 3600)


def hunted(search: Search, until: float) -> list[str]:
    """What counts, in words."""
    ours = trial_run.hunted(read(FENCE_BMC), DELL, DELL.id, search.bounds.seed)
    jobs = len(os.sched_getaffinity(0))
    began = time.monotonic()
    hunting.search_through(ours, search, jobs=jobs, until=until, on_run=lambda run: None, on_tick=lambda: None)
    finds = [run for run in search.runs if run.is_find]
    hidden = sum(run.undetectable for run in search.runs)
    print(f"\n{radius_sentence(finds, search.levels, search.bounds)}; {time.monotonic() - began:.0f} s, {hidden} undetectable")
    return [f"{run.verdict} {run.trace}: {run.why}" for run in finds]


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: f"{world.protocol}-{world.start}")
def test_no_two_deviations_break_fence_bmc(world: World) -> None:
    search = Search([world], SearchBounds(budget=2, depth=10))
    assert hunted(search, FAR) == []
    assert all(level.done == level.planned for level in search.levels.values())


def test_random_deviations_up_to_three_do_not_break_fence_bmc() -> None:
    search = Search(WORLDS, SearchBounds(budget=3, depth=16, seed=int(time.time())))
    print(f"seed {search.bounds.seed}")
    seconds = float(os.environ.get("HUNT_SECONDS", "1800"))
    assert hunted(search, time.monotonic() + seconds) == []


def runs_until_found(planted: Planted) -> int:
    """How many runs a search without a hint takes; 0 where it does not find the defect in `MOST_RUNS` of them."""
    theirs = trial_run.hunted(on_transport(planted.mutant), DELL, DELL.id, 0)
    base = trial_run.hunted(on_transport(planted.base), DELL, DELL.id, 0)
    worlds = [World(planted.protocol, Ask.OFF, start) for start in (Start.ON, Start.OFF)]
    search, stop = Search(worlds, SearchBounds(budget=2, depth=7)), threading.Event()
    while len(search.runs) < MOST_RUNS and (trace := search.next()) is not None:
        run = try_trace(theirs, trace, stop, alone=False)
        search.take(run)
        if not trace.deviations:
            assert run.verdict is Verdict.PASS, f"{planted.mutant}: no deviation is needed to reveal it"
        elif run.is_find and run.verdict is planted.verdict and try_trace(base, trace, stop).verdict is not run.verdict:
            print(f"{planted.mutant}: {run.verdict} in {len(search.runs)} runs, {trace}")
            return len(search.runs)
    print(f"{planted.mutant}: not found in {len(search.runs)} runs: {NOT_FOUND.get(planted.mutant, 'nobody knows why')}")
    return 0


def test_28_of_30_planted_defects_are_found_without_a_hint() -> None:
    found = {planted.mutant: runs_until_found(planted) for planted in PLANTED}
    assert sum(map(bool, found.values())) >= 28
    assert {mutant for mutant, runs in found.items() if not runs} <= set(NOT_FOUND)
