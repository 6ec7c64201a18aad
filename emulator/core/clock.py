"""Time as an argument. The core never asks what time it is; somebody hands it an `Instant`."""

from __future__ import annotations

from typing import Protocol

Instant = float
"""Seconds on a monotonic clock that starts at 0 when the rack is made."""


class Clock(Protocol):
    def now(self) -> Instant: ...


class VirtualClock:
    """Stands still until it is told to move: a 300 s graceful shutdown takes microseconds in a test."""

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
        self.move_to(self._now + seconds)
        return self._now
