"""The hosts that an HA manager watches: a BMC and an agent each, and workloads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from conformance.givens.bmc import ON, host
from conformance.givens.given import TARGET, FaultFacts, Given, PlannedRack
from conformance.site import OPERATOR
from conformance.timeline import text
from conformance.workloads import RETURNS

if TYPE_CHECKING:
    from conformance.site import Agents, ManagedSite
    from emulator import Emulator

WORKLOADS_OF_TARGET = 2


@dataclass(frozen=True, slots=True)
class Cluster(Given):
    """Hosts that are on, each with one BMC, an agent that answers, and workloads: two on the first host, one on each other."""

    hosts: tuple[str, ...] = (TARGET, "second", "third")

    @property
    def sentence(self) -> str:
        return f"a manager watches {len(self.hosts)} hosts that are on; {WORKLOADS_OF_TARGET} workloads run on {self.hosts[0]}"

    def shape(self, rack: PlannedRack) -> PlannedRack:
        for name in self.hosts:
            rack = host(ON, name=name).shape(rack)
        counts = {name: WORKLOADS_OF_TARGET if name == self.hosts[0] else 1 for name in self.hosts}
        workloads = {name: tuple(f"{name}-vm{n}" for n in range(1, count + 1)) for name, count in counts.items()}
        return replace(rack, workloads=workloads)


@dataclass(frozen=True, slots=True)
class Fails(Given):
    """What happens to hosts when the manager has taken all of them up.

    `cut`: the host loses its power, its BMC answers. `silent`: its agent is not reached any more; the host and its workloads run
    on. `mains`: the input power of host and BMC is lost.
    """

    how: Literal["cut", "silent", "mains"]
    hosts: tuple[str, ...] = (TARGET,)

    @property
    def sentence(self) -> str:
        what = {
            "cut": "loses its power; its BMC answers",
            "silent": "is not reached any more, and runs on",
            "mains": "loses its input power, with its BMC",
        }
        return f"then {', '.join(self.hosts)} {what[self.how]}"

    def watched(self, emulator: Emulator, agents: Agents) -> None:
        if self.how == "silent":
            agents.mute(*self.hosts)
            return
        for name in self.hosts:
            (emulator.cut if self.how == "cut" else emulator.mains_lost)(name)


@dataclass(frozen=True, slots=True)
class SameBmc(Given):
    """The manager is told the BMC of one host for another host too: a slip in its configuration."""

    told_for: str
    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"the manager's configuration names the BMC of {self.bmc} for {self.told_for} too"

    def told_to_manager(self, site: ManagedSite) -> ManagedSite:
        return site.told(self.told_for, site.host(self.bmc).bmc)


@dataclass(frozen=True, slots=True)
class FirstTargetRefuses(Given):
    """The first host that is asked to start a workload refuses: nothing was started there."""

    @property
    def sentence(self) -> str:
        return "the first host that is asked to start a workload refuses this workload; nothing was started"

    def watched(self, emulator: Emulator, agents: Agents) -> None:
        agents.refuse_first_start()


@dataclass(frozen=True, slots=True)
class ComesOnAgain(Given):
    """As soon as the manager has called the host down, somebody presses its power button."""

    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"as soon as {self.bmc} has been called down, somebody switches it on"

    def claimed_down(self, emulator: Emulator, bmc: str) -> None:
        from emulator import PowerAction  # brings the emulator, which only a run needs

        if bmc == self.bmc:
            emulator.power(bmc, PowerAction.ON)


@dataclass(frozen=True, slots=True)
class Returns(Given):
    """A silent host is reached again in the middle of its fence: when its power has been read after a power command."""

    bmc: str = TARGET

    @property
    def sentence(self) -> str:
        return f"{self.bmc} is reached again as soon as its power has been read after an accepted power command"

    def watched(self, emulator: Emulator, agents: Agents) -> None:
        agents.answer_after_command(self.bmc)

    def faults(self, emulator: Emulator) -> tuple[FaultFacts, ...]:
        fired = sum(event.bmc == self.bmc and text(event, "what") == RETURNS for event in emulator.events())
        return (FaultFacts(sentence=self.sentence, bmc=self.bmc, must_fire=True, fired=fired),)


@dataclass(frozen=True, slots=True)
class Confirmed(Given):
    """An operator has seen that the host is off and confirms it by hand, as soon as the manager takes it.

    For managers whose file says how (`confirm`).
    """

    @property
    def sentence(self) -> str:
        return f"an operator, {OPERATOR}, confirms by hand that the host is off"

    @property
    def told_by(self) -> frozenset[str]:
        return frozenset({"confirm"})

    def told_to_manager(self, site: ManagedSite) -> ManagedSite:
        return replace(site, is_confirmed=True)
