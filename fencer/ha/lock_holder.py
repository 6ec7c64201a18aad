"""Finds the process that holds a write lock on a file, and ends a manager that stands still with it.

`SqliteStore` asks when it has waited in vain for the lock of the state file. Linux only: /proc/locks.

Theory
  SQLite's lock belongs to a process. A process that is stopped (SIGSTOP, a debugger, a frozen container) inside a transaction
  keeps it for ever, and no other process can take it away. But SQLite survives the death of the holder: the next one rolls the
  transaction back. So the holder is killed, if it is a `fence-ha` that is stopped, or a manager whose lease has ended: it must
  do nothing any more, and a lock is held for milliseconds. Nothing else is ever killed: the caller says who holds the lock.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
STOPPED = frozenset({"T", "t"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """`started`: clock ticks since boot, which tells it from a later process with the same number."""

    pid: int
    state: str
    started: int
    command: str
    is_ours: bool

    def __str__(self) -> str:
        stopped = ", which is stopped" if self.state in STOPPED else ""
        return f"process {self.pid} ({self.command or 'unknown'}){stopped}"


def process(pid: int) -> Process | None:
    """What is known of a process; None if there is none."""
    try:
        stat = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
        words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        owner = (PROC / str(pid)).stat().st_uid
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()
    argv = [os.fsdecode(word) for word in words if word]
    return Process(
        pid=pid, state=fields[0], started=int(fields[19]), command=Path(argv[0]).name if argv else "",
        is_ours=owner == os.getuid() and any(Path(word).name == "fence-ha" or word == "fencer.ha.cli" for word in argv),
    )  # fmt: skip


def lock_holder(files: Sequence[Path]) -> Process | None:
    """The first other process with a write lock on one of the files."""
    inodes = {_inode(file) for file in files}
    try:
        lines = (PROC / "locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    for line in lines:
        # 1: POSIX  ADVISORY  WRITE 4711 08:01:131 120 120
        words = line.split()
        if len(words) >= 8 and words[3] == "WRITE" and words[5].rpartition(":")[2] in inodes:
            pid = int(words[4])
            if pid > 0 and pid != os.getpid():
                return process(pid)
    return None


def _inode(file: Path) -> str:
    try:
        return str(file.stat().st_ino)
    except OSError:
        return ""


def is_dead_weight(holder: Process, lease_until: float | None, now: float, slow_disk_s: float) -> bool:
    """True if the holder must be killed. `lease_until`: the end of its lease; None: it is no manager.

    `slow_disk_s`: a process that runs may be writing to a slow disk, and gets so much time after the end of its lease.
    """
    stopped = holder.state in STOPPED
    if lease_until is None:
        return holder.is_ours and stopped
    return lease_until + (0.0 if stopped else slow_disk_s) <= now


def kill(holder: Process) -> bool:
    try:
        os.kill(holder.pid, signal.SIGKILL)
    except OSError:
        return False
    return True
