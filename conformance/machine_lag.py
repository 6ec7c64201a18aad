"""How late this machine is: a thread that sleeps, and adds up by how much each sleep was too long.

`play_scenario` has one per run, in a thread of its own. The sum grows when other programs, or other cells in this process, keep
the processors busy; the emulator's answers and timers, and the fencer, are late by as much.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Final

PERIOD_S: Final = 0.05


class MachineLag:
    """A context manager; `seconds` may be read at any time, also afterwards."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._measure, name="machine-lag", daemon=True)

    def __enter__(self) -> MachineLag:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()

    def _measure(self) -> None:
        before = time.monotonic()
        while not self._ended.wait(PERIOD_S):
            now = time.monotonic()
            self.seconds += max(0.0, now - before - PERIOD_S)
            before = now
