"""The reference fencer through the whole catalogue, over Redfish, over IPMI and over both; its waivers alone are forgiven.

`make nightly-matrix` plays it on every profile, and what every report then says of unknown cells is compared with the profile.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest

from conformance import runner, waivers
from conformance.report import html, junit, model
from conformance.report.report import FinishedRun
from conformance.result import Result, exit_code
from conformance.scenarios import ALL
from conformance.vocabulary import Protocol, Verdict
from profiles import load
from profiles.model import Profile
from tests.commands import ROOT
from tests.definitions import reference
from tests.effort import NIGHTLY, profiles_to_try
from tests.report_samples import FORMS

pytestmark = [pytest.mark.timeout(3600 if NIGHTLY else 600), pytest.mark.xdist_group("conformance-matrix")]


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def told(results: tuple[Result, ...]) -> dict[str, tuple[str, str]]:
    fine = (Verdict.PASS, Verdict.NA, Verdict.WAIVED)
    return {r.id: (r.verdict.value, r.why) for r in results if r.verdict not in fine and not r.informational}


def has_both(profile: Profile) -> bool:
    return profile.http.served and profile.ipmi.lan


def forgiven(results: tuple[Result, ...]) -> tuple[Result, ...]:
    return waivers.apply(results, waivers.read(ROOT / "tests" / "waivers" / "fence_bmc.yaml"), datetime.date.today())


@pytest.mark.parametrize("profile", profiles_to_try())
def test_the_reference_passes_everything(profile: str) -> None:
    bmc = load(profile)
    results = forgiven(runner.run(runner.matrix((reference(),), {profile: bmc}, ALL)))
    assert told(results) == {}
    assert exit_code(results, strict_waivers=True) == 0
    if has_both(bmc):
        assert {r.scenario.group for r in results if r.verdict is Verdict.NA} <= {"HA"}
    finished = FinishedRun(results=results, version="test", seed=0, exit_code=0)
    assert junit.to_junit(finished).count("<testcase") == len(ALL)
    assert html.page(finished).count("vPASS") > (len(ALL) / 2 if bmc.http.served else len(ALL) / 4)
    met = sum(result.assumed for result in results)
    assert bool(met) or not bmc.identity_only
    for form, write in FORMS.items():
        text = write(finished)
        assert (f"{profile}: {met} power commands in " in text) is bool(met), form
        assert (model.IDENTITY_ONLY in text) is bmc.identity_only, form


@pytest.mark.parametrize("profile", profiles_to_try())
def test_it_passes_everything_over_ipmi_alone_and_over_both(profile: str) -> None:
    usual = reference()
    assert usual.both is not None
    over_ipmi = replace(usual, name="over IPMI", ways={Protocol.IPMI: usual.ways[Protocol.IPMI]})
    over_both = replace(usual, name="over both", ways={**usual.ways, Protocol.REDFISH: usual.both})
    bmc = load(profile)
    fitting = ((over_ipmi, bmc.ipmi.lan), (over_both, has_both(bmc)))
    for definition in (definition for definition, fits in fitting if fits):
        results = runner.run(runner.matrix((definition,), {profile: bmc}, ALL))
        assert told(forgiven(results)) == {}
