"""The reference fencer through the whole catalogue, and the two regression fencers where the incident is."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import fencers, runner
from conformance.adapters.definition import Definition
from conformance.report import html, junit, model
from conformance.result import Result, exit_code
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import FindingKind, Verdict
from profiles import load

ROOT = Path(__file__).resolve().parent.parent.parent
PROFILES = ("dell-idrac9", "openbmc-x86", "dmtf-generic")

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-matrix")]


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def reference(**params: str) -> Definition:
    """fence_bmc as it stands in this source tree, installed or not; `params` are added to its own."""
    built_in = fencers.load("fence_bmc")
    here = (sys.executable, "-m", "fencer.agent")
    ways = {protocol: replace(way, command=here, params={**way.params, **params}) for protocol, way in built_in.ways.items()}
    return replace(built_in, ways=ways)


def told(results: tuple[Result, ...]) -> dict[str, tuple[str, str]]:
    return {r.id: (r.verdict.value, r.why) for r in results if r.verdict is not Verdict.PASS}


@pytest.mark.parametrize("profile", PROFILES)
def test_the_reference_passes_everything_and_nothing_is_not_applicable(profile: str) -> None:
    results = runner.run(runner.matrix((reference(),), {profile: load(profile)}, ALL), jobs=8)
    assert told(results) == {}
    assert exit_code(results) == 0
    assert model.last_line(results).endswith("0 waived, 0 N/A")
    assert junit.to_junit(results, "test").count("<testcase") == len(ALL)
    assert html.page(results, "test").count("vPASS") > len(ALL)


def test_the_reference_without_its_chassis_check_is_caught_on_openbmc() -> None:
    """Its System says Off seconds before the rail falls; here the rail waits for fifteen looks."""
    cells = runner.matrix((reference(chassis_check="ignore"),), {"openbmc-x86": load("openbmc-x86")}, (BY_ID["ASYNC-004"],))
    (result,) = runner.run(cells, jobs=1)
    assert (result.verdict, result.kind) == (Verdict.UNSAFE, FindingKind.EARLY)


def test_the_incident_and_its_mirror_image_catch_the_cloudstack_shape() -> None:
    scenarios = tuple(BY_ID[name] for name in ("STATE-002", "TRUTH-006"))
    cells = runner.matrix((fencers.load("cloudstack-redfish"),), {"dell-idrac9": load("dell-idrac9")}, scenarios)
    results = runner.run(cells, jobs=2)
    assert [r.verdict for r in results] == [Verdict.STUCK, Verdict.UNSAFE]
    assert exit_code(results) == 3
    assert "409" in results[0].why
    assert any("409" in line.text for line in results[0].stories[0])


def test_the_wrong_repair_of_the_incident_is_caught_by_its_twin() -> None:
    scenarios = tuple(BY_ID[name] for name in ("STATE-007", "IPMI-002"))
    cells = runner.matrix((fencers.load("conflict-is-off"),), {"dell-idrac9": load("dell-idrac9")}, scenarios)
    assert [r.verdict for r in runner.run(cells, jobs=2)] == [Verdict.UNSAFE, Verdict.UNSAFE]
