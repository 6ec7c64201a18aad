"""Two runs side by side: what got worse is found, and nothing else is called so."""

from __future__ import annotations

import pytest

from conformance.comparison import CellChange, ComparedCell, compare, counted, exit_code
from conformance.vocabulary import FindingKind, Verdict


def cell(verdict: Verdict, scenario: str = "STATE-001", kind: FindingKind | None = None) -> ComparedCell:
    return ComparedCell(fencer="mine", profile="dell-idrac9", scenario=scenario, verdict=verdict, kind=kind, why="because")


@pytest.mark.parametrize(
    ("old", "new", "change", "code"),
    [
        (Verdict.PASS, Verdict.PASS, CellChange.SAME, 0),
        (Verdict.PASS, Verdict.XPASS, CellChange.SAME, 0),
        (Verdict.PASS, Verdict.STUCK, CellChange.WORSE, 1),
        (Verdict.PASS, Verdict.UNSAFE, CellChange.WORSE, 1),
        (Verdict.PASS, Verdict.WAIVED, CellChange.WORSE, 1),
        (Verdict.PASS, Verdict.SKIP, CellChange.WORSE, 1),
        (Verdict.WAIVED, Verdict.STUCK, CellChange.WORSE, 1),
        (Verdict.HYGIENE, Verdict.STUCK, CellChange.WORSE, 1),
        (Verdict.STUCK, Verdict.UNSAFE, CellChange.WORSE, 1),
        (Verdict.UNSAFE, Verdict.STUCK, CellChange.BETTER, 0),
        (Verdict.STUCK, Verdict.PASS, CellChange.BETTER, 0),
        (Verdict.STUCK, Verdict.WAIVED, CellChange.BETTER, 0),
        (Verdict.UNSAFE, Verdict.UNSAFE, CellChange.SAME, 0),
        (Verdict.NA, Verdict.STUCK, CellChange.NEW, 0),
        (Verdict.NA, Verdict.UNSAFE, CellChange.NEW, 1),
        (Verdict.PASS, Verdict.NA, CellChange.GONE, 0),
    ],
)
def test_a_change_of_verdict(old: Verdict, new: Verdict, change: CellChange, code: int) -> None:
    (found,) = compare([cell(old)], [cell(new)])
    assert (found.change, exit_code([found])) == (change, code)


def test_the_same_verdict_of_another_kind_is_told_and_is_not_worse() -> None:
    (found,) = compare([cell(Verdict.UNSAFE, kind=FindingKind.FALSE)], [cell(Verdict.UNSAFE, kind=FindingKind.EARLY)])
    assert str(found) == "kind    STATE-001  mine x dell-idrac9  UNSAFE (EARLY), was UNSAFE (FALSE)"
    assert exit_code([found]) == 0


def test_what_got_worse_stands_first_and_says_why() -> None:
    old = [cell(Verdict.STUCK, "STATE-001"), cell(Verdict.PASS, "STATE-002"), cell(Verdict.PASS, "STATE-003")]
    new = [cell(Verdict.PASS, "STATE-001"), cell(Verdict.PASS, "STATE-002"), cell(Verdict.HANG, "STATE-004")]
    new += [cell(Verdict.UNSAFE, "STATE-005")]
    found = compare([*old, cell(Verdict.PASS, "STATE-006")], [*new, cell(Verdict.STUCK, "STATE-006")])
    assert [str(each) for each in found if each.change is not CellChange.SAME] == [
        "worse   STATE-006  mine x dell-idrac9  STUCK, was PASS: because",
        "new     STATE-005  mine x dell-idrac9  UNSAFE: because",
        "better  STATE-001  mine x dell-idrac9  PASS, was STUCK",
        "new     STATE-004  mine x dell-idrac9  HANG",
        "gone    STATE-003  mine x dell-idrac9  not run, was PASS",
    ]
    assert dict(counted(found)) == {
        CellChange.WORSE: 1, CellChange.BETTER: 1, CellChange.KIND: 0, CellChange.NEW: 2, CellChange.GONE: 1, CellChange.SAME: 1,
    }  # fmt: skip
