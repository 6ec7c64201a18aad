"""The hosts that a manager watches in one run, as `play_scenario` prepares them: agents, and folders that outlive the manager.

A scenario may ask a manager twice: it is started again with the folder that it had. Called in the thread of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.agent_stand_ins import AgentStandIns
from conformance.agents_on_virtual_time import SocketlessAgents
from conformance.run_directory import RunDirectory, run_directory
from conformance.site import ManagedSite, SiteHost
from emulator import SocketlessEmulator

if TYPE_CHECKING:
    from conformance.givens.given import Given, PlannedRack
    from emulator import Emulator


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedSite:
    """`kept.home` is the manager's own folder; in `written.home` lies what the suite writes for it, passwords too."""

    agents: AgentStandIns
    workloads: Mapping[str, tuple[str, ...]]
    kept: RunDirectory
    written: RunDirectory

    def site(self, given: Iterable[Given], told: Mapping[str, Mapping[str, str]], target: str, patience_s: float) -> ManagedSite:
        """What the manager is told. `told` are the placeholders of each host ("bmc.user")."""
        hosts = tuple(
            SiteHost(
                name=name,
                bmc={**_names(told[name]), "password_file": self._password_file(name, told[name]["bmc.password"])},
                agent=self.agents.address(name),
                workloads=workloads,
            )
            for name, workloads in self.workloads.items()
        )
        site = ManagedSite(hosts=hosts, target=target, folder=self.kept.home, files=self.written.home, patience_s=patience_s)
        for each in given:
            site = each.told_to_manager(site)
        return site

    def _password_file(self, name: str, password: str) -> str:
        file = self.written.home / f"{name}.password"
        file.touch(0o600)
        file.write_text(f"{password}\n", encoding="utf-8")
        return str(file)


def _names(told: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix("bmc."): value for name, value in told.items()}


@contextmanager
def watched_site(emulator: Emulator, rack: PlannedRack, address: str) -> Iterator[WatchedSite | None]:
    """None where the scenario is about fencers. The agents listen at `address`. Raises OSError."""
    if not rack.workloads:
        yield None
        return
    virtual = isinstance(emulator, SocketlessEmulator)
    stand_ins = SocketlessAgents(emulator, rack.workloads) if virtual else AgentStandIns(emulator, rack.workloads, address)
    with run_directory() as kept, run_directory() as written, stand_ins as agents:
        yield WatchedSite(agents=agents, workloads=rack.workloads, kept=kept, written=written)
