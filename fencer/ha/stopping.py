"""The end of a process that was told to stop (SIGTERM, Ctrl-C): in order if possible, and in any case within `STOP_WITHIN_S`.

`fence-ha run` uses it in its main thread.

Theory
  Python runs a signal handler only between two steps of the main thread. If that thread waits in a system call that does not
  return (a disk that stands still), or if the interpreter waits for something at its end, the handler or the exit never comes.
  So the number of the signal also goes to a pipe, which Python's own C code writes at once, and a thread that does nothing
  else reads it and ends the process when the time is over. That is safe: whatever was under way is in the store, and the
  leases end by themselves.
"""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOP_WITHIN_S = 4.0

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals(within: float = STOP_WITHIN_S) -> Iterator[list[int]]:
    """Yields a list that gets the number of each stop signal. `within` seconds after the first one the process ends.

    A second one ends it at once.
    """
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    threading.Thread(target=_end_in_time, args=(read_end, within), name="stopping", daemon=True).start()
    before_pipe = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield seen
    finally:
        if not seen:  # else the thread goes on: the end of the interpreter takes part in the time
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before_pipe)
            os.close(write_end)


def _end_in_time(read_end: int, within: float) -> None:
    while True:
        got = os.read(read_end, 1)
        if not got:
            os.close(read_end)
            return
        if got[0] in SIGNALS:
            select.select([read_end], [], [], within)
            os._exit(0)
