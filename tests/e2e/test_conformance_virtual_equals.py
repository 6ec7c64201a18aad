"""A fencer on virtual time gets the verdicts of the same fencer as a program: a sample; tests/nightly has all of them."""

from __future__ import annotations

import pytest

from conformance import runner
from conformance.adapters.reading import read
from conformance.runner import MatrixCell
from conformance.scenarios import BY_ID
from profiles import load
from tests.definitions import BAD_FENCERS, mutant, on_transport

CELLS = (
    ("", "STATE-001", "dell-idrac9"),
    ("", "STATE-016", "openbmc-x86"),
    ("", "STATE-003", "dell-idrac9"),
    ("", "FAULT-010", "dmtf-generic"),
    ("ClaimOn2xx", "TRUTH-001", "dell-idrac9"),
    ("ConflictIsOff", "STATE-007", "dell-idrac9"),
    ("RefusedIsFailed", "STATE-001", "dell-idrac9"),
)

pytestmark = [pytest.mark.timeout(300), pytest.mark.xdist_group("conformance-virtual-time"), pytest.mark.long]


def test_a_verdict_does_not_depend_on_sockets() -> None:
    virtual = [MatrixCell(on_transport(name), load(profile), BY_ID[scenario]) for name, scenario, profile in CELLS]
    real = [
        MatrixCell(mutant(name) if name else read(BAD_FENCERS / "honest.yaml"), load(profile), BY_ID[scenario])
        for name, scenario, profile in CELLS
    ]
    results = runner.run((*virtual, *real), jobs=4)
    told = [(result.verdict, result.kind, result.scenario.id) for result in results]
    assert told[: len(CELLS)] == told[len(CELLS) :]
    assert len({verdict for verdict, *_ in told}) >= 3
