"""No verdict depends on how a fencer writes a request: one mutant per class of defect, the spellings in turn.

The full product is in `tests/nightly/test_spellings.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from conformance.result import Result
from tests.spelled_fencers import HONEST, Spelled, check, judged

DELL = "dell-idrac9"
OPENBMC = "openbmc-x86"

CELLS = tuple(
    Spelled(*cell)
    for cell in (
        # Sends first and takes any refusal for a failure: no spelling escapes the refusal.
        *(
            ("RefusedIsFailed", spelling, scenario, DELL)
            for scenario in ("STATE-001", "STATE-002", "STATE-004")
            for spelling in ("slash", "session", "absolute")
        ),
        ("ClaimOn2xx", "slash", "STATE-016", DELL),
        ("ConflictIsOff", "absolute", "STATE-007", DELL),
        ("UnknownIsOff", "expand", "STATE-009", DELL),
        ("LastMember", "expand", "ID-001", DELL),
        ("DropIsDone", "slash", "FAULT-008", DELL),
        ("Hammers", "session", "STATE-016", DELL),
        ("WritesToAsk", "absolute", "STATE-019", DELL),
        ("IgnoresChassis", "slash", "STATE-016", OPENBMC),
        ("NotInStateIsOff", "acpi", "IPMI-002", DELL),
        ("NotInStateIsFailed", "acpi", "STATE-003", DELL),
        # Who reads is seen to read.
        (HONEST, "expand", "STATE-001", DELL),
        (HONEST, "expand", "STATE-016", DELL),
        (HONEST, "slash", "FAULT-008", DELL),
        (HONEST, "session", "STATE-016", OPENBMC),
        (HONEST, "absolute", "STATE-016", DELL),
        (HONEST, "acpi", "STATE-003", DELL),
    )
)

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("conformance-spellings")]


@pytest.fixture(scope="module")
def results() -> Mapping[Spelled, Result]:
    return judged(CELLS)


@pytest.mark.parametrize("cell", CELLS, ids=["-".join(cell[:3]) for cell in CELLS])
def test_a_verdict_does_not_depend_on_the_spelling(results: Mapping[Spelled, Result], cell: Spelled) -> None:
    check(cell, results[cell])
