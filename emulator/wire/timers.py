"""What the loop calls at an instant: a timer, or an object with timers of its own. `Reactor` uses it in its thread."""

from __future__ import annotations

from collections.abc import Callable

from emulator.core.clock import Instant

Callback = Callable[[], object]


class LoopTimer:
    """A call to make later. `cancel()` may be called at any time and more than once."""

    __slots__ = ("callback", "instant")

    def __init__(self, instant: Instant, callback: Callback) -> None:
        self.instant = instant
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        self.callback = None


class DrivenSource:
    """Timers that another object keeps, such as a rack."""

    __slots__ = ("advance", "next_due", "not_before")

    def __init__(self, next_due: Callable[[], Instant | None], advance: Callable[[Instant], object]) -> None:
        self.next_due = next_due
        self.advance = advance
        self.not_before = float("-inf")
