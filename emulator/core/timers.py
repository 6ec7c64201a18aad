"""What is due when. A heap and nothing else: it neither waits nor knows what time it is."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

from emulator.core.clock import Instant


class Timer:
    """One thing to do later; `cancel` is final."""

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
    def __init__(self) -> None:
        self._heap: list[tuple[Instant, int, Timer]] = []
        self._order = count()

    def at(self, due: Instant, do: Callable[[], None]) -> Timer:
        timer = Timer(due, do)
        heapq.heappush(self._heap, (due, next(self._order), timer))
        return timer

    def next_due(self) -> Instant | None:
        while self._heap and not self._heap[0][2].live:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: Instant) -> Timer | None:
        """The oldest live timer that is due, or None. Equal instants come in the order of their making."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            timer = heapq.heappop(heap)[2]
            if timer.live:
                return timer
        return None
