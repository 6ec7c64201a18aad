"""A BMC and what it holds, as the rack sees it."""

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
    """A BMC and what it holds."""

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
    listens: int = 0  # the IPv4 address of its sockets; 0: nobody has opened any
    logging: bool = True  # whether its own events go into the log
    clock_offset: float = 0.0  # seconds that its clock was set forward
    utc_offset: int | None = 0  # minutes that its users' clocks are ahead of UTC; None: unspecified
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
        system = self.find(system_id)
        if system is None:
            raise NoSuchSystem(f"{self.name} has no system {system_id!r}")
        return system

    def find(self, system_id: str) -> SystemState | None:
        for system in self.systems:
            if system.id == system_id:
                return system
        return None

    def first(self) -> SystemState:
        """The one that IPMI speaks of."""
        return self.systems[0]
