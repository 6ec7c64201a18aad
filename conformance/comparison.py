"""What has changed between two runs, cell by cell. `fence-conformance compare` prints it. Pure.

Rules
  1. A cell is the same fencer, profile and scenario; informational cells are left out, as they are of the gate.
  2. It got worse where its new verdict fails the gate and the old one did not, or is worse among those that fail it; a
     verdict that a waiver covers now is worse than one that passed. The other way round it got better.
  3. A cell that is only in one run is new or gone. A new one is worse only if it is UNSAFE: nothing was known of it before.
  4. N/A is neither good nor bad: a cell that becomes N/A, or is one no longer, is gone or new.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from conformance.vocabulary import FindingKind, Verdict

SAME_OR_BETTER = 0
WORSE = 1
"""Ruling 33: a new UNSAFE ends the comparison with this, too."""


class CellChange(StrEnum):
    """In the order in which they are told."""

    WORSE = "worse"
    BETTER = "better"
    KIND = "kind"
    NEW = "new"
    GONE = "gone"
    SAME = "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCell:
    """One cell as one of the runs left it."""

    fencer: str
    profile: str
    scenario: str
    verdict: Verdict
    kind: FindingKind | None = None
    why: str = ""

    @property
    def said(self) -> str:
        return f"{self.verdict} ({self.kind})" if self.kind else self.verdict.value


@dataclass(frozen=True, slots=True)
class ChangedCell:
    """`old` None: the cell is new; `new` None: it is gone."""

    change: CellChange
    old: ComparedCell | None
    new: ComparedCell | None

    @property
    def is_worse(self) -> bool:
        return self.change is CellChange.WORSE or (self.change is CellChange.NEW and self._verdict is Verdict.UNSAFE)

    @property
    def _verdict(self) -> Verdict | None:
        return self.new.verdict if self.new is not None else None

    def __str__(self) -> str:
        cell = self.new or self.old
        assert cell is not None
        was = f"was {self.old.said}" if self.old is not None else ""
        now = self.new.said if self.new is not None else "not run"
        words = f"{self.change:<7} {cell.scenario:<10} {cell.fencer} x {cell.profile}  {', '.join(filter(None, (now, was)))}"
        return f"{words}: {self.new.why}" if self.new is not None and self.is_worse and self.new.why else words


def compare(old: Iterable[ComparedCell], new: Iterable[ComparedCell]) -> tuple[ChangedCell, ...]:
    """Every cell of both, what got worse first; else in the order of the new run."""
    before, after = _by_name(old), _by_name(new)
    found = [_changed(before.get(name), cell) for name, cell in after.items()]
    found += [ChangedCell(CellChange.GONE, cell, None) for name, cell in before.items() if name not in after]
    return tuple(sorted(found, key=lambda each: (not each.is_worse, list(CellChange).index(each.change))))


def exit_code(changes: Iterable[ChangedCell]) -> int:
    return WORSE if any(change.is_worse for change in changes) else SAME_OR_BETTER


def _by_name(cells: Iterable[ComparedCell]) -> Mapping[tuple[str, str, str], ComparedCell]:
    return {(c.fencer, c.profile, c.scenario): c for c in cells if c.verdict is not Verdict.NA}


def _changed(old: ComparedCell | None, new: ComparedCell) -> ChangedCell:
    if old is None:
        return ChangedCell(CellChange.NEW, None, new)
    before, after = badness(old.verdict), badness(new.verdict)
    if before != after:
        return ChangedCell(CellChange.WORSE if after > before else CellChange.BETTER, old, new)
    return ChangedCell(CellChange.SAME if old.kind is new.kind else CellChange.KIND, old, new)


def badness(verdict: Verdict) -> int:
    """0 for what passes, 1 for what is waived; more for what fails the gate, the worse the more."""
    if verdict.fails_gate:
        return len(Verdict) + 1 - verdict.severity
    return 1 if verdict is Verdict.WAIVED else 0


def counted(changes: Iterable[ChangedCell]) -> Iterator[tuple[CellChange, int]]:
    """How many there are of each change, zeros included."""
    every = tuple(changes)
    for change in CellChange:
        yield change, sum(1 for each in every if each.change is change)
