"""The event loop of an emulator without sockets: timers on a virtual clock, in the caller's thread.

`run_until` moves the clock from one due timer to the next, so a wait of 300 s takes no time. The client's side of a virtual
connection (`emulator.wire.virtual_client`) calls it whenever it waits for something.

Rules
  1. Nothing runs by itself: time passes only within `run_until`.
  2. Due timers run first, then the driven sources, then posted calls, as in `Reactor`.
  3. An error of a callback is raised in the caller: there is nobody else to hear of it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from typing import TypeVar

from emulator.core.clock import Instant, VirtualClock
from emulator.wire.timers import Callback

T = TypeVar("T")


class VirtualTimer:
    """A call to make later. `cancel()` may be called at any time and more than once."""

    __slots__ = ("callback",)

    def __init__(self, callback: Callback) -> None:
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


def never() -> bool:
    return False


class VirtualLoop:
    """The `Loop` of a socketless emulator. All methods belong to one thread."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self._timers: list[tuple[Instant, int, VirtualTimer]] = []
        self._number = 0
        self._sources: list[tuple[Callable[[], Instant | None], Callable[[Instant], object]]] = []
        self._posted: deque[Callback] = deque()

    def now(self) -> Instant:
        return self.clock.now()

    def call_later(self, seconds: float, callback: Callback) -> VirtualTimer:
        """Calls `callback` once, in so many virtual seconds. Equal instants run in the order of these calls."""
        timer = VirtualTimer(callback)
        self._number += 1
        heapq.heappush(self._timers, (self.clock.now() + seconds, self._number, timer))
        return timer

    def drive(self, next_due: Callable[[], Instant | None], advance: Callable[[Instant], object]) -> None:
        """Calls `advance(now)` whenever the instant `next_due()` has come."""
        self._sources.append((next_due, advance))

    def post(self, callback: Callback) -> None:
        """Runs `callback` in the next turn."""
        self._posted.append(callback)

    def call(self, function: Callable[[], T]) -> T:
        """Runs `function` now, after everything that is due now."""
        self._run_due()
        return function()

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """Forgets all timers and sources: nothing happens any more."""
        self._timers.clear()
        self._sources.clear()
        self._posted.clear()

    def run_until(self, instant: Instant, done: Callable[[], bool] = never) -> bool:
        """Lets time pass until `done()` or until `instant`, whichever is first. Returns whether it is done.

        What is due at `instant` has happened when this returns.
        """
        while True:
            due = self._run_due()
            if done():
                return True
            if due is None or due > instant:
                self.clock.move_to(max(instant, self.clock.now()))
                return False
            self.clock.move_to(max(due, self.clock.now()))

    def _next_due(self) -> Instant | None:
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        first = self._timers[0][0] if self._timers else None
        for next_due, _ in self._sources:
            due = next_due()
            if due is not None and (first is None or due < first):
                first = due
        return first

    def _run_due(self) -> Instant | None:
        """Runs all that is due now, and what that makes due now; when the next is due."""
        while True:
            due = self._next_due()
            if not self._posted and (due is None or due > self.clock.now()):
                return due
            self._turn(self.clock.now())

    def _turn(self, now: Instant) -> None:
        ready: list[VirtualTimer] = []  # taken out first: a timer that a callback sets for now runs in the next turn
        while self._timers and self._timers[0][0] <= now:
            ready.append(heapq.heappop(self._timers)[2])
        for timer in ready:
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()
        for next_due, advance in self._sources:
            due = next_due()
            if due is not None and due <= now:
                advance(now)
        for _ in range(len(self._posted)):
            self._posted.popleft()()
