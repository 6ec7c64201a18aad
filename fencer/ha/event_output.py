"""Writes event lines to stdout in a thread of its own, so that a reader who is slow, stands still or is gone stops nobody.

`Manager` calls the sink in its loop's thread; the thread of this class writes.

Rules
  1. The sink never waits. If `most_bytes` are waiting, it does not take the line: the line stays in the store as not printed.
  2. If the reader has closed the pipe, lines are dropped. They are in the timeline.
"""

from __future__ import annotations

import io
import os
import select
import sys
import threading
from collections import deque
from collections.abc import Callable

from fencer.ha.entries import StoredEvent

MOST_BYTES = 1 << 20

WriteBytes = Callable[[bytes], None]


class EventOutput:
    """A sink. `put` writes bytes, may block, and raises OSError if nobody can read them any more."""

    def __init__(self, as_line: Callable[[StoredEvent], str], put: WriteBytes, most_bytes: int = MOST_BYTES) -> None:
        self._as_line, self._put, self._most = as_line, put, most_bytes
        self._lines: deque[bytes] = deque()
        self._waiting = 0
        self._closing = self._gone = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="event-output", daemon=True)
        self._thread.start()

    def __call__(self, event: StoredEvent) -> bool:
        line = f"{self._as_line(event)}\n".encode()
        with self._changed:
            if self._gone:
                return True
            if self._waiting and self._waiting + len(line) > self._most:
                return False
            self._lines.append(line)
            self._waiting += len(line)
            self._changed.notify_all()
        return True

    def close(self, seconds: float) -> None:
        """Waits until all lines are written, at most `seconds`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._lines or self._closing)
                if not self._lines:
                    return
                data = b"".join(self._lines)
                self._lines.clear()
            try:
                self._put(data)
            except OSError:
                with self._changed:
                    self._gone = True
                    return
            with self._changed:
                self._waiting -= len(data)


def to_stdout(as_line: Callable[[StoredEvent], str]) -> EventOutput:
    try:
        number = sys.stdout.fileno()
    except io.UnsupportedOperation:
        return EventOutput(as_line, _to_text_stream)
    return EventOutput(as_line, lambda data: write_all(number, data))


def _to_text_stream(data: bytes) -> None:
    sys.stdout.write(data.decode())
    sys.stdout.flush()


def write_all(number: int, data: bytes) -> None:
    """Writes everything to the file descriptor, also if somebody has made it non-blocking. Raises OSError."""
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            select.select([], [number], [])
