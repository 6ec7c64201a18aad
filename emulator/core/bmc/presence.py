"""Whether a BMC answers at the moment: normally, not at all, or only that it is not ready.

`bmc_life` changes it. Front ends ask `BmcView.presence` before they read a request, in the emulator's one thread. A BMC that is
away drops packets; it does not refuse connections. Times are in seconds on the rack's clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from emulator.core.clock import Instant
from emulator.core.timers import Timer


class Being(StrEnum):
    """What a front end does with a request."""

    HERE = "here"  # serve it
    DEAF = "deaf"  # drop every packet, close every connection
    NOT_READY = "not-ready"  # answer `Presence.reply` or `Presence.code`


@dataclass(frozen=True, slots=True)
class Presence:
    """How a BMC answers now. `seconds` is the time until that changes (None: unknown, or no change is due).

    With NOT_READY: `reply` is a key of the profile's replies; `resets` are the ResetTypes that get it (empty: every request);
    `code` is the completion code that IPMI answers instead (None: no answer).
    """

    being: Being
    seconds: float | None = None
    reply: str | None = None
    resets: tuple[str, ...] = ()
    code: int | None = None


HERE = Presence(Being.HERE)


@dataclass(frozen=True, slots=True)
class Absence:
    """When one BMC is away. `generation` counts its starts: sessions of an older generation are lost."""

    dark: bool = False  # no input power
    goes_at: Instant | None = None  # when the BMC goes down for a reset that it has accepted
    deaf_until: Instant = -math.inf  # when it answers again
    not_ready_until: Instant = -math.inf
    reply: str | None = None
    resets: tuple[str, ...] = ()
    code: int | None = None
    generation: int = 1
    timer: Timer | None = None
    restores: bool = False  # with the end of its start its hosts follow their restore policy

    def deaf(self, now: Instant) -> bool:
        """Whether the BMC answers nothing and writes no log now."""
        return self.dark or now < self.deaf_until

    def presence(self, now: Instant) -> Presence:
        """How the BMC answers now."""
        if self.dark:
            return Presence(Being.DEAF)
        if now < self.deaf_until:
            return Presence(Being.DEAF, self.deaf_until - now)
        goes_in = math.inf if self.goes_at is None else self.goes_at - now
        if now < self.not_ready_until:
            return Presence(Being.NOT_READY, min(goes_in, self.not_ready_until - now), self.reply, self.resets, self.code)
        return HERE if self.goes_at is None else Presence(Being.HERE, goes_in)


NEVER_AWAY = Absence()
