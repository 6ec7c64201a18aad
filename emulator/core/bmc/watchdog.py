"""The watchdog timer (IPMI 2.0, chapter 27) as data: how it is set, and how it stands. `watchdogs` runs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from emulator.core.clock import Instant
from emulator.core.errors import EmulatorError
from emulator.core.timers import Timer


class TimerUse(IntEnum):
    """Whose watchdog it is; the bit of the expiration flag too."""

    BIOS_FRB2 = 1
    BIOS_POST = 2
    OS_LOAD = 3
    SMS_OS = 4
    OEM = 5


class TimerAction(IntEnum):
    NONE = 0
    HARD_RESET = 1
    POWER_DOWN = 2
    POWER_CYCLE = 3


class PreTimeout(IntEnum):
    """The interrupt before the expiry. NMI crashes the host's OS; the others only leave a mark."""

    NONE = 0
    SMI = 1
    NMI = 2
    MESSAGING = 3


class WatchdogNotSet(EmulatorError):
    """Reset Watchdog Timer before any Set (27.5: completion code 80h)."""

    http_status = 409
    completion_code = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogSetup:
    """What Set Watchdog Timer carries (27.6). Seconds; `dont_stop` keeps a running timer running, with the new count."""

    use: TimerUse
    action: TimerAction = TimerAction.NONE
    pre: PreTimeout = PreTimeout.NONE
    pre_s: float = 0.0
    countdown_s: float = 0.0
    dont_log: bool = False
    dont_stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogState:
    """What Get Watchdog Timer tells (27.7). `setup` None: never set. `left_s` is the present countdown."""

    setup: WatchdogSetup | None
    running: bool
    left_s: float
    expired: frozenset[TimerUse]


@dataclass(slots=True)
class Watchdog:
    """The timer of one BMC."""

    setup: WatchdogSetup | None = None
    expired: frozenset[TimerUse] = frozenset()
    due: Instant | None = None  # None: it stands
    left_s: float = 0.0  # while it stands
    timers: tuple[Timer, ...] = ()
