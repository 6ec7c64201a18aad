"""The mutants of both fencers, by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from tools.mutation_score.literal_change import Mutant

FENCERS: Final = ("reference", "careful")


@cache
def by_id(fencer: str) -> Mapping[str, Mutant]:
    """Those of one fencer, in the order of its tables."""
    mutants = of(fencer)
    found = {mutant.id: mutant for mutant in mutants}
    assert len(found) == len(mutants), "an id stands for one mutant"
    return found


def of(fencer: str) -> Sequence[Mutant]:
    from tools.mutation_score import careful_asks, careful_requests, reference_commands, reference_proof

    if fencer == "reference":
        return (*reference_proof.MUTANTS, *reference_commands.MUTANTS)
    return (*careful_asks.MUTANTS, *careful_requests.MUTANTS)
