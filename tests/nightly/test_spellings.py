"""Every planted mutant, and the honest fencer in every scenario, in every spelling of their requests."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from conformance.catalogues import NEWEST, is_informational
from conformance.result import Result
from conformance.scenarios import ALL
from tests.matrix.test_bad_fencers import CAUGHT, OF_OTHERS
from tests.spelled_fencers import HONEST, Spelled, check, judged, spellings_of

NOT_SPELLED = frozenset({("RetriesRefusedPassword", "session")})
"""Its defect is to repeat Basic credentials, which a fencer with a session does not send."""
PROGRAM = "wrong-exits"  # no fencer of ours to respell
NOT_HONESTS = frozenset(scenario for _, scenario in OF_OTHERS)
PROFILES = ("dell-idrac9", "openbmc-x86")

MUTANTS = tuple(
    Spelled(mutant, spelling, scenario, profile)
    for mutant, scenario, profile, *_ in CAUGHT
    if mutant != PROGRAM
    for spelling in spellings_of(scenario, profile)
    if (mutant, spelling) not in NOT_SPELLED
)
CAREFUL = tuple(
    Spelled(HONEST, spelling, scenario.id, profile)
    for profile in PROFILES
    for scenario in ALL
    if scenario.id not in NOT_HONESTS and scenario.group != "HA" and not is_informational(scenario, NEWEST)
    for spelling in spellings_of(scenario.id, profile)
)
CELLS = MUTANTS + CAREFUL

pytestmark = [pytest.mark.timeout(3600), pytest.mark.xdist_group("conformance-spellings")]


@pytest.fixture(scope="module")
def results() -> Mapping[Spelled, Result]:
    return judged(CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=["-".join(cell) for cell in CELLS])
def test_a_verdict_does_not_depend_on_the_spelling(results: Mapping[Spelled, Result], cell: Spelled) -> None:
    check(cell, results[cell])
