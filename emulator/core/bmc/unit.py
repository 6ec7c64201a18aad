"""The state of one BMC: its systems, accounts, log, sessions, watchdog, network and armed faults.

`Rack` makes one per BMC. The rack, the classes that it owns and the views read and change it, in the emulator's one thread. Front
ends never see it; they get a `BmcView`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.core.bmc.accounts import Accounts, AccountSessionTable
from emulator.core.bmc.eventlog import EventLog, LogEntry
from emulator.core.bmc.network import AS_FOUND, Network
from emulator.core.bmc.presence import NEVER_AWAY, Absence
from emulator.core.bmc.watchdog import Watchdog
from emulator.core.errors import NoSuchSystem
from emulator.core.faults.board import FaultBoard
from emulator.core.lazy import lazy
from emulator.core.power.system import SystemState
from profiles.model import Profile, Span


@dataclass(slots=True)
class Unit:
    """One BMC. `log`, `sessions` and `watchdog` are made on first use."""

    name: str
    profile: Profile
    systems: tuple[SystemState, ...]
    accounts: Accounts
    os_shutdown: Span
    faults: FaultBoard = field(default_factory=FaultBoard)
    log_listeners: tuple[Callable[[LogEntry], None], ...] = ()
    absence: Absence = NEVER_AWAY
    ipmi_lan: bool = True  # whether IPMI over LAN answers at all
    network: Network = AS_FOUND
    listens: int = 0  # the IPv4 address of its sockets as an int; 0: it has no sockets
    logging: bool = True  # whether the BMC logs its own events
    clock_offset: float = 0.0  # seconds that a client has set its clock forward
    utc_offset: int | None = 0  # minutes that local time is ahead of UTC; None: unspecified
    _log: EventLog = field(init=False, repr=False, compare=False)
    _sessions: AccountSessionTable = field(init=False, repr=False, compare=False)
    _watchdog: Watchdog = field(init=False, repr=False, compare=False)

    @lazy
    def log(self) -> EventLog:
        return EventLog()

    @lazy
    def sessions(self) -> AccountSessionTable:
        rules = self.profile.auth.sessions
        return AccountSessionTable(rules.max, rules.timeout_s)

    @lazy
    def watchdog(self) -> Watchdog:
        return Watchdog()

    def system(self, system_id: str) -> SystemState:
        """The system with that id. Raises NoSuchSystem."""
        system = self.find(system_id)
        if system is None:
            what = "system" if self.profile.feeder is None else self.profile.feeder.part
            raise NoSuchSystem(f"{self.name} has no {what} {system_id!r}")
        return system

    def find(self, system_id: str) -> SystemState | None:
        """The system with that id; None where there is none."""
        for system in self.systems:
            if system.id == system_id:
                return system
        return None

    def first(self) -> SystemState:
        """The first system, which is the one that IPMI commands act on."""
        return self.systems[0]
