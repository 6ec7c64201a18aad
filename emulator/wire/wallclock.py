"""The clock of a running emulator, and the calendar. No other module of the emulator reads the system's clock.

The wire loop reads it, in its own thread, and `Emulator` pauses, steps and speeds it up there. Instants are seconds since the
clock was made.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import UTC, datetime

from emulator.core.clock import Instant


class WallClock:
    """A `Clock` that starts at 0 and runs `rate` times as fast as real time (rate 10: 60 s take 6 real seconds)."""

    def __init__(self, rate: float = 1.0, monotonic: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError unless `rate` is positive."""
        self._monotonic = monotonic
        self._origin = monotonic()  # the instant `_base` was shown then
        self._base: Instant = 0.0
        self._rate = _checked(rate)
        self._paused = False

    @property
    def rate(self) -> float:
        """How fast it runs while it is not paused."""
        return self._rate

    @property
    def paused(self) -> bool:
        return self._paused

    def now(self) -> Instant:
        return self._base if self._paused else self._base + (self._monotonic() - self._origin) * self._rate

    def seconds_until(self, instant: Instant) -> float:
        """Real seconds until this clock shows `instant`; 0 if it already does, infinite while it is paused."""
        left = instant - self.now()
        if left <= 0:
            return 0.0
        return math.inf if self._paused else left / self._rate

    def set_rate(self, rate: float) -> None:
        """From now on it runs so fast. Raises ValueError unless `rate` is positive."""
        _checked(rate)
        self._rebase(self.now())
        self._rate = rate

    def pause(self) -> None:
        self._rebase(self.now())
        self._paused = True

    def resume(self) -> None:
        self._rebase(self.now())
        self._paused = False

    def step(self, seconds: float) -> None:
        """Moves it forward at once. Raises ValueError for a step backwards."""
        if seconds < 0:
            raise ValueError(f"a clock does not run backwards: {seconds}")
        self._rebase(self.now() + seconds)

    def _rebase(self, instant: Instant) -> None:
        self._base, self._origin = instant, self._monotonic()


def _checked(rate: float) -> float:
    if not 0 < rate < math.inf:
        raise ValueError(f"a clock runs forwards: rate {rate} is not positive")
    return rate


def utc_now() -> datetime:
    """The current date and time, for validity dates of certificates and for `DateTime` properties."""
    return datetime.now(UTC)
