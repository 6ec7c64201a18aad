"""A fencer on virtual time gets the verdicts of the same fencer as a program, in every scenario that needs no socket."""

from __future__ import annotations

import pytest

from conformance import runner
from conformance.adapters.reading import read
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from profiles import load
from tests.definitions import BAD_FENCERS, mutant, on_transport
from tests.effort import profiles_to_try

HONEST = ""
PAIRS = (HONEST, "ClaimOn2xx", "ConflictIsOff", "RefusedIsFailed")

pytestmark = [pytest.mark.timeout(3600), pytest.mark.xdist_group("conformance-virtual-time")]


@pytest.mark.parametrize("profile", profiles_to_try())
@pytest.mark.parametrize("name", PAIRS, ids=lambda name: name or "honest")
def test_a_verdict_does_not_depend_on_sockets(name: str, profile: str) -> None:
    program = mutant(name) if name else read(BAD_FENCERS / "honest.yaml")
    profiles = {profile: load(profile)}
    virtual = runner.run(runner.matrix((on_transport(name),), profiles, ALL), jobs=4)
    tried = [scenario for scenario, result in zip(ALL, virtual, strict=True) if result.verdict is not Verdict.NA]
    real = runner.run(runner.matrix((program,), profiles, tried), jobs=8)
    assert len(tried) >= 19
    assert {r.id: (r.verdict, r.kind) for r in virtual if r.verdict is not Verdict.NA} == {
        r.id: (r.verdict, r.kind) for r in real
    }
