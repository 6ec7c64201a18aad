"""Counts how often a fencer was told the power state of a host after its first power command was taken.

`play_scenario` counts so for a step that has `sigterm_after`, and hands the event to the adapter. Counters are called in the
emulator's thread, for every event of the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emulator import Event, EventKind

if TYPE_CHECKING:
    from emulator import Emulator


class ReadCounter:
    """Sets `enough` with the n-th read. An answer that tells several words counts once, as it does for a gate."""

    def __init__(self, bmc: str, system: str, reads: int) -> None:
        self._host = (bmc, system)
        self._left = reads
        self._commanded = False
        self._last: int | None = None
        self.enough = threading.Event()

    def __call__(self, event: Event) -> None:
        if event.kind not in (EventKind.COMMAND, EventKind.LOOK) or (event.bmc, event.data.get("system")) != self._host:
            return
        if event.kind is EventKind.COMMAND:
            self._commanded = True
        elif self._commanded and event.cause != self._last:
            self._last = event.cause
            self._left -= 1
            if self._left == 0:
                self.enough.set()


@contextmanager
def reads_counted(emulator: Emulator, bmc: str, system: str, reads: int | None) -> Iterator[threading.Event]:
    """An event that is set when it has been read so often inside of this block; never for None."""
    counter = ReadCounter(bmc, system, reads or 0)
    if reads is None:
        yield counter.enough
        return
    end = emulator.subscribe(counter)
    try:
        yield counter.enough
    finally:
        end()
