"""All scenarios for managers: fence-ha passes them on BMCs of several vendors, CloudStack's rules are UNSAFE."""

from __future__ import annotations

import pytest

from conformance import fencers, runner
from conformance.result import exit_code
from conformance.runner import MatrixCell
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from profiles import load

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("managers")]
MANAGERS = tuple(scenario for scenario in ALL if scenario.group == "HA")


@pytest.mark.parametrize("profile", ["dell-idrac9", "dmtf-generic", "openbmc-x86"])
def test_fence_ha_passes_every_scenario_for_managers(profile: str) -> None:
    cells = [MatrixCell(fencers.load("fence-ha"), load(profile), scenario) for scenario in MANAGERS]
    results = runner.run(cells, jobs=4)
    assert [(r.scenario.id, r.verdict, r.why) for r in results if r.verdict is not Verdict.PASS] == []
    assert exit_code(results) == 0


def test_cloudstacks_rules_end_with_3() -> None:
    cells = [MatrixCell(fencers.load("cloudstack-ha"), load("dell-idrac9"), scenario) for scenario in MANAGERS]
    results = runner.run(cells, jobs=4)
    assert exit_code(results) == 3
    stuck = {r.scenario.id for r in results if r.verdict is Verdict.STUCK}
    assert {"HA-001", "HA-009", "HA-010"} <= stuck, "a host that is off already is never Down"
