"""Where a finding is shown in somebody's repository: the file of the fencer, at its key `fencer`.

SARIF and the annotations of GitHub want a file and a line. Paths are relative to the repository that the file lies in, which is
the nearest directory above it with `.git`; without one, to the directory in which the suite runs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from conformance import fencers

SHIPPED: Final = fencers.HERE
KEY: Final = re.compile(r"^fencer\s*:", re.MULTILINE)
LARGEST: Final = 1_000_000
"""Characters of a file that are searched for the key."""


@dataclass(frozen=True, slots=True)
class FencerPlace:
    """`path` is relative to the user's repository where the file lies in it, else absolute. `line` counts from 1.

    A fencer that comes with the suite is `shipped`; its path is relative to the suite's own files.
    """

    path: str
    line: int
    shipped: bool = False


@lru_cache(maxsize=64)
def place_of(file: str) -> FencerPlace | None:
    """The place for a fencer's file; None where nothing is known of it."""
    if not file:
        return None
    path = Path(file)
    if path.parent == SHIPPED:
        return FencerPlace(f"conformance/fencers/{path.name}", _line(path), shipped=True)
    top = next((folder for folder in path.parents if (folder / ".git").exists()), Path.cwd())
    shown = path.relative_to(top) if path.is_relative_to(top) else path
    return FencerPlace(shown.as_posix(), _line(path))


def _line(path: Path) -> int:
    """The line of the key `fencer`; 1 where the file cannot be read any more."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            text = stream.read(LARGEST)
    except OSError:
        return 1
    found = KEY.search(text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
