"""The directory of one run of a fencer: its HOME, and beside it what the suite writes.

It goes away at the end, whatever the fencer has made of it.

Nothing here follows a symbolic link, opens anything but regular files and directories, or recurses: a fencer may have nested
thousands of directories, put FIFOs and devices there, taken every permission away, or replaced its HOME by a link to `/`.
"""

from __future__ import annotations

import os
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final

PREFIX: Final = "fencelab-run-"
MOUNTS: Final = Path("/proc/self/mountinfo")
REMOVING_S: Final = 10.0
DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
MonotonicTime = Callable[[], float]


@dataclass(frozen=True, slots=True)
class RunDirectory:
    """`home` is the fencer's HOME and TMPDIR; `watch` holds stand-ins and records."""

    path: Path

    @property
    def home(self) -> Path:
        return self.path / "home"

    @property
    def watch(self) -> Path:
        return self.path / "watch"


@contextmanager
def run_directory() -> Iterator[RunDirectory]:
    """Makes it below the system's temporary directory and removes it at the end. Raises OSError where it cannot be made."""
    made = RunDirectory(Path(tempfile.mkdtemp(prefix=PREFIX)))
    try:
        made.home.mkdir()
        made.watch.mkdir()
        yield made
    finally:
        remove(made.path)


def read_regular(path: str | Path, limit: int, at: int | None = None) -> bytes | None:
    """The beginning of a regular file, at most `limit` bytes; None where it is none or cannot be read. Never blocks.

    `at` is a descriptor of the directory from which a relative path leads.
    """
    try:
        descriptor = os.open(path, FILE, dir_fd=at)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def remove(top: Path, *, within_s: float = REMOVING_S, clock: MonotonicTime = time.monotonic) -> bool:
    """Removes a tree of any depth; whether nothing is left. What another file system is mounted in is not touched.

    Directories are moved up to the top before they are emptied, so that no path is longer than two names.
    """
    until = clock() + within_s
    if _holds_mounts(top):
        return False
    try:
        above = os.open(top, DIRECTORY)
    except OSError:
        return False
    try:
        number = 0
        while clock() < until and (names := _names(above)):
            before = number
            for name in names:
                if clock() >= until:
                    return False
                number = _remove_entry(above, name, number, until, clock)
            if number == before and _names(above) == names:
                return False  # what is left belongs to somebody else, or is immutable
    finally:
        os.close(above)
    with suppress(OSError):
        top.rmdir()
        return True
    return False


def _remove_entry(above: int, name: str, number: int, until: float, clock: MonotonicTime) -> int:
    """Removes one entry of the top directory, or moves the directories in it up. The next free number for such a move."""
    try:
        os.unlink(name, dir_fd=above)
        return number
    except OSError:
        pass  # a directory, as a rule
    try:
        below = open_directory(name, above)
    except OSError:
        return number
    try:
        for entry in _names(below):
            if clock() >= until:
                break
            try:
                os.unlink(entry, dir_fd=below)
                continue
            except OSError:
                pass
            with suppress(OSError):
                os.close(open_directory(entry, below))  # moving a directory takes the right to write in it
                os.rename(entry, f".fencelab-{number}", src_dir_fd=below, dst_dir_fd=above)
                number += 1
    finally:
        os.close(below)
    with suppress(OSError):
        os.rmdir(name, dir_fd=above)
    return number


def open_directory(name: str, above: int | None = None) -> int:
    """A descriptor of a directory that is no link, made accessible where it is ours. Raises OSError."""
    if not stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
        raise NotADirectoryError(name)
    with suppress(OSError):
        os.chmod(name, 0o700, dir_fd=above)
    return os.open(name, DIRECTORY, dir_fd=above)


def used_bytes(top: Path, *, entries: int = 2_000) -> int:
    """What a tree takes on the disk, as far as its first `entries` entries show it. It may be changing meanwhile."""
    used, waiting = 0, [str(top)]
    while waiting and entries > 0:
        try:
            with os.scandir(waiting.pop()) as found:
                for entry in islice(found, entries):
                    entries -= 1
                    facts = entry.stat(follow_symlinks=False)
                    used += facts.st_blocks * 512
                    if stat.S_ISDIR(facts.st_mode):
                        waiting.append(entry.path)
        except OSError:
            continue
    return used


def _names(directory: int) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _holds_mounts(top: Path) -> bool:
    """Whether something is mounted below a directory: removing it would remove what is mounted."""
    inside = f"{os.path.realpath(top)}/"
    try:
        lines = MOUNTS.read_text().splitlines()
    except OSError:
        return False
    return any(f"{line.split()[4]}/".startswith(inside) for line in lines)
