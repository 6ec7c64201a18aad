"""A BMC and what it holds, as the rack sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.core.accounts import Accounts, SessionTable
from emulator.core.errors import NoSuchSystem
from emulator.core.eventlog import EventLog, LogEntry
from emulator.core.fault import FaultBoard
from emulator.core.network import AS_FOUND, Network
from emulator.core.presence import Absence
from emulator.core.system import SystemState
from emulator.core.watchdog import Watchdog
from profiles.model import Profile, Span


@dataclass(slots=True)
class Unit:
    """A BMC and what it holds."""

    name: str
    profile: Profile
    systems: dict[str, SystemState]
    accounts: Accounts
    sessions: SessionTable
    os_shutdown: Span
    faults: FaultBoard = field(default_factory=FaultBoard)
    log: EventLog = field(default_factory=EventLog)
    log_listeners: list[Callable[[LogEntry], None]] = field(default_factory=list)
    absence: Absence = field(default_factory=Absence)
    watchdog: Watchdog = field(default_factory=Watchdog)
    ipmi_lan: bool = True  # whether IPMI over LAN answers at all
    network: Network = AS_FOUND
    listens: str | None = None  # the address of its sockets, as far as somebody has opened any
    last_request: int | None = None  # its place in the journal
    clock_offset: float = 0.0  # seconds that its clock was set forward

    def system(self, system_id: str) -> SystemState:
        try:
            return self.systems[system_id]
        except KeyError:
            raise NoSuchSystem(f"{self.name} has no system {system_id!r}") from None

    def first(self) -> SystemState:
        """The one that IPMI speaks of."""
        return next(iter(self.systems.values()))
