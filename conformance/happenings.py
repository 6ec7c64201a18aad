"""What happens to a host or its BMC between two asks. A step of a scenario names one; `play_scenario` lets it happen.

Rules
  1. A happening is a frozen dataclass without state: one object serves all runs, in several threads at once.
  2. It happens before the ask of its step is stamped into the journal, so the judge sees it as given.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from emulator import Emulator


class Happening(ABC):
    """One thing that happens."""

    __slots__ = ()

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What has happened, for people: it goes before "off of target"."""

    @abstractmethod
    def happen(self, emulator: Emulator, bmc: str) -> None:
        """Lets it happen to the BMC of the step. Called in the thread of the run."""


@dataclass(frozen=True, slots=True)
class HostFalls(Happening):
    """The host loses its power, and its BMC says so."""

    @property
    def sentence(self) -> str:
        return "the host has gone off meanwhile"

    def happen(self, emulator: Emulator, bmc: str) -> None:
        emulator.cut(bmc)
