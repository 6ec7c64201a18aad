"""What is the case with a BMC and its hosts now: the truth, what the BMC says, and what is done to it.

`EmulatorOperations.status` makes these in the emulator's thread; they are immutable, so any thread may read them afterwards.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from emulator.core.bmc.machine import RestorePolicy
from emulator.core.bmc.presence import Being
from emulator.core.bmc.unit import Unit
from emulator.core.clock import Instant
from emulator.core.faults.fault import Seam
from emulator.core.power.system import SystemState
from emulator.core.rack import Rack
from emulator.core.vocab import Os, Rail
from profiles.model import ABSENT

MUTE = "wire.blackhole"
"""The fault that mutes a BMC."""


class BmcPresence(StrEnum):
    """How a BMC answers."""

    ANSWERS = "answers"
    STARTING = "starting"  # it answers nothing, or that it is not ready
    DARK = "dark"  # no input power


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStatus:
    """One system. `rail`, `os` and `incarnation` are the truth, `says` is what the BMC's views say (before any fault)."""

    id: str
    host: str
    rail: Rail
    os: Os
    incarnation: int
    says: dict[str, str | None]
    restore_policy: RestorePolicy
    feeds: tuple[str, ...]  # of an outlet: the BMCs that have a cord in it
    was_on: bool  # whether it was on when its input power was lost


@dataclass(frozen=True, slots=True, kw_only=True)
class BmcStatus:
    """One BMC. `muted`: the network swallows all that is sent to it. `faults` is how many are armed. The systems of a PDU are its
    outlets."""

    name: str
    profile: str
    presence: BmcPresence
    muted: bool
    faults: int
    systems: tuple[SystemStatus, ...]
    kind: str  # bmc, pdu or enclosure
    ipmi: bool  # whether it has IPMI over LAN
    restores: bool  # its input power is back, and its hosts follow their restore policy when it has started


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStatus:
    """The emulator's clock: seconds since its start, how many pass in a real second, and whether none do."""

    now_s: float
    rate: float
    paused: bool


def status_of(rack: Rack, unit: Unit) -> BmcStatus:
    now, feeder = rack.now, unit.profile.feeder
    return BmcStatus(
        name=unit.name,
        profile=unit.profile.id,
        presence=_presence(unit, now),
        muted=any(arming.armed.fault.name == MUTE for arming in unit.faults.standing(Seam.PORT, now)),
        faults=len(unit.faults.armings),
        systems=tuple(_system(system, rack.feeds.fed_by(unit.name, system.id) if feeder else ()) for system in unit.systems),
        ipmi=unit.ipmi_lan,
        restores=unit.absence.restores,
        kind="bmc" if feeder is None else feeder.kind,
    )


def _system(system: SystemState, feeds: tuple[str, ...]) -> SystemStatus:
    machine = system.machine_if_made
    return SystemStatus(
        id=system.id,
        host=system.host_name,
        rail=system.host.rail,
        os=system.host.os,
        incarnation=system.host.incarnation,
        says={view.value: None if word in (None, ABSENT) else word for view, word in system.says.items()},
        restore_policy=RestorePolicy.PREVIOUS if machine is None else machine.restore,
        feeds=feeds,
        was_on=machine is not None and machine.was_on,
    )


def _presence(unit: Unit, now: Instant) -> BmcPresence:
    if unit.absence.dark:
        return BmcPresence.DARK
    return BmcPresence.ANSWERS if unit.absence.presence(now).being is Being.HERE else BmcPresence.STARTING
