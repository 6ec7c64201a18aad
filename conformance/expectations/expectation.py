"""What every expectation offers. The judge calls `check` for each ask; `explain` prints `phrase`.

Rules
  1. An expectation is a frozen dataclass without state: one object serves all runs, in several threads at once.
  2. `check` is a pure function of one ask (`AskCase`): the journal between start and claim, the truth at the claim, and what the
     fencer said. It knows no socket, clock or file.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from conformance.expectations.case import AskCase
from conformance.finding import Finding
from conformance.vocabulary import Level


class Expectation(ABC):
    """One thing that must hold for one ask."""

    __slots__ = ()

    @property
    def met_by_failing(self) -> bool:
        """Whether a fencer that ends as a failure without any try has done what is expected."""
        return False

    @abstractmethod
    def phrase(self) -> str:
        """What the fencer is expected to do, in words that continue "the fencer ..."."""

    @abstractmethod
    def check(self, case: AskCase) -> Finding | None:
        """The finding where it does not hold, None where it does."""


def should(level: Level) -> str:
    """What a phrase ends with where no MUST is broken."""
    return "" if level is Level.MUST else f" ({level})"
