"""What a BMC knows about one system besides its power: boot, identify LED, tags, restore policy, power-on hours, restart causes.

Both protocols show the same data. Front ends read and change it through `BmcView`; `BmcLogWriter` and `power.commands` update it
when the host changes or a command comes. All of them run in the emulator's one thread. Times are in seconds on the rack's clock.

What ends by itself (a timed LED) is stored as an instant and compared on each read, so an idle system needs no timer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from emulator.core.bmc.boot import Boot, RestartCause
from emulator.core.clock import Instant
from emulator.core.lazy import lazy
from profiles.model import EffectStep, HostEvent

IDENTIFY_SECONDS = 15.0
"""Default duration of Chassis Identify, in seconds (IPMI 2.0, 28.5)."""


class Led(StrEnum):
    """The identify LED."""

    OFF = "Off"
    LIT = "Lit"
    BLINKING = "Blinking"


class RestorePolicy(StrEnum):
    """What a host does when its input power returns. Redfish: AlwaysOff, LastState, AlwaysOn."""

    ALWAYS_OFF = "always-off"
    PREVIOUS = "previous"
    ALWAYS_ON = "always-on"

    @property
    def ipmi(self) -> int:
        """IPMI 2.0, 28.8."""
        return (RestorePolicy.ALWAYS_OFF, RestorePolicy.PREVIOUS, RestorePolicy.ALWAYS_ON).index(self)


@dataclass(slots=True)
class Machine:
    """What the BMC knows about one system."""

    led: Led = Led.OFF
    led_until: Instant = math.inf
    asset_tag: str = ""
    host_name: str | None = None  # as set by a client; None: the host's name in the rack
    restore: RestorePolicy = RestorePolicy.PREVIOUS
    energised: bool = False  # whether the rail was up when last known: an unknown rail changes nothing
    on_since: Instant = 0.0
    on_before: float = 0.0  # seconds that the host was on before its rail last rose
    pending: RestartCause | None = None  # restart cause of a command that leads to a start, until that start
    cycling: bool = False  # the command that is under way cuts the rail and raises it again
    restart_cause: RestartCause = RestartCause.UNKNOWN
    powered_by: RestartCause = RestartCause.UNKNOWN  # why the rail last rose
    was_on: bool = False  # whether the host was on when input power was lost
    mains_failed: bool = False  # whether the rail last fell because input power was lost
    _boot: Boot = field(init=False, repr=False, compare=False)

    @lazy
    def boot(self) -> Boot:
        return Boot()

    def commanded(self, cause: RestartCause, steps: Sequence[EffectStep]) -> None:
        """Notes an accepted power command. `pending` becomes its cause, or None where its steps start nothing."""
        rises = any(step.real == "On" for step in steps)
        restarts = any(step.event in (HostEvent.OS_REBOOT, HostEvent.OS_RESTART) for step in steps)
        falls = any(step.real == "Off" or step.event is HostEvent.OS_SHUTDOWN for step in steps)
        self.cycling = rises and falls
        self.pending = cause if rises or restarts else None

    def uncommanded(self) -> None:
        """Notes that the host changes without a command: no start of an earlier command is pending any more."""
        self.pending, self.cycling = None, False

    def led_now(self, now: Instant) -> Led:
        """The LED, which goes off when its time is over."""
        return self.led if now < self.led_until else Led.OFF

    def on_seconds(self, now: Instant) -> float:
        """How many seconds the host has been powered since the rack was made."""
        return self.on_before + (now - self.on_since if self.energised else 0.0)
