"""Hunts of fence-ha on virtual time: all of one deviation of its BMC and of agents, in every scene. Prints how many runs."""

from __future__ import annotations

import os
import time

import pytest

from conformance.adapters.reading import read
from conformance.hunt import hunting, trial_run
from conformance.hunt.radius import radius_sentence
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import ManagerStart, World
from conformance.vocabulary import Ask, Protocol
from profiles import load
from tests.commands import ROOT

DELL = load("dell-idrac9")
FAR = 1e12

pytestmark = pytest.mark.timeout(2 * 3600)


@pytest.mark.parametrize("scene", ManagerStart)
def test_no_deviation_breaks_fence_ha(scene: ManagerStart) -> None:
    ours = trial_run.hunted(read(ROOT / "tests" / "hunted" / "fence-ha-transport.yaml"), DELL, DELL.id, 0)
    search = Search([World(Protocol.REDFISH, Ask.WATCH, scene)], SearchBounds(budget=1, depth=80))
    jobs, began = len(os.sched_getaffinity(0)), time.monotonic()
    hunting.search_through(ours, search, jobs=jobs, until=FAR, on_run=lambda run: None, on_tick=lambda: None)
    finds = [run for run in search.runs if run.is_find]
    print(f"\n{radius_sentence(finds, search.levels, search.bounds)}; {time.monotonic() - began:.0f} s")
    assert [f"{run.verdict} {run.trace}: {run.why}" for run in finds] == []
    assert all(level.done == level.planned for level in search.levels.values())
