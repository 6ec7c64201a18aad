"""A fault that a fencer may never meet; then nothing is wrong with the run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.givens.given import FaultFacts
from conformance.givens.inject import Inject

if TYPE_CHECKING:
    from emulator import Emulator


@dataclass(frozen=True, slots=True)
class Perhaps(Inject):
    """Like `Inject`, and no run is void for it: chance decides, or it lies on one of several good ways."""

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        return ()
