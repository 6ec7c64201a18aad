"""Which cells belong to which part of a run that is divided over several machines (`--shard 2/4`). Pure.

The part of a cell is a hash of its fencer's name, its profile and its scenario. So every machine finds it by itself, and a cell
stays in its part when other cells are added. All parts together hold every cell once.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Final

FORM: Final = re.compile(r"([0-9]{1,6})/([0-9]{1,6})")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part `index` of `count`; the first one is 1."""

    index: int
    count: int

    def holds(self, fencer: str, profile: str, scenario: str) -> bool:
        digest = hashlib.sha256("\0".join((fencer, profile, scenario)).encode()).digest()
        return int.from_bytes(digest[:8]) % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def parse(text: str) -> Shard:
    """Reads `I/N`. Raises ValueError, with a sentence."""
    found = FORM.fullmatch(text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        raise ValueError(f"{text!r} is no part of a whole: write I/N with I from 1 to N, such as 2/4")
    return Shard(int(found[1]), int(found[2]))
