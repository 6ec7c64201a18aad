"""Hunts of fence_bmc: all combinations of two deviations in the first ten requests on virtual time, and random ones of three.

Prints how many runs that took and how long. `HUNT_SECONDS` is the length of the random search (1800).
"""

from __future__ import annotations

import os
import time

import pytest

from conformance.adapters.reading import read
from conformance.hunt import hunting, trial_run
from conformance.hunt.radius import radius_sentence
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.vocabulary import Ask, Protocol
from profiles import load
from tests.commands import ROOT

FENCE_BMC = ROOT / "tests" / "hunted" / "fence-bmc-transport.yaml"
DELL = load("dell-idrac9")
FAR = 1e12
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
