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


@dataclass(frozen=True, slots=True)
class LinksElsewhere(Given):
    """What `bmc` tells its clients to use next is an absolute URI of the BMC `to`, by its name: the target of Reset, or with
    `task` the Location of the task as which it has accepted a reset."""

    bmc: str
    to: str
    task: bool = False

    @property
    def sentence(self) -> str:
        if self.task:
            return f"{self.bmc} executes every reset and names as its task a URI of another host: {self.to}"
        return f"the System of {self.bmc} names as the target of Reset a URI of another host: {self.to}"

    def arrange(self, emulator: Emulator) -> None:
        emulator.arm(self.bmc, self._armed(emulator))

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        return tuple(
            FaultFacts(sentence=self.sentence, bmc=self.bmc, must_fire=True, fired=status.fired)
            for status in emulator.faults(self.bmc)
            if status.armed == self._armed(emulator)
        )

    def _armed(self, emulator: Emulator) -> Armed:
        target = emulator.endpoints[self.to]
        base = f"https://localhost:{target.redfish_port}"
        if self.task:
            task = {"Location": f"{base}/redfish/v1/TaskService/Tasks/1"}
            fault = make_fault("redfish.reply", status=202, headers=task, executed=True)
            return Armed(fault=fault, when=When(protocol="redfish", intent=Intent.POWER_COMMAND))
        action = f"{base}{_system(target)}/Actions/ComputerSystem.Reset"
        fault = make_fault("redfish.property", property="Actions/#ComputerSystem.Reset/target", what="value", value=action)
        return Armed(fault=fault, when=When(method="GET", path=_system(emulator.endpoints[self.bmc])))


def _system(endpoint: Endpoint) -> str:
    return endpoint.systems[0].uri
