"""The process in which a fencer is called: forked from a worker, which has loaded everything, for one run or for many.

Rules
  1. A run has a process of its own, unless the fencer's file says that it keeps nothing and the run need not be alone: a fork
     costs as much as half a run, for all the memory that the child touches first.
  2. Runs follow one another in one process until it has played `MOST_RUNS`, or something is left of a run that shows: a thread,
     an open descriptor, an ask that was cut off. The worker ends it where a run has left processes, or did not end by its cap.
  3. What the file says is checked: after the runs `CHECKED_AFTER` the first is played again and must be the same to the byte. If
     it is not, the fencer cannot be played so, and the run that is being played says it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from conformance.adapters.base import CannotStart
from conformance.adapters.python_transport import PythonTransportAdapter
from conformance.in_process.messages import SIZE_BYTES, rest_line, unpacked
from conformance.in_process.play_here import Tell, play_here
from conformance.play_scenario import Play
from emulator import EmulatorError, Reusable

MOST_RUNS: Final = 64
CHECKED_AFTER: Final = frozenset({4, MOST_RUNS})
LIBC: Final = ctypes.CDLL(None)
PR_SET_PDEATHSIG: Final = 1
ONE_LINE: Final = {ord("\n"): " ", ord("\r"): " "}
DONE: Final = b"."
KEEPS: Final = "its file says that it keeps nothing, but played again in the same process the first of {} runs came out otherwise"
FORGET: Final = "take the line `keeps: nothing` out of it"


@dataclass(frozen=True, slots=True)
class Player:
    """The worker's side: a process, what it is told, and what it says when it is ready for the next run."""

    pid: int
    descriptor: int
    orders: int
    done: int

    def tell(self, data: bytes) -> None:
        """Hands it the next run; a process that has ended shows in `wait`."""
        with contextlib.suppress(OSError):
            write_all(self.orders, len(data).to_bytes(SIZE_BYTES) + data)

    def wait(self, requests: int, cap_s: float) -> tuple[int | None, bool]:
        """Waits for the end of the run, at most for the cap: (the exit code of the process, whether the suite has hung up).

        The code is None where the process stays for another run. Else it has been ended and reaped; negative for a signal.
        """
        until = time.monotonic() + cap_s
        poller = select.poll()
        poller.register(self.descriptor, select.POLLIN)
        poller.register(self.done, select.POLLIN)
        poller.register(requests, 0)  # a hang-up is told without being asked for
        while True:
            ready = {number for number, _ in poller.poll(max(0.0, until - time.monotonic()) * 1000)}
            if ready != {self.done}:
                return self.end(at_once=self.descriptor not in ready), requests in ready
            if os.read(self.done, 1) == DONE:
                return None, False
            poller.unregister(self.done)  # closed: it ends, or a fencer has closed it

    def end(self, *, at_once: bool = True) -> int:
        """Ends it, or waits until it has ended by itself; its exit code."""
        if at_once:
            os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        for descriptor in (self.descriptor, self.orders, self.done):
            os.close(descriptor)
        return os.waitstatus_to_exitcode(status)


def started(what: Play, reused: Reusable, workers: tuple[int, ...], reports: int) -> Player:
    """Forks a process that plays `what`, and what it is told after that. `workers` are descriptors that are not its business."""
    orders_out, orders_in = os.pipe()
    done_out, done_in = os.pipe()
    pid = os.fork()
    if pid == 0:
        _play_all(what, reused, reports, orders_out, done_in, (*workers, orders_in, done_out))
    os.close(orders_out)
    os.close(done_in)
    return Player(pid, os.pidfd_open(pid), orders_in, done_out)


def may_follow(what: Play) -> bool:
    """Whether a run may be played in a process in which others have been played."""
    way = what.definition.ways[what.protocol]
    return not what.alone and isinstance(way, PythonTransportAdapter) and way.keeps_nothing


# -- the child -----------------------------------------------------------------------------------------------------------------


def _play_all(what: Play, reused: Reusable, reports: int, orders: int, done: int, others: Sequence[int]) -> None:
    """Never returns, whatever is raised. `others` are the worker's descriptors, which are closed here."""
    code = 1
    try:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        for descriptor in others:
            os.close(descriptor)
        os.setsid()
        runs = _Runs(reused, partial(write_line, reports))
        while (code := runs.play(what)) == 0 and may_follow(what) and not runs.is_spent:
            os.write(done, DONE)
            if not (data := read_all(orders, SIZE_BYTES)) or not (data := read_all(orders, int.from_bytes(data))):
                break
            what = unpacked(data)
    finally:
        os._exit(code)


class _Runs:
    """The runs of one process."""

    def __init__(self, reused: Reusable, tell: Tell) -> None:
        self._reused = reused
        self._tell = tell
        self._count = 0
        self._first: tuple[Play, Sequence[str]] | None = None
        self._ends_here = False
        self._before = _threads_and_descriptors()

    @property
    def is_spent(self) -> bool:
        return self._count >= MOST_RUNS or self._ends_here or _threads_and_descriptors() != self._before

    def play(self, what: Play) -> int:
        """Plays one, and tells what becomes of it; the exit code of the process if it is the last."""
        said: list[str] = []
        tell = self._tell if self._count else _both(self._tell, said.append)
        try:
            played = play_here(what, self._reused, tell)
            self._count += 1
            self._first = self._first or (what, said)
            self._ends_here = any(outcome.timed_out for outcome in played.outcomes)
            tell(rest_line(played))
            if self._count in CHECKED_AFTER and may_follow(what):
                self._check()
            return 0
        except CannotStart as why:
            self._tell(f"X start {why}")
        except (OSError, EmulatorError) as error:
            self._tell(f"X suite {error}")
        except Exception as error:  # noqa: BLE001 - becomes the cell's ERROR
            self._tell(f"X suite {type(error).__name__}: {error}")
        return 1

    def _check(self) -> None:
        assert self._first is not None
        what, before = self._first
        said: list[str] = []
        said.append(rest_line(play_here(what, self._reused, said.append)))
        if said != before:
            self._ends_here = True
            self._tell(f"X start {KEEPS.format(self._count)}: {FORGET}")


def _both(one: Tell, other: Callable[[str], object]) -> Tell:
    def tell(line: str) -> None:
        other(line)
        one(line)

    return tell


def _threads_and_descriptors() -> tuple[int, int]:
    return threading.active_count(), len(os.listdir("/proc/self/fd"))


# -- pipes ---------------------------------------------------------------------------------------------------------------------


def read_all(descriptor: int, size: int) -> bytes:
    """So many bytes; empty where the pipe ends before."""
    pieces: list[bytes] = []
    while size > 0:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            return b""
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def write_line(descriptor: int, line: str) -> None:
    """One line of `messages`."""
    write_all(descriptor, f"{line.translate(ONE_LINE)}\n".encode(errors="replace"))


def write_all(descriptor: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(descriptor, left) :]
