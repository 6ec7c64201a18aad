"""The settings and the state of a BMC's watchdog timer (IPMI 2.0, chapter 27). `watchdogs` runs it. Times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from emulator.core.clock import Instant
from emulator.core.errors import EmulatorError
from emulator.core.timers import Timer


class TimerUse(IntEnum):
    """What the timer is used for. The value is also the bit number of the expiration flag."""

    BIOS_FRB2 = 1
    BIOS_POST = 2
    OS_LOAD = 3
    SMS_OS = 4
    OEM = 5


class TimerAction(IntEnum):
    """What the BMC does to the host when the timer expires."""

    NONE = 0
    HARD_RESET = 1
    POWER_DOWN = 2
    POWER_CYCLE = 3


class PreTimeout(IntEnum):
    """The interrupt before the expiry. NMI crashes the host's OS; the others are only logged."""

    NONE = 0
    SMI = 1
    NMI = 2
    MESSAGING = 3


class WatchdogNotSet(EmulatorError):
    """The client sent Reset Watchdog Timer before any Set Watchdog Timer (27.5: completion code 80h)."""

    http_status = 409
    completion_code = 0x80


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogSetup:
    """The fields of Set Watchdog Timer (27.6). `dont_stop`: a running timer goes on, with the new countdown."""

    use: TimerUse
    action: TimerAction = TimerAction.NONE
    pre: PreTimeout = PreTimeout.NONE
    pre_s: float = 0.0
    countdown_s: float = 0.0
    dont_log: bool = False
    dont_stop: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchdogState:
    """The fields of Get Watchdog Timer (27.7). `setup` None: never set. `left_s` is the present countdown."""

    setup: WatchdogSetup | None
    running: bool
    left_s: float
    expired: frozenset[TimerUse]


@dataclass(slots=True)
class Watchdog:
    """The timer of one BMC."""

    setup: WatchdogSetup | None = None
    expired: frozenset[TimerUse] = frozenset()
    due: Instant | None = None  # when it expires; None: it does not run
    left_s: float = 0.0  # the countdown while it does not run
    timers: tuple[Timer, ...] = ()
