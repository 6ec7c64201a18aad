"""A fault that a fencer need not meet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from conformance.givens.given import FaultFacts
from conformance.givens.inject import Inject

if TYPE_CHECKING:
    from emulator import Emulator


@dataclass(frozen=True, slots=True)
class Circumstance(Inject):
    """Arms a fault as `Inject` does, and makes no run void: a fencer that goes another way has been tested all the same.

    For example a collection of systems, which a fencer that is given the URI of its system never reads.
    """

    yaml_word: ClassVar[str] = "circumstance"

    @classmethod
    def of(cls, inject: Inject) -> Circumstance:
        return cls(inject.words, inject.armed, inject.bmc)

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        return ()
