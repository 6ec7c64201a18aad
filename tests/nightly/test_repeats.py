"""Verdicts do not depend on how busy the machine is, and two runs of one seed agree.

`REPEATS=100` in the environment repeats more often.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from conformance import runner
from conformance.result import Result
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from profiles import load
from tests.commands import ROOT
from tests.definitions import reference

DELL = "dell-idrac9"
REPEATS = int(os.environ.get("REPEATS", "20"))
TIER_0 = tuple(scenario for scenario in ALL if scenario.tier == 0)
SPINS = "while True: pass"

pytestmark = [pytest.mark.timeout(4 * 3600), pytest.mark.xdist_group("conformance-repeats")]


@pytest.fixture(autouse=True)
def ours_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@contextmanager
def every_core_busy() -> Iterator[None]:
    spinning = [subprocess.Popen((sys.executable, "-c", SPINS)) for _ in os.sched_getaffinity(0)]
    try:
        yield
    finally:
        for each in spinning:
            each.kill()
            each.wait()


def told(results: tuple[Result, ...]) -> list[tuple[str, Verdict, object]]:
    return [(result.id, result.verdict, result.kind) for result in results]


def test_tier_0_gives_the_same_verdicts_again_and_again_while_every_core_is_busy() -> None:
    cells = runner.matrix((reference(),), {DELL: load(DELL)}, TIER_0)
    first = told(runner.run(cells))
    with every_core_busy():
        for number in range(REPEATS):
            results = runner.run(cells)
            unsettled = {result.id: result.runs for result in results if result.verdict is Verdict.FLAKY}
            assert unsettled == {}, f"repeat {number}"
            assert told(results) == first, f"repeat {number}"


def test_two_runs_of_one_seed_agree() -> None:
    cells = runner.matrix((reference(),), {DELL: load(DELL)}, ALL)
    first, second = (runner.run(cells, options=runner.RunOptions(seed=17)) for _ in range(2))
    assert told(first) == told(second)
