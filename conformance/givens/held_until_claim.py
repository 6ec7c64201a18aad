"""A host that moves only when another fencer has got its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.givens.given import Given
from conformance.vocabulary import Ask
from emulator import Armed, make_fault

if TYPE_CHECKING:
    from emulator import Emulator

HELD: Final = Armed(fault=make_fault("power.hold"), must_fire=False)
READS: Final = 3
THEN: Final = Armed(fault=make_fault("power.gate", gate=READS), must_fire=False)


@dataclass(frozen=True, slots=True)
class HeldUntilClaim(Given):
    """No power command moves the host of this BMC before this ask has been answered, so that its answer is true when it is given,
    whatever the others do meanwhile; then the host moves when its power has been read three times."""

    bmc: str
    ask: Ask

    @property
    def sentence(self) -> str:
        return (
            f"{self.bmc}: the host moves only when {self.ask} has been answered and its power has been read {READS} times since"
        )

    def arrange(self, emulator: Emulator) -> None:
        emulator.arm(self.bmc, HELD)

    def claimed(self, emulator: Emulator, ask: Ask, bmc: str) -> None:
        if (ask, bmc) == (self.ask, self.bmc):
            emulator.arm(bmc, THEN)
            emulator.expect_reads(bmc, READS)  # first: a gate goes with the fault that made it, unless somebody has taken it over
            for fault in emulator.faults(bmc):
                if fault.armed is HELD:
                    emulator.disarm(fault.id)
