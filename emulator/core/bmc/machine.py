"""What a BMC remembers of one system beside its power: boot, identify LED, tags, restore policy, hours, causes.

Rules
  1. One memory, whatever protocol asks. Front ends reach it through `BmcView`; only `witness` tells it what happened to the host.
  2. What runs out by itself (a timed LED) is an instant, looked at when somebody asks: an idle system needs no timer.
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
"""IPMI 2.0, 28.5: how long Chassis Identify lasts where nothing is said."""


class Led(StrEnum):
    """The identify LED."""

    OFF = "Off"
    LIT = "Lit"
    BLINKING = "Blinking"


class RestorePolicy(StrEnum):
    """What a host does when input power returns. Redfish: AlwaysOff, LastState, AlwaysOn."""

    ALWAYS_OFF = "always-off"
    PREVIOUS = "previous"
    ALWAYS_ON = "always-on"

    @property
    def ipmi(self) -> int:
        """IPMI 2.0, 28.8."""
        return (RestorePolicy.ALWAYS_OFF, RestorePolicy.PREVIOUS, RestorePolicy.ALWAYS_ON).index(self)


@dataclass(slots=True)
class Machine:
    led: Led = Led.OFF
    led_until: Instant = math.inf
    asset_tag: str = ""
    host_name: str | None = None  # what the OS or an administrator told the BMC; None: the name it came with
    restore: RestorePolicy = RestorePolicy.PREVIOUS
    energised: bool = False  # the last that was known: out of sight changes nothing
    on_since: Instant = 0.0
    on_before: float = 0.0  # seconds of earlier power-ons
    pending: RestartCause | None = None  # of a command that leads to a start, until the start
    cycling: bool = False  # the command in flight cuts and energises
    restart_cause: RestartCause = RestartCause.UNKNOWN
    powered_by: RestartCause = RestartCause.UNKNOWN  # of the last rise of the rail
    was_on: bool = False  # when input power was lost
    mains_failed: bool = False  # the last fall of the rail was a loss of input power
    _boot: Boot = field(init=False, repr=False, compare=False)

    @lazy
    def boot(self) -> Boot:
        return Boot()

    def commanded(self, cause: RestartCause, steps: Sequence[EffectStep]) -> None:
        """A power command was taken in. One that starts nothing ends what an earlier one had announced."""
        rises = any(step.real == "On" for step in steps)
        restarts = any(step.event in (HostEvent.OS_REBOOT, HostEvent.OS_RESTART) for step in steps)
        falls = any(step.real == "Off" or step.event is HostEvent.OS_SHUTDOWN for step in steps)
        self.cycling = rises and falls
        self.pending = cause if rises or restarts else None

    def uncommanded(self) -> None:
        """Something happens to the host that nobody commanded: what was announced is off."""
        self.pending, self.cycling = None, False

    def led_now(self, now: Instant) -> Led:
        return self.led if now < self.led_until else Led.OFF

    def on_seconds(self, now: Instant) -> float:
        """How long the host has been powered since the rack was made."""
        return self.on_before + (now - self.on_since if self.energised else 0.0)
