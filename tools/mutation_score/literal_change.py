"""A mutant: one small change of a fencer's source, as data.

`changed_copy` applies it when it imports a copy of the module. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class SourceMoved(ValueError):
    """The text that a mutant replaces is not there exactly once: the source has changed, and the table must follow."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """`id` is unique among the mutants of one fencer. `file` is relative to the source tree. `old` is in it exactly once.

    `harm` completes "A user would see ...".
    """

    id: str
    file: str
    old: str
    new: str
    harm: str

    def applied(self, source: str) -> str:
        """The source with the change. Raises SourceMoved."""
        found = source.count(self.old)
        if found != 1 or self.old == self.new:
            raise SourceMoved(f"{self.id}: {self.file} has {self.old!r} {found} times; it must be there once, and change")
        return source.replace(self.old, self.new)

    def lines(self, source: str) -> range:
        """The numbers of the lines in `source` that it changes. Raises SourceMoved."""
        self.applied(source)
        before, after = _common_ends(self.old, self.new)
        start = source.index(self.old)
        first = source.count("\n", 0, start + before) + 1
        last = source.count("\n", 0, max(start + before, start + len(self.old) - after - 1)) + 1
        return range(first, last + 1)


def _common_ends(old: str, new: str) -> tuple[int, int]:
    """How many characters at the start and at the end of both are equal."""
    most = min(len(old), len(new))
    before = next((n for n in range(most) if old[n] != new[n]), most)
    after = next((n for n in range(most - before) if old[-1 - n] != new[-1 - n]), most - before)
    return before, after


def read(root: Path, mutant: Mutant) -> str:
    """The source that the mutant changes."""
    return (root / mutant.file).read_text(encoding="utf-8")
