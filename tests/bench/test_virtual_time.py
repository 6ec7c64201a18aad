"""How fast in-process fencers are tried: cells per second, and what the suite adds to each."""

from __future__ import annotations

import time

from conformance import runner
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from profiles import load
from profiles.loader import names
from tests.definitions import on_transport

OVERHEAD_S = 0.05
CATALOGUE = 114
ALL_S = 60.0


def test_every_scenario_without_sockets_on_every_profile() -> None:
    profiles = {name: load(name) for name in names()}
    cells = runner.matrix((on_transport(),), profiles, ALL)
    runner.run(cells[:4], jobs=2)  # the workers are there
    began = time.monotonic()
    results = runner.run(cells, jobs=2)
    taken = time.monotonic() - began
    ran = [result for result in results if result.verdict is not Verdict.NA]
    whole = CATALOGUE * len(profiles) * taken / len(ran)
    print(f"{len(ran)} cells in {taken:.1f} s, {len(ran) / taken:.0f} per second; whole catalogue, all profiles: {whole:.0f} s")
    assert whole <= ALL_S


def test_what_the_suite_adds_to_a_cell() -> None:
    """A fencer that fails at once: all the rest is the suite."""
    cells = runner.matrix((on_transport("AlwaysFails"),), {"dell-idrac9": load("dell-idrac9")}, ALL)
    runner.run(cells[:2], jobs=1)
    began = time.monotonic()
    results = runner.run(cells, jobs=1)
    each = (time.monotonic() - began) / sum(result.verdict is not Verdict.NA for result in results)
    print(f"{each * 1000:.0f} ms per cell")
    assert each <= OVERHEAD_S
