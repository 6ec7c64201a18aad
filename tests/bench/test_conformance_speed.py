"""How long the suite takes with fencers of three kinds: our agent, a foreign agent, and one that runs in the suite's process."""

from __future__ import annotations

import shutil
import time

import pytest

from conformance import fencers, runner
from conformance.adapters.definition import Definition
from conformance.result import Result
from conformance.scenario import Scenario
from conformance.scenarios import ALL
from conformance.selection import USUAL_PROFILES
from conformance.vocabulary import Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import on_transport, reference

pytestmark = pytest.mark.timeout(600)

DELL = "dell-idrac9"
TIER_0 = tuple(scenario for scenario in ALL if scenario.tier == 0)
ALL_OF_OURS_S, TIER_0_OF_THEIRS_S, ALL_IN_PROCESS_S, OVERHEAD_S = 150.0, 180.0, 60.0, 0.05


def timed(
    definition: Definition, profiles: tuple[str, ...], scenarios: tuple[Scenario, ...], jobs: int | None = None
) -> tuple[float, list[Result]]:
    """Seconds, and the results of what could be tried."""
    cells = runner.matrix((definition,), {name: load(name) for name in profiles}, scenarios)
    began = time.monotonic()
    results = runner.run(cells, jobs=jobs)
    return time.monotonic() - began, [result for result in results if result.verdict is not Verdict.NA]


def test_our_agent_all_scenarios_on_one_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    taken, ran = timed(reference(), (DELL,), ALL)
    print(f"fence_bmc, {len(ran)} scenarios on {DELL}: {taken:.0f} s of at most {ALL_OF_OURS_S:.0f} s")
    assert len(ran) == len([scenario for scenario in ALL if scenario.group != "HA"])
    assert taken <= ALL_OF_OURS_S


def test_a_foreign_agent_tier_0_on_one_profile() -> None:
    assert shutil.which("fence_redfish"), "make bench installs it"
    taken, ran = timed(fencers.load("fence_redfish"), (DELL,), TIER_0)
    print(f"fence_redfish, {len(ran)} scenarios of tier 0 on {DELL}: {taken:.0f} s of at most {TIER_0_OF_THEIRS_S:.0f} s")
    assert Verdict.HANG in {result.verdict for result in ran}, "what takes longest is there"
    assert taken <= TIER_0_OF_THEIRS_S


def test_an_in_process_fencer_all_scenarios_without_sockets_on_all_profiles() -> None:
    taken, ran = timed(on_transport(), USUAL_PROFILES, ALL)
    print(f"in-process, {len(ran)} cells on {len(USUAL_PROFILES)} profiles: {taken:.0f} s of at most {ALL_IN_PROCESS_S:.0f} s")
    assert len(ran) > len(USUAL_PROFILES) * len(ALL) / 2
    assert taken <= ALL_IN_PROCESS_S


def test_what_the_suite_adds_to_a_cell() -> None:
    """A fencer that fails at once: all the rest is the suite."""
    timed(on_transport("AlwaysFails"), (DELL,), ALL[:2], jobs=1)  # the worker is there
    taken, ran = timed(on_transport("AlwaysFails"), (DELL,), ALL, jobs=1)
    print(f"{taken / len(ran) * 1000:.0f} ms per cell of at most {OVERHEAD_S * 1000:.0f} ms")
    assert taken / len(ran) <= OVERHEAD_S
