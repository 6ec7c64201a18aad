"""The store of the API, in a thread of its own: its snapshot is read once and then only brought up to date.

The API's threads call `call`; a store may be used in one thread only.

Rules
  1. A store that cannot be used is a StoreError of that call; the next call tries again.
  2. The store is closed, and opened anew with the next call, when nobody has asked for `IDLE_S`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Final, TypeVar

from fencer.ha.sqlite_store import SqliteStore

T = TypeVar("T")

IDLE_S: Final = 60.0


class StoreThread:
    """`path`: the state file; it must exist when it is asked."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._store: SqliteStore | None = None
        self._thread = threading.Thread(target=self._run, name="api-store", daemon=True)
        self._thread.start()

    def call(self, work: Callable[[SqliteStore], T]) -> T:
        """Runs `work` with the store, in the store's thread. Raises StoreError, and what `work` raises."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                if self._store is None:
                    self._store = SqliteStore(self._path)
                future.set_result(work(self._store))
            except BaseException as error:  # noqa: BLE001 - the caller gets it
                future.set_exception(error)

        self._calls.put(run)
        return future.result()

    def close(self) -> None:
        self._calls.put(None)

    def _run(self) -> None:
        while True:
            try:
                work = self._calls.get(timeout=IDLE_S)
            except queue.Empty:
                self._close()
                continue
            if work is None:
                self._close()
                return
            work()

    def _close(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()
