"""Work that takes too long for the emulator's thread, such as making an RSA key: one job after the other, in one worker thread.

`surroundings` makes one `Background` per emulator. `run` and `close` are called in the emulator's thread, and `done` runs there.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from emulator.wire.reactor import ReactorStopped

T = TypeVar("T")

WAITING: Final = 8
"""Jobs that may wait for the worker."""


class Background(Protocol):
    """Runs a job and gives its result to `done`."""

    def run(self, job: Callable[[], T], done: Callable[[T], None]) -> bool:
        """False: too many jobs are waiting, and this one will not run."""

    def close(self) -> None:
        """Drops the jobs that wait; `done` is not called any more."""


class AtOnce:
    """For an emulator without threads: the job runs in the caller."""

    def run(self, job: Callable[[], T], done: Callable[[T], None]) -> bool:
        done(job())
        return True

    def close(self) -> None:
        """There is nothing to end."""


class BackgroundThread:
    """A thread that starts with the first job. `post` runs a callback in the emulator's thread."""

    def __init__(self, post: Callable[[Callable[[], None]], object]) -> None:
        self._post = post
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING)
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def run(self, job: Callable[[], T], done: Callable[[T], None]) -> bool:
        def work() -> None:
            result = job()
            with contextlib.suppress(ReactorStopped):
                self._post(lambda: None if self._is_closed else done(result))

        try:
            self._jobs.put_nowait(work)
        except queue.Full:
            return False
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="fencelab-background", daemon=True)
            self._thread.start()
        return True

    def close(self) -> None:
        # The thread is a daemon: a job that runs now ends by itself or with the process.
        self._is_closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()
        if self._thread is not None:
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()
