"""The reference fencer through the whole catalogue, over Redfish, over IPMI and over both; its waivers alone are forgiven."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from conformance import runner, waivers
from conformance.report import html, junit
from conformance.report.report import FinishedRun
from conformance.result import Result, exit_code
from conformance.scenarios import ALL
from conformance.vocabulary import Protocol, Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import reference
from tests.effort import profiles_to_try

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-matrix")]


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def told(results: tuple[Result, ...]) -> dict[str, tuple[str, str]]:
    fine = (Verdict.PASS, Verdict.NA, Verdict.WAIVED)
    return {r.id: (r.verdict.value, r.why) for r in results if r.verdict not in fine and not r.informational}


def forgiven(results: tuple[Result, ...]) -> tuple[Result, ...]:
    return waivers.apply(results, waivers.read(ROOT / "tests" / "waivers" / "fence_bmc.yaml"), datetime.date.today())


@pytest.mark.parametrize("profile", profiles_to_try())
def test_the_reference_passes_everything(profile: str) -> None:
    results = forgiven(runner.run(runner.matrix((reference(),), {profile: load(profile)}, ALL)))
    assert told(results) == {}
    assert exit_code(results, strict_waivers=True) == 0
    assert {r.scenario.group for r in results if r.verdict is Verdict.NA} <= {"HA"}
    finished = FinishedRun(results=results, version="test", seed=0, exit_code=0)
    assert junit.to_junit(finished).count("<testcase") == len(ALL)
    assert html.page(finished).count("vPASS") > len(ALL) / 2


@pytest.mark.parametrize("profile", profiles_to_try())
def test_it_passes_everything_over_ipmi_alone_and_over_both(profile: str) -> None:
    usual = reference()
    assert usual.both is not None
    over_ipmi = replace(usual, name="over IPMI", ways={Protocol.IPMI: usual.ways[Protocol.IPMI]})
    over_both = replace(usual, name="over both", ways={**usual.ways, Protocol.REDFISH: usual.both})
    for definition in (over_ipmi, over_both):
        results = runner.run(runner.matrix((definition,), {profile: load(profile)}, ALL))
        assert told(forgiven(results)) == {}
