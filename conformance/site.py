"""What an HA manager watches: hosts, their BMCs and agents, and the workloads on them. Pure data.

`play_scenario` makes a `ManagedSite` for each run of a manager and hands it to the adapter; preconditions may change what the
manager is told of it. `Agents` is what preconditions can do to the agents while the manager runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal, Protocol

OPERATOR: Final = "olga.the-operator"
"""Who confirms by hand that a host is off."""

AgentRequest = Literal["health", "list", "start", "stop"]
"""What a manager asks of an agent: /health, /vms, /vms/start, /vms/stop."""

AgentWord = Literal["silent", "late", "error", "alive", "empty", "returns", "refused", "lost-request", "lost-answer"]
"""How an agent deviates at one request; `AgentDeviates` says what each means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAddress:
    """Where the agent of a host answers. It answers only while the host has power and its network is there."""

    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteHost:
    """One host as the manager is told of it. `bmc` holds what fencers are told ("host", "port", "user" ...)."""

    name: str
    bmc: Mapping[str, str]
    agent: AgentAddress
    workloads: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedSite:
    """`target` is the host that will fail. `folder` is the manager's own and stays while the scenario is played; `files` is for
    what the suite writes for it. `patience_s`: how long a claim is waited for after the host has failed, in seconds. With
    `is_confirmed` an operator called `OPERATOR` confirms as soon as the manager lets them that the target is off."""

    hosts: tuple[SiteHost, ...]
    target: str
    folder: Path
    files: Path
    patience_s: float
    is_confirmed: bool = False

    def told(self, name: str, bmc: Mapping[str, str]) -> ManagedSite:
        """The site with other BMC values told for one host."""
        return replace(self, hosts=tuple(replace(host, bmc=bmc) if host.name == name else host for host in self.hosts))

    def host(self, name: str) -> SiteHost:
        return next(host for host in self.hosts if host.name == name)


class Agents(Protocol):
    """What can happen to agents. Every method returns when it has happened."""

    def mute(self, *hosts: str) -> None:
        """Nobody reaches these hosts any more, all from the same moment on; they run on, and so do their workloads."""
        ...

    def unmute(self, *hosts: str) -> None: ...

    def answer_after_command(self, host: str) -> None:
        """The host is reached again as soon as its power has been read after a power command that its BMC has taken."""
        ...

    def refuse_first_start(self) -> None:
        """The first host that is asked to start a workload refuses that, once and for this workload."""
        ...

    def observe(self) -> None:
        """From now on every request to an agent is counted and in the journal. Agents of hosts that are off or not reached take
        connections and close them without an answer, so that these are counted too."""
        ...

    def deviate(self, host: str, request: AgentRequest, nth: int, word: AgentWord, seconds: float) -> None:
        """The `nth` (from 1) of these requests to this host since `observe` is answered otherwise. `seconds`: how late."""
        ...
