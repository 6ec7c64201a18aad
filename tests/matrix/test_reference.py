"""The reference fencer through the whole catalogue."""

from __future__ import annotations

import pytest

from conformance import runner
from conformance.report import html, junit
from conformance.report.report import FinishedRun
from conformance.result import Result, exit_code
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import reference
from tests.effort import profiles_to_try

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-matrix")]


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def told(results: tuple[Result, ...]) -> dict[str, tuple[str, str]]:
    return {
        r.id: (r.verdict.value, r.why) for r in results if r.verdict not in (Verdict.PASS, Verdict.NA) and not r.informational
    }


@pytest.mark.parametrize("profile", profiles_to_try())
def test_the_reference_passes_everything(profile: str) -> None:
    results = runner.run(runner.matrix((reference(),), {profile: load(profile)}, ALL), jobs=8)
    assert told(results) == {}
    assert exit_code(results) == 0
    finished = FinishedRun(results=results, version="test", seed=0, exit_code=0)
    assert junit.to_junit(finished).count("<testcase") == len(ALL)
    assert html.page(finished).count("vPASS") > len(ALL) / 2
