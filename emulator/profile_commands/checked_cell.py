"""One comparison of `profile check`: what the file says and what the service did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckedCell:
    """One cell, effect or resource: where it stands in the file, what the file promises and what the service did."""

    path: str
    expected: str
    found: str

    @property
    def ok(self) -> bool:
        return self.expected == self.found
