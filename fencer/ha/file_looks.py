"""Looks at files on shares that may be dead, in processes that can be killed.

`ProbeLoop` uses it in its thread. Times are seconds of the monotonic clock.

Theory
  `stat` on a dead share never returns, and nothing ends a thread that waits in it. A process can be given up. There is one per
  mount point, named by /proc/self/mountinfo without touching the share. While a process that was killed has not ended, its
  share is not asked again: everything on it is unknown.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

LOOKER = """
import os, sys
for line in sys.stdin.buffer:
    try:
        s = os.stat(line[:-1])
        said = f"{s.st_mtime_ns} {s.st_size} {s.st_ino}"
    except (OSError, ValueError):
        said = ""
    sys.stdout.write(said + "\\n")
    sys.stdout.flush()
"""

LookAnswered = Callable[[str | None], None]


class Looker:
    """The process of one mount point. Answers come in the order of the questions."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", LOOKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        assert self._process.stdout is not None
        self._waiting: deque[LookAnswered] = deque()
        self._text = b""
        self.killed = False
        self.descriptor = self._process.stdout.fileno()
        os.set_blocking(self.descriptor, False)

    def ask(self, path: str, answered: LookAnswered) -> None:
        assert self._process.stdin is not None
        if self.killed:
            answered(None)
            return
        self._waiting.append(answered)
        try:
            self._process.stdin.write(os.fsencode(path) + b"\n")
            self._process.stdin.flush()
        except OSError:
            self.give_up()

    def read(self) -> None:
        """The descriptor can be read."""
        data = os.read(self.descriptor, 65536)
        if not data:
            self.give_up()
            return
        self._text += data
        while b"\n" in self._text:
            line, _, self._text = self._text.partition(b"\n")
            if self._waiting:
                self._waiting.popleft()(line.decode() or None)

    @property
    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def give_up(self) -> None:
        """Kills the process; all questions are answered with None."""
        if self.killed:
            return
        self.killed = True
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        waiting, self._waiting = self._waiting, deque()
        for answered in waiting:
            answered(None)

    def close(self) -> None:
        self.give_up()
        with suppress(subprocess.TimeoutExpired):  # one that waits in a dead share ends when the share is back
            self._process.wait(0.5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


def mount_points() -> list[str]:
    """The mount points of this machine, longest first. Reads /proc only."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return ["/"]
    points = {line.split(" ")[4].encode().decode("unicode_escape") for line in lines}
    return sorted(points | {"/"}, key=len, reverse=True)


def mount_of(path: str, points: list[str]) -> str:
    """The mount point that `path` is on, by its words alone."""
    return next((point for point in points if path == point or path.startswith(point.rstrip("/") + "/")), "/")
