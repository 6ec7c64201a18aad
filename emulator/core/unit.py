"""A BMC and what it holds, as the rack sees it."""

from __future__ import annotations

from dataclasses import dataclass, field

from emulator.core.accounts import Accounts, SessionTable
from emulator.core.errors import NoSuchSystem
from emulator.core.fault import FaultBoard
from emulator.core.system import SystemState
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

    def system(self, system_id: str) -> SystemState:
        try:
            return self.systems[system_id]
        except KeyError:
            raise NoSuchSystem(f"{self.name} has no system {system_id!r}") from None
