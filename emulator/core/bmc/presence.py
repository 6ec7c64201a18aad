"""Whether a BMC is there at all, as data; `bmc_life` changes it.

A BMC that is away drops packets; it refuses nothing. Front ends ask `presence` before they read a request.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from emulator.core.clock import Instant
from emulator.core.timers import Timer


class Being(StrEnum):
    HERE = "here"
    DEAF = "deaf"  # drop every packet, close every connection
    NOT_READY = "not-ready"  # answer the reply


@dataclass(frozen=True, slots=True)
class Presence:
    """`seconds` until the next change (None: nobody knows, or none is due). With NOT_READY: `reply` is a key of the
    profile's replies, `resets` the ResetTypes that it is for (empty: every request), and `code` the completion code that IPMI
    answers instead (None: nothing)."""

    being: Being
    seconds: float | None = None
    reply: str | None = None
    resets: tuple[str, ...] = ()
    code: int | None = None


HERE = Presence(Being.HERE)


@dataclass(frozen=True, slots=True)
class Absence:
    """When one BMC is away. `generation` counts its starts: what a front end kept of an older one is lost."""

    dark: bool = False  # no input power
    goes_at: Instant | None = None  # a reset was accepted, and until then it is as it was
    deaf_until: Instant = -math.inf
    not_ready_until: Instant = -math.inf
    reply: str | None = None
    resets: tuple[str, ...] = ()
    code: int | None = None
    generation: int = 1
    timer: Timer | None = None

    def deaf(self, now: Instant) -> bool:
        return self.dark or now < self.deaf_until

    def presence(self, now: Instant) -> Presence:
        if self.dark:
            return Presence(Being.DEAF)
        if now < self.deaf_until:
            return Presence(Being.DEAF, self.deaf_until - now)
        goes_in = math.inf if self.goes_at is None else self.goes_at - now
        if now < self.not_ready_until:
            return Presence(Being.NOT_READY, min(goes_in, self.not_ready_until - now), self.reply, self.resets, self.code)
        return HERE if self.goes_at is None else Presence(Being.HERE, goes_in)


NEVER_AWAY = Absence()
