"""Files in which a fencer has left its password (G3). Called by `play_scenario` after each ask, in the cell's thread.

Rules
  1. Each cell has a password of its own: a file that holds it was written by this cell's fencer, whoever else writes beside it.
  2. The time of a file is its change time (ctime), which a program cannot set back.
  3. Bounded in entries, depth, bytes and time; what could not be searched is said. No link is followed, no other file system is
     entered.
"""

from __future__ import annotations

import errno
import math
import os
import re
import stat
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from conformance.directory_listings import Listings, SeenDirectory
from conformance.run_directory import PREFIX, MonotonicTime, RunDirectory, read_regular
from conformance.secret_forms import shown_in_bytes

LARGEST: Final = 4_000_000
"""Bytes of one file; nobody's log grows beyond that in one run."""
MOST_SAID: Final = 10  # sentences about what was not searched
COARSE_S: Final = 0.1
"""Seconds by which a file's time may lie before the time at which it was written."""
TEMPORARY: Final = ("/tmp", "/var/tmp", "/dev/shm")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a search goes: directories below the first, entries, seconds.

    Directories deeper than `unchanged` are entered only if something was added to them or they are new.
    """

    depth: int
    entries: int
    seconds: float
    unchanged: int = 32


HOME: Final = Bounds(32, 20_000, 2.0)
BESIDE: Final = Bounds(4, 4_000, 0.5)
SHARED: Final = Bounds(8, 2_000, 0.25, unchanged=1)
OWN: Final = re.compile("home|watch")
RUNS: Final = re.compile(f"{PREFIX}.*")
NOTHING: Final = re.compile(r"(?!)")
LISTINGS: Final = Listings()
"""Of this process: a suite searches the same places after every run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaks:
    """Names of files that hold a secret; what was not searched, and what was wrong with the directories, as sentences."""

    files: tuple[str, ...]
    unsearched: tuple[str, ...]
    conduct: tuple[str, ...]


@dataclass(slots=True)
class _Search:
    secrets: Sequence[str]
    clock: MonotonicTime
    found: dict[tuple[int, int], str] = field(default_factory=dict)  # by device and inode
    unsearched: list[str] = field(default_factory=list)

    def tree(
        self,
        top: str,
        called: str,
        prefix: str,
        bounds: Bounds,
        since: float,
        *,
        skip: re.Pattern[str] = NOTHING,
        own: bool = False,
    ) -> None:
        """Breadth first: what lies near the top is seen before a bound is reached.

        Reports call the tree `called`, and a file in it by its path behind `prefix`. `skip` names what is left out of the top.
        """
        until, entries = self.clock() + bounds.seconds, 0
        try:
            root = SeenDirectory(top, "", 0, os.stat(top), own)
        except OSError:
            return
        waiting = deque([root])
        while waiting:
            directory = waiting.popleft()
            try:
                for name, facts in LISTINGS.entries(directory):
                    entries += 1
                    if entries > bounds.entries:
                        self.unsearched.append(f"{called}: only the first {bounds.entries:,} entries were searched")
                        return
                    if self.clock() > until:
                        self.unsearched.append(f"{called}: the search was ended after {bounds.seconds:g} s")
                        return
                    is_file, has_changed = stat.S_ISREG(facts.st_mode), facts.st_ctime >= since
                    if not has_changed and (is_file or directory.depth >= bounds.unchanged):
                        continue
                    if facts.st_dev != root.facts.st_dev or (directory is root and skip.fullmatch(name)):
                        continue
                    if is_file:
                        self._file(directory, name, prefix + directory.below + name, facts)
                    elif not stat.S_ISDIR(facts.st_mode):
                        continue
                    elif directory.depth < bounds.depth:
                        waiting.append(directory.entry(name, facts))
                    elif has_changed:
                        self.unsearched.append(f"{called}: directories deeper than {bounds.depth} levels were not searched")
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:
                    self.unsearched.append(f"{called}: paths that are too long were not searched")
                continue  # else it has just gone, or cannot be read

    def _file(self, directory: SeenDirectory, name: str, called: str, facts: os.stat_result) -> None:
        if facts.st_uid != os.geteuid() or (facts.st_dev, facts.st_ino) in self.found:
            return
        with suppress(OSError), directory.opened() as at:
            if not facts.st_mode & stat.S_IRUSR and facts.st_nlink == 1:
                with suppress(OSError):
                    os.chmod(name, 0o600, dir_fd=at)
            if (content := read_regular(name, LARGEST, at)) is None:
                with suppress(OSError):
                    os.stat(name, dir_fd=at, follow_symlinks=False)
                    self.unsearched.append(f"{called} could not be read")
            elif shown_in_bytes(self.secrets, content):
                self.found[facts.st_dev, facts.st_ino] = called
            elif facts.st_size > LARGEST:
                self.unsearched.append(f"{called}: only the first {LARGEST // 1_000_000} MB were searched")


def search(
    secrets: Sequence[str],
    run: RunDirectory,
    beside: Path,
    since: float,
    *,
    ours: Path | None = None,
    clock: MonotonicTime = time.monotonic,
) -> Leaks:
    """Searches HOME as a whole; `beside` and the system's temporary directories for what changed after `since` (Unix time).

    `ours` is the emulator's directory: the suite may have put a password file there, which the fencer was told to read.
    """
    looking, conduct = _Search(secrets, clock), [*_conduct(run)]
    since -= COARSE_S
    if not conduct:
        looking.tree(str(run.home), "HOME", "HOME/", HOME, 0.0, own=True)
    looking.tree(str(run.path), "beside HOME", "HOME/../", HOME, 0.0, skip=OWN)
    looking.tree(str(beside), "the fencer's directory", "", BESIDE, since)
    skipped = RUNS if ours is None else re.compile(f"{RUNS.pattern}|{re.escape(ours.name)}")
    for place in _shared():
        looking.tree(place, place, f"{place}/", SHARED, since, skip=skipped)
    return Leaks(
        files=tuple(looking.found.values()),
        unsearched=tuple(dict.fromkeys(looking.unsearched))[:MOST_SAID],
        conduct=tuple(conduct),
    )


def look_around(beside: Path) -> None:
    """Lists what `search` will list, so that a process that forks for every run does it once."""
    looking = _Search((), time.monotonic)
    looking.tree(str(beside), "", "", BESIDE, math.inf)
    for place in _shared():
        looking.tree(place, "", "", SHARED, math.inf)


def _shared() -> tuple[str, ...]:
    """The system's temporary directories, each once."""
    return tuple(dict.fromkeys(os.path.realpath(place) for place in (tempfile.gettempdir(), *TEMPORARY)))


def _conduct(run: RunDirectory) -> Iterator[str]:
    try:
        mode = os.lstat(run.home).st_mode
    except OSError:
        yield "removed its HOME"
        return
    if stat.S_ISLNK(mode):
        yield f"replaced its HOME by a link to {os.readlink(run.home)}"
    elif not stat.S_ISDIR(mode):
        yield "replaced its HOME by something that is no directory"
