"""What every part of a profile needs: evidence, sources, spans of time, and the word for what is not sent. `model` uses it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ABSENT: Final = "absent"
"""The word in a profile for a property that the service does not send (`null` is sent as null)."""


class Confidence(StrEnum):
    CAPTURED = "captured"
    DOCUMENTED = "documented"
    REPORTED = "reported"
    INFERRED = "inferred"


@dataclass(frozen=True, slots=True)
class FactEvidence:
    """The evidence for a value: a confidence and ids of `Profile.sources`."""

    confidence: Confidence
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    ref: str
    commit: str | None = None
    licence: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A time in seconds. If `low` and `high` differ, the rack draws one uniformly, from its seed."""

    low: float
    high: float
