"""Two runs side by side: what got worse is found, and nothing else is called so."""

from __future__ import annotations

import pytest

from conformance.comparison import Change, ComparedCell, compare, counted, exit_code
from conformance.vocabulary import FindingKind, Verdict


def cell(verdict: Verdict, scenario: str = "STATE-001", kind: FindingKind | None = None) -> ComparedCell:
    return ComparedCell(fencer="mine", profile="dell-idrac9", scenario=scenario, verdict=verdict, kind=kind, why="because")


@pytest.mark.parametrize(
    ("old", "new", "change", "code"),
    [
        (Verdict.PASS, Verdict.PASS, Change.SAME, 0),
        (Verdict.PASS, Verdict.XPASS, Change.SAME, 0),
        (Verdict.PASS, Verdict.STUCK, Change.WORSE, 1),
        (Verdict.PASS, Verdict.UNSAFE, Change.WORSE, 1),
        (Verdict.PASS, Verdict.WAIVED, Change.WORSE, 1),
        (Verdict.PASS, Verdict.SKIP, Change.WORSE, 1),
        (Verdict.WAIVED, Verdict.STUCK, Change.WORSE, 1),
        (Verdict.HYGIENE, Verdict.STUCK, Change.WORSE, 1),
        (Verdict.STUCK, Verdict.UNSAFE, Change.WORSE, 1),
        (Verdict.UNSAFE, Verdict.STUCK, Change.BETTER, 0),
        (Verdict.STUCK, Verdict.PASS, Change.BETTER, 0),
        (Verdict.STUCK, Verdict.WAIVED, Change.BETTER, 0),
        (Verdict.UNSAFE, Verdict.UNSAFE, Change.SAME, 0),
        (Verdict.NA, Verdict.STUCK, Change.NEW, 0),
        (Verdict.NA, Verdict.UNSAFE, Change.NEW, 1),
        (Verdict.PASS, Verdict.NA, Change.GONE, 0),
    ],
)
def test_a_change_of_verdict(old: Verdict, new: Verdict, change: Change, code: int) -> None:
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
    assert [str(each) for each in found if each.change is not Change.SAME] == [
        "worse   STATE-006  mine x dell-idrac9  STUCK, was PASS: because",
        "new     STATE-005  mine x dell-idrac9  UNSAFE: because",
        "better  STATE-001  mine x dell-idrac9  PASS, was STUCK",
        "new     STATE-004  mine x dell-idrac9  HANG",
        "gone    STATE-003  mine x dell-idrac9  not run, was PASS",
    ]
    assert dict(counted(found)) == {
        Change.WORSE: 1, Change.BETTER: 1, Change.KIND: 0, Change.NEW: 2, Change.GONE: 1, Change.SAME: 1,
    }  # fmt: skip
