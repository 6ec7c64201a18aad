"""The clock that all managers of one store share, in seconds. Any thread may read it.

Theory
  Deadlines are stored and must be valid in another process, so a process's own monotonic clock cannot be used. A wall clock
  may jump, and then leases would end too early or too late. So this clock is CLOCK_BOOTTIME, which never jumps and is the
  same in every process, plus an offset. The first manager after a boot writes the offset to the store; with it, values are
  close to Unix time.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class SharedClock(Protocol):
    def now(self) -> float:
        """The current time in seconds. Times of all managers of one store can be compared."""
        ...


class BootClock:
    """CLOCK_BOOTTIME plus `offset` seconds. The offset comes from `SqliteStore.clock`."""

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
