"""What a manager's loop has done lately, for /healthz, /readyz and /metrics.

The loop's thread writes it after every round; the API's threads read it. Times are seconds of the monotonic clock.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping

from fencer.ha.effects import LineKind
from fencer.ha.entries import StoredEvent
from fencer.ha.event_lines import Sink


class Progress:
    """`patience_s`: after so many seconds without a round the loop counts as standing still."""

    def __init__(self, patience_s: float, now: Callable[[], float] = time.monotonic) -> None:
        self._patience_s, self._now, self._lock = patience_s, now, threading.Lock()
        self._last, self._rounds, self._events = now(), 0, Counter[tuple[str, str]]()

    def round_done(self) -> None:
        with self._lock:
            self._last, self._rounds = self._now(), self._rounds + 1

    @property
    def since_last_round(self) -> float:
        with self._lock:
            return self._now() - self._last

    @property
    def rounds(self) -> int:
        with self._lock:
            return self._rounds

    @property
    def stands_still(self) -> bool:
        return self.since_last_round > self._patience_s

    def counting(self, sink: Sink) -> Sink:
        """A sink that counts each event by kind and name, and passes it on."""

        def count(event: StoredEvent) -> bool | None:
            taken = sink(event)
            if taken is False:
                return taken
            name = event.detail.get("alert") if event.kind is LineKind.ALERT else event.detail.get("command")
            with self._lock:
                self._events[str(event.kind), str(name or event.detail.get("step") or "")] += 1
            return taken

        return count

    def events(self) -> Mapping[tuple[str, str], int]:
        """How many events of each kind and name this process has printed."""
        with self._lock:
            return dict(self._events)
