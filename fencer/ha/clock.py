"""The one clock that all managers of a store share.

Theory
  Deadlines outlive processes, so a process's own monotonic clock will not do; a wall clock may jump, and a lease must not.
  So: the machine's boot-time clock, which never jumps and is the same in every process, plus an offset that is written to the
  store once per boot and makes the values read like Unix time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SharedClock(Protocol):
    def now(self) -> float:
        """Seconds; comparable between all managers of one store."""
        ...


class BootClock:
    """`offset` comes from the store, see `SqliteStore.clock`."""

    def __init__(self, offset: float) -> None:
        self._offset = offset

    def now(self) -> float:
        return since_boot() + self._offset


def since_boot() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_id() -> str:
    return BOOT_ID.read_text(encoding="ascii").strip()


def wall_offset() -> float:
    return time.time() - since_boot()
