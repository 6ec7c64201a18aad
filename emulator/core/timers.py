"""The rack's pending timers, as a heap. `Rack` adds them and runs those that are due; nothing here waits or reads a clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from emulator.core.clock import Instant


class Timer:
    """One call to make later. A cancelled timer never runs."""

    __slots__ = ("_do", "due")

    def __init__(self, due: Instant, do: Callable[[], None]) -> None:
        self.due = due
        self._do: Callable[[], None] | None = do

    def cancel(self) -> None:
        self._do = None

    @property
    def live(self) -> bool:
        return self._do is not None

    def fire(self) -> None:
        do, self._do = self._do, None
        if do is not None:
            do()


class Timers:
    """All pending timers of one rack. Instants are seconds on the rack's clock."""

    def __init__(self) -> None:
        self._heap: list[tuple[Instant, int, Timer]] = []
        self._order = count()

    def at(self, due: Instant, do: Callable[[], None]) -> Timer:
        """Adds a call at `due`."""
        timer = Timer(due, do)
        heapq.heappush(self._heap, (due, next(self._order), timer))
        return timer

    def next_due(self) -> Instant | None:
        """When the next timer that was not cancelled is due; None where there is none."""
        while self._heap and not self._heap[0][2].live:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: Instant) -> Timer | None:
        """Removes and returns the earliest live timer that is due, or None. Equal instants come in the order they were added."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            if timer.live:
                return timer
        return None
