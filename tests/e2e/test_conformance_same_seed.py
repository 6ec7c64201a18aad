"""Two runs of one seed agree verdict for verdict; tests/nightly has the whole catalogue."""

from __future__ import annotations

import pytest

from conformance import runner
from conformance.adapters.reading import read
from conformance.runner import MatrixCell
from conformance.scenarios import BY_ID
from conformance.vocabulary import Verdict
from profiles import load
from tests.definitions import BAD_FENCERS, mutant

pytestmark = pytest.mark.long

CELLS = (
    ("", "STATE-016", "openbmc-x86"),
    ("", "FLAKY-003", "dell-idrac9"),
    ("", "FAULT-008", "dmtf-generic"),
    ("DropIsDone", "FLAKY-003", "dell-idrac9"),
    ("RefusedIsFailed", "STATE-001", "dell-idrac9"),
    ("AcceptedIsOff", "IPMI-003", "dell-idrac9"),
)


@pytest.mark.timeout(300)
def test_two_runs_of_one_seed_agree() -> None:
    cells = [
        MatrixCell(mutant(name) if name else read(BAD_FENCERS / "honest.yaml"), load(profile), BY_ID[scenario])
        for name, scenario, profile in CELLS
    ]
    results = runner.run((*cells, *cells), options=runner.RunOptions(seed=17))
    told = [(result.id, result.verdict, result.kind, result.why) for result in results]
    assert told[: len(CELLS)] == told[len(CELLS) :]
    assert [result.verdict for result in results[: len(CELLS)]] == [Verdict.PASS] * 3 + [
        Verdict.UNSAFE,
        Verdict.STUCK,
        Verdict.UNSAFE,
    ]
