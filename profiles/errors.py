"""What is wrong with a profile, as `file:line:column: path: message`.

All mistakes of a file come at once: whoever writes a profile should not have to run the loader ten times.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SHOWN: Final = 100
"""More lines than this help nobody; the rest is counted."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a file. Lines and columns count from 1; line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake: where it is, in which key, and what to do about it."""

    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        line = f"{self.mark}: {self.path}: {self.message}" if self.path else f"{self.mark}: {self.message}"
        return _one_line(line)


def _one_line(text: str) -> str:
    """What a file holds may not move a terminal's cursor or start a line of its own."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class ProfileError(Exception):
    """The profile cannot be used; whoever wrote it has to change it. `str()` is one line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:SHOWN]]
        if len(self.problems) > SHOWN:
            lines.append(f"... and {len(self.problems) - SHOWN} more")
        return "\n".join(lines)


@dataclass(slots=True)
class Problems:
    """Collects problems, each once; a node that is checked alone and again after merging complains only once."""

    found: set[Problem] = field(default_factory=set)

    def add(self, mark: Mark, path: str, message: str) -> None:
        self.found.add(Problem(mark, path, message))

    def raise_any(self) -> None:
        """Raises ProfileError if anything was found."""
        if self.found:
            raise ProfileError(sorted(self.found))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing where no known word is near."""
    spelt = {name.lower(): name for name in sorted(known)}
    near = difflib.get_close_matches(word[:80].lower(), spelt, n=1, cutoff=0.6)
    return f"; did you mean '{spelt[near[0]]}'?" if near else ""


def listed(words: Iterable[str], limit: int = 20) -> str:
    """The words for a sentence, cut where there are too many."""
    every = list(words)
    shown = ", ".join(every[:limit])
    return f"{shown}, ... ({len(every)} in all)" if len(every) > limit else shown
