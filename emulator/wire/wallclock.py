"""The clock of a running emulator, and the calendar. No other module of the emulator reads the system's clock.

The wire loop reads it, in its own thread. Instants are seconds since the clock was made.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from emulator.core.clock import Instant


class WallClock:
    """A `Clock` that starts at 0 and runs `rate` times as fast as real time (rate 10: 60 s take 6 real seconds)."""

    def __init__(self, rate: float = 1.0) -> None:
        """Raises ValueError unless `rate` is positive."""
        if not rate > 0:
            raise ValueError(f"a clock runs forwards: rate {rate} is not positive")
        self.rate = rate
        self._start = time.monotonic()

    def now(self) -> Instant:
        return (time.monotonic() - self._start) * self.rate

    def seconds_until(self, instant: Instant) -> float:
        """Real seconds until this clock shows `instant`; 0 if it already does."""
        return max(0.0, (instant - self.now()) / self.rate)


def utc_now() -> datetime:
    """The current date and time, for validity dates of certificates and for `DateTime` properties."""
    return datetime.now(UTC)
