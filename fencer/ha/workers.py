"""Thread pools for calls that may take long: to BMCs, agents and VMs. They are separate, so that slow BMCs delay no VM.

`Manager` submits work in its loop's thread. `done` runs in a thread of the pool.

Rules
  1. A thread of a pool never keeps the process alive: `close` does not wait for a call that has begun. Whatever was under way
     is in the store, so the next manager goes on with it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Workers(Protocol):
    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        """Runs `work` in a thread of `pool`; calls `done` with its result or its exception, in any thread."""
        ...


class Pools:
    """Pools of fixed size: `sizes` are the numbers of threads by name of the pool."""

    def __init__(self, **sizes: int) -> None:
        self._pools = {name: _Pool(name, size) for name, size in sizes.items()}
        self._closed_too: list[Callable[[], None]] = []

    def close_too(self, close: Callable[[], None]) -> None:
        """`close` is called when the pools are closed."""
        self._closed_too.append(close)

    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None:
        def job() -> None:
            try:
                result = work()
            except Exception as error:  # noqa: BLE001  it goes to whoever asked
                done(None, error)
            else:
                done(result, None)

        self._pools[pool].put(job)

    def close(self) -> None:
        """Drops what has not begun. Does not wait."""
        for pool in self._pools.values():
            pool.close()
        for close in self._closed_too:
            close()


class _Pool:
    """Daemon threads, made when there is work for them. `ThreadPoolExecutor` would wait for them at the end of the process."""

    def __init__(self, name: str, size: int) -> None:
        self._name, self._size = name, size
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0
        self._closed = threading.Event()

    def put(self, job: Callable[[], None]) -> None:
        if self._closed.is_set():
            return
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False) and self._threads < self._size:
            self._threads += 1
            threading.Thread(target=self._run, name=f"{self._name}-{self._threads}", daemon=True).start()

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None or self._closed.is_set():
                self._jobs.put(None)  # for the next thread
                return
            job()
            self._idle.release()

    def close(self) -> None:
        self._closed.set()
        self._jobs.put(None)
