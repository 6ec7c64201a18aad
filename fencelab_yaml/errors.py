"""The mistakes of a file, as `file:line:column: path: message`.

A reader collects all mistakes of a file and reports them together in one `YamlFileError`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

SHOWN: Final = 100
"""At most this many problems are printed; the rest is only counted."""


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
    """One mistake: its place, its key, and what is wrong."""

    mark: Mark
    path: str
    message: str

    def __str__(self) -> str:
        line = f"{self.mark}: {self.path}: {self.message}" if self.path else f"{self.mark}: {self.message}"
        return one_line(line)


def one_line(text: str) -> str:
    """Replaces control characters, so that a stranger's text cannot move the cursor of a terminal or start a new line."""
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


class YamlFileError(Exception):
    """The file has mistakes and cannot be used. `str()` has one line per problem."""

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
    """Collects problems, each once, although a node may be checked twice.

    `called` is what the file is ("profile", "rack file"), for messages about the file as a whole. `error` is raised with the
    problems.
    """

    called: str = "file"
    error: type[YamlFileError] = YamlFileError
    found: set[Problem] = field(default_factory=set)

    def add(self, mark: Mark, path: str, message: str) -> None:
        self.found.add(Problem(mark, path, message))

    def refusal(self, mark: Mark, message: str) -> YamlFileError:
        """Returns the error for a file that cannot be read beyond this place, with what was found before it."""
        return self.error([*sorted(self.found), Problem(mark, "", message)])

    def raise_any(self) -> None:
        """Raises the error if there are problems, sorted by their places."""
        if self.found:
            raise self.error(sorted(self.found))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Returns `; did you mean 'x'?`, or an empty text if no known word is similar."""
    spelt = {name.lower(): name for name in sorted(known)}
    near = difflib.get_close_matches(word[:80].lower(), spelt, n=1, cutoff=0.6)
    return f"; did you mean '{spelt[near[0]]}'?" if near else ""


def listed(words: Iterable[str], limit: int = 20) -> str:
    """Joins the words for a sentence; leaves some out if there are too many."""
    every = list(words)
    shown = ", ".join(every[:limit])
    return f"{shown}, ... ({len(every)} in all)" if len(every) > limit else shown
