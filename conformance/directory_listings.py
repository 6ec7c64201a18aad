"""What is in directories. `leaks` walks with it; any thread.

A directory that has not changed since it was listed is not listed again: the names are kept, and only the facts of its entries
are asked for anew. In a temporary directory with thousands of entries that is half of the work after each run of a fencer.

No link is followed: a directory is opened only if it is the one that was seen.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from conformance.run_directory import DIRECTORY, open_directory

SETTLED_S: Final = 2.0
"""A directory that changed less than this ago may change again without its time showing it."""
MOST_KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class SeenDirectory:
    """A directory that was seen, and what `stat` said of it then.

    `below` is its path below the top of the search (empty, or with a slash at the end), `depth` how deep it is there. `own`: it
    is made readable before it is opened.
    """

    path: str
    below: str
    depth: int
    facts: os.stat_result
    own: bool = False

    def entry(self, name: str, facts: os.stat_result) -> SeenDirectory:
        return SeenDirectory(f"{self.path}/{name}", f"{self.below}{name}/", self.depth + 1, facts, self.own)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """A descriptor of the very directory that was seen. Raises OSError."""
        at = open_directory(self.path) if self.own else os.open(self.path, DIRECTORY)
        try:
            if not os.path.samestat(os.fstat(at), self.facts):
                raise NotADirectoryError(self.path)  # something else has taken its place
            yield at
        finally:
            os.close(at)


@dataclass(slots=True)
class Listings:
    """Names in directories, by device and inode, with the time at which the directory had changed last."""

    kept: dict[tuple[int, int], tuple[int, tuple[str, ...]]] = field(default_factory=dict)

    def entries(self, directory: SeenDirectory) -> Iterator[tuple[str, os.stat_result]]:
        """Names and facts of what is in a directory, without links. Raises OSError where it cannot be read."""
        facts = directory.facts
        changed_ns, names = self.kept.get((facts.st_dev, facts.st_ino), (0, ()))
        if changed_ns == facts.st_ctime_ns:
            for name in names:
                try:
                    yield name, os.lstat(f"{directory.path}/{name}")
                except OSError:
                    continue  # it has just gone
            return
        found: list[str] = []
        with directory.opened() as at, os.scandir(at) as entries:
            for entry in entries:
                if entry.is_symlink():
                    continue
                found.append(entry.name)
                try:
                    yield entry.name, entry.stat(follow_symlinks=False)
                except OSError:
                    continue
        if time.time() - facts.st_ctime > SETTLED_S:
            if len(self.kept) >= MOST_KEPT:
                self.kept.clear()
            self.kept[facts.st_dev, facts.st_ino] = facts.st_ctime_ns, tuple(found)
