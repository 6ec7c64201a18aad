"""A fault that is armed on a BMC before the fencer starts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from conformance.givens.given import TARGET, FaultFacts, Given
from emulator import Armed

if TYPE_CHECKING:
    from emulator import Emulator
    from profiles.model import Profile

SWALLOWS_ON = "power.swallow-on"


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

    def missing_in(self, profile: Profile) -> str | None:
        """An On that the BMC refuses is never swallowed: some refuse every On for a while after a power-off."""
        refused = [window for window in profile.power.windows if window.after == "force_off" and "On" in window.reset]
        if self.armed.fault.name != SWALLOWS_ON or not refused:
            return None
        return f"{profile.id} refuses On for up to {refused[0].for_s.high:g} s after a power-off"

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
