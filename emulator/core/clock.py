"""What time is for the core: `Instant`, the `Clock` protocol, and a clock that tests move by hand.

The core never reads the system's clock. The caller of the rack (the wire loop, a test) owns the clock and passes instants in.
"""

from __future__ import annotations

from typing import Protocol

Instant = float
"""Seconds on a monotonic clock that starts at 0 when the rack is made."""


class Clock(Protocol):
    """Where the emulator's time comes from: `wire.wallclock.WallClock` in a running emulator, `VirtualClock` in tests."""

    def now(self) -> Instant: ...


class VirtualClock:
    """Does not run by itself: the test moves it. A 300 s graceful shutdown then takes microseconds."""

    def __init__(self, start: Instant = 0.0) -> None:
        self._now = start

    def now(self) -> Instant:
        return self._now

    def move_to(self, instant: Instant) -> None:
        """Raises ValueError for a step backwards."""
        if instant < self._now:
            raise ValueError(f"a clock does not run backwards: {instant} < {self._now}")
        self._now = instant

    def advance(self, seconds: float) -> Instant:
        """Moves the clock forward and returns the new instant."""
        self.move_to(self._now + seconds)
        return self._now
