"""Catalogues: which scenarios count, each with its tier and level, pinned under a name.

A catalogue never changes once it has been published, so that a gate which passed yesterday does not fail today because the suite
has learned a new scenario. Scenarios that a catalogue does not hold run all the same, and what they find is informational. Ids
are never used again for something else. A scenario that another distribution plugs in is its own affair: it always counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from conformance.catalogues.catalogue import Catalogue, CatalogueLevel
from conformance.catalogues.catalogue_2026_1 import CATALOGUE_2026_1
from conformance.scenario import Scenario
from conformance.scenarios import BY_ID

ALL: Final[Mapping[str, Catalogue]] = {catalogue.name: catalogue for catalogue in (CATALOGUE_2026_1,)}
NEWEST: Final = CATALOGUE_2026_1


def is_informational(scenario: Scenario, catalogue: Catalogue) -> bool:
    """Whether a result of this scenario says nothing about the gate."""
    if BY_ID.get(scenario.id) is not scenario:
        return False
    entry = catalogue.entries.get(scenario.id)
    return entry is None or entry.level is CatalogueLevel.INFORMATIONAL


__all__ = ["ALL", "NEWEST", "Catalogue", "CatalogueLevel", "is_informational"]
