"""What a catalogue is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CatalogueLevel(StrEnum):
    """How much a scenario counts. Safety is a MUST in every scenario that is not informational."""

    MUST = "MUST"
    SHOULD = "SHOULD"  # what it is about is a SHOULD
    INFORMATIONAL = "informational"


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    tier: int
    level: CatalogueLevel = CatalogueLevel.MUST


@dataclass(frozen=True, slots=True)
class Catalogue:
    """`entries` by the id of the scenario."""

    name: str
    entries: Mapping[str, CatalogueEntry]
