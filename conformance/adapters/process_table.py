"""What /proc says of the processes below another one.

Any of them may end while it is read: then it is left out, and nothing fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from typing import Final

PROC: Final = "/proc"
MOST: Final = 4096
"""So many processes are looked at; who has more is over every limit."""


def descendants(pid: int) -> tuple[int, ...]:
    """Everything below a process, parents first, at most MOST."""
    return tuple(islice(_below(pid), MOST))


def _below(pid: int) -> Iterator[int]:
    waiting = [pid]
    while waiting:
        parent = waiting.pop()
        for thread in _entries(f"{parent}/task"):
            children = [int(child) for child in _read(f"{parent}/task/{thread}/children").split()]
            yield from children
            waiting += children


def command_line(pid: int) -> tuple[str, ...]:
    return tuple(_read(f"{pid}/cmdline").split("\0")[:-1])


def name(pid: int) -> str:
    """As `ps` shows it; empty where it has gone."""
    return _read(f"{pid}/comm").strip()


def is_stopped(pid: int) -> bool:
    return _read(f"{pid}/stat").rpartition(")")[2].split()[:1] == ["T"]


def with_environment(text: str) -> tuple[int, ...]:
    """Processes of this machine in whose environment a text stands, as far as this user may see it."""
    own = os.getpid()
    return tuple(int(p) for p in _entries("") if p.isdigit() and int(p) != own and text in _read(f"{p}/environ"))


def _entries(path: str) -> list[str]:
    try:
        return os.listdir(f"{PROC}/{path}")
    except OSError:
        return []


def _read(path: str) -> str:
    """A file below /proc; empty where the process has gone, which shows when the file is opened or when it is read."""
    try:
        with open(f"{PROC}/{path}", "rb") as file:
            return file.read().decode(errors="replace")
    except OSError:
        return ""
