"""A fault that is armed on a BMC before the fencer starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from conformance.givens.given import TARGET, FaultFacts, Given
from emulator import Armed

if TYPE_CHECKING:
    from emulator import Emulator


@dataclass(frozen=True, slots=True)
class Inject(Given):
    """`words` say what the fencer will meet."""

    yaml_word: ClassVar[str] = "fault"
    words: str
    armed: Armed
    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return self.words

    def arrange(self, emulator: Emulator) -> None:
        emulator.arm(self.bmc, self.armed)

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        return tuple(
            FaultFacts(
                sentence=self.sentence,
                bmc=self.bmc,
                must_fire=self.armed.must_fire,
                fired=fault.fired,
                protocol=self.armed.when.protocol,
            )
            for fault in emulator.faults(self.bmc)
            if fault.armed is self.armed
        )
