"""What a BMC with several systems does with the first two: faults that name their URIs, which differ from profile to profile."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from conformance.givens.given import TARGET, FaultFacts, Given
from emulator import Armed, When, make_fault

if TYPE_CHECKING:
    from emulator import Emulator, SystemRef


RESET: Final = "/Actions/ComputerSystem.Reset"
RESET_TARGET: Final = "Actions/#ComputerSystem.Reset/target"


class OtherSystemTrouble(StrEnum):
    BODY = "every read of the target is answered with the body of the other system"
    REDIRECT = "every read of the target is redirected to the other system of the same BMC"
    UNAVAILABLE = "the other system answers 503"
    BETWEEN = "every second read of the target is answered with the body of the other system"
    ACTION = "the Reset action of the target leads to the other system"
    CHASSIS = "the target links to the chassis of the other system first, and then to its own"


def _reads(system: SystemRef, every: int = 1) -> When:
    return When(method="GET", path=system.uri, every=every)


def _linked(*chassis: str) -> str:
    return json.dumps([{"@odata.id": uri} for uri in chassis])


ARMED: Final[Mapping[OtherSystemTrouble, Callable[[SystemRef, SystemRef], Armed]]] = {
    OtherSystemTrouble.BODY: lambda own, other: Armed(fault=make_fault("redfish.body-of", path=other.uri), when=_reads(own)),
    OtherSystemTrouble.REDIRECT: lambda own, other: Armed(
        fault=make_fault("redfish.redirect", location=other.uri, status=302), when=_reads(own)
    ),
    OtherSystemTrouble.UNAVAILABLE: lambda own, other: Armed(
        fault=make_fault("redfish.reply", status=503, headers={"Retry-After": "30"}), when=_reads(other), must_fire=False
    ),
    OtherSystemTrouble.BETWEEN: lambda own, other: Armed(
        fault=make_fault("redfish.body-of", path=other.uri), when=_reads(own, every=2)
    ),
    OtherSystemTrouble.ACTION: lambda own, other: Armed(
        fault=make_fault("redfish.property", property=RESET_TARGET, what="value", value=f"{other.uri}{RESET}"), when=_reads(own)
    ),
    OtherSystemTrouble.CHASSIS: lambda own, other: Armed(
        fault=make_fault("redfish.property", property="Links/Chassis", what="json", value=_linked(other.chassis, own.chassis)),
        when=_reads(own),
    ),
}
"""The fault, made from the target and the other system."""


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
        return ARMED[self.trouble](own, other)
