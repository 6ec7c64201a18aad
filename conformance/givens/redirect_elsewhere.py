"""A BMC that sends its clients to another listener, which would answer instead of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from conformance.givens.given import FaultFacts, Given
from emulator import Armed, Endpoint, Intent, When, make_fault

if TYPE_CHECKING:
    from emulator import Emulator

SESSIONS: Final = "/redfish/v1/SessionService/Sessions"
FAULT: Final = "redfish.redirect"


@dataclass(frozen=True, slots=True)
class RedirectElsewhere(Given):
    """Reads of the power state and log-ins at `bmc` are redirected to the BMC `to`: to its name ("https", another host), or over
    plain HTTP to the same address ("http"), which `to` has to speak then."""

    bmc: str
    to: str
    scheme: str = "https"

    @property
    def sentence(self) -> str:
        where = "another host" if self.scheme == "https" else "plain HTTP on another port"
        return f"{self.bmc} redirects every read of the power state and every log-in to {where}: {self.to}"

    def arrange(self, emulator: Emulator) -> None:
        target = emulator.endpoints[self.to]
        host = "localhost" if self.scheme == "https" else target.host
        base = f"{self.scheme}://{host}:{target.redfish_port}"
        for intent, path in ((Intent.POWER_READ, _system(target)), (Intent.LOGIN, SESSIONS)):
            fault = make_fault(FAULT, location=f"{base}{path}", status=307)
            emulator.arm(self.bmc, Armed(fault=fault, when=When(protocol="redfish", intent=intent)))

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        """One for both: a fencer that logs in meets the one, a fencer with Basic the other."""
        fired = sum(fault.fired for fault in emulator.faults(self.bmc) if fault.type == FAULT)
        return (FaultFacts(sentence=self.sentence, bmc=self.bmc, must_fire=True, fired=fired),)


def _system(endpoint: Endpoint) -> str:
    return endpoint.systems[0].uri
