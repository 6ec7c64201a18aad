"""The lines of one manager: prints what the store holds about its hosts, and says what cannot be stored.

`Manager` calls it in its loop's thread. Times are seconds of the store's clock.
"""

from __future__ import annotations

from collections.abc import Callable

from fencer.ha.clock import SharedClock
from fencer.ha.effects import AlertName, Detail, LineKind
from fencer.ha.entries import StoredEvent
from fencer.ha.event_lines import Sink
from fencer.ha.store import Store, StoreError

SAY_AGAIN_S = 900.0
"""So often a manager repeats that the store cannot be used."""


class ManagerLines:
    """`name`: the manager, as `host` of the lines that are not stored. `trouble`: why the store cannot be used now, or None."""

    def __init__(self, store: Store, sink: Sink, clock: SharedClock, name: str) -> None:
        self._store, self._sink, self._clock, self._name = store, sink, clock, name
        self.trouble: StoreError | None = None
        self._lost_at, self._said_at = 0.0, 0.0
        self._looked_up_to = 0

    def print_stored(self, is_mine: Callable[[str], bool]) -> None:
        """Prints the lines about hosts of this manager that nobody has printed. Stops when the sink has no room."""
        printed = []
        for event in self._store.unprinted(self._looked_up_to):
            if is_mine(event.host):
                if self._sink(event) is False:
                    break
                printed.append(event.seq)
            self._looked_up_to = event.seq
        self._store.mark_printed(printed)

    def look_again(self) -> None:
        """The manager has a new host: the old owner may have left lines that it did not print."""
        self._looked_up_to = 0

    def store_lost(self, error: StoreError) -> None:
        """Says it at once, when the reason changes, and again after `SAY_AGAIN_S`."""
        now, known = self._clock.now(), self.trouble
        if known is None:
            self._lost_at = now
        if known is None or known.trouble is not error.trouble or now - self._said_at >= SAY_AGAIN_S:
            self.say(AlertName.STORE_LOST, f"{error}; the leases are given up, and it is tried again")
            self._said_at = now
        self.trouble = error

    def store_is_back(self) -> None:
        if self.trouble is not None:
            self.trouble = None
            lost = self._clock.now() - self._lost_at
            self.say(AlertName.STORE_BACK, f"the store can be used again, after {lost:.1f} s")

    def say(self, alert: AlertName, text: str) -> None:
        """A line that is not stored: it goes to the sink at once, with `seq` 0."""
        detail: dict[str, Detail] = {"alert": str(alert), "text": text}
        self._sink(StoredEvent(seq=0, t=self._clock.now(), host=self._name, kind=LineKind.ALERT, detail=detail))
