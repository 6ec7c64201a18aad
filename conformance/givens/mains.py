"""The input power of a BMC and its hosts: lost, or lost and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.givens.given import TARGET, Given
from emulator import RestorePolicy

if TYPE_CHECKING:
    from emulator import Emulator

NAMES: Final = {
    RestorePolicy.ALWAYS_ON: "AlwaysOn",
    RestorePolicy.ALWAYS_OFF: "AlwaysOff",
    RestorePolicy.PREVIOUS: "LastState",
}
"""As Redfish calls them (PowerRestorePolicy)."""


@dataclass(frozen=True, slots=True)
class MainsLost(Given):
    """The input power is gone before the fencer starts: the host is off and the BMC is dark."""

    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"{self.bmc}: the input power is lost; the host is off and the BMC does not answer"

    def arrange(self, emulator: Emulator) -> None:
        emulator.mains_lost(self.bmc)


@dataclass(frozen=True, slots=True)
class MainsBack(Given):
    """The input power was lost and is back: the BMC answers, and its host does what its restore policy says when its power has
    been read `reads` times; until then it is off."""

    policy: RestorePolicy
    bmc: str = TARGET
    reads: int = 1

    @property
    def sentence(self) -> str:
        policy = NAMES[self.policy]
        return f"{self.bmc}: the input power was lost and is back; the host follows {policy} with read {self.reads} of its power"

    def arrange(self, emulator: Emulator) -> None:
        emulator.set_restore_policy(self.bmc, self.policy)
        emulator.mains_lost(self.bmc)
        emulator.mains_back(self.bmc, restore_after_reads=self.reads)
