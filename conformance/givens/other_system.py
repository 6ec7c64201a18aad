"""What a BMC with several systems does with the first two: faults that name their URIs, which differ from profile to profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from conformance.givens.given import TARGET, FaultFacts, Given
from emulator import Armed, When, make_fault

if TYPE_CHECKING:
    from emulator import Emulator


class OtherSystemTrouble(StrEnum):
    BODY = "every read of the target is answered with the body of the other system"
    REDIRECT = "every read of the target is redirected to the other system of the same BMC"
    UNAVAILABLE = "the other system answers 503"


def _reads(uri: str) -> When:
    return When(method="GET", path=uri)


ARMED: Final[Mapping[OtherSystemTrouble, Callable[[str, str], Armed]]] = {
    OtherSystemTrouble.BODY: lambda own, other: Armed(fault=make_fault("redfish.body-of", path=other), when=_reads(own)),
    OtherSystemTrouble.REDIRECT: lambda own, other: Armed(
        fault=make_fault("redfish.redirect", location=other, status=302), when=_reads(own)
    ),
    OtherSystemTrouble.UNAVAILABLE: lambda own, other: Armed(
        fault=make_fault("redfish.reply", status=503, headers={"Retry-After": "30"}), when=_reads(other), must_fire=False
    ),
}
"""The fault, made from the URI of the target and of the other system."""


@dataclass(frozen=True, slots=True)
class OtherSystem(Given):
    """`needed` False: a fencer that goes another way has been tested all the same."""

    trouble: OtherSystemTrouble
    needed: bool = True
    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return self.trouble.value

    def arrange(self, emulator: Emulator) -> None:
        emulator.arm(self.bmc, self._armed(emulator))

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        if not self.needed:
            return ()
        armed = self._armed(emulator)
        return tuple(
            FaultFacts(sentence=self.sentence, bmc=self.bmc, must_fire=armed.must_fire, fired=status.fired)
            for status in emulator.faults(self.bmc)
            if status.armed == armed
        )

    def _armed(self, emulator: Emulator) -> Armed:
        own, other, *_ = emulator.endpoints[self.bmc].systems
        return ARMED[self.trouble](own.uri, other.uri)
