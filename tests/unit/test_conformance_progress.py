"""What the person who waits for a run is told: on a terminal one line, elsewhere a line now and then."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from conformance.progress import EVERY_S, Watch, duration, estimate_line, rate_line
from conformance.vocabulary import Verdict
from tests.unit.test_conformance_reports import result


def watched(*, terminal: bool, steps: list[float]) -> tuple[str, list[str]]:
    """What is printed and said of one pass and one finding; then `steps` seconds go by, one after the other."""
    now = [100.0]
    said: list[str] = []
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=terminal, color_system=None, legacy_windows=False)
    with Watch(console, 9, say=said.append, now=lambda: now[0]) as watch:
        watch.add(result(Verdict.PASS))
        watch.add(result(Verdict.UNSAFE, "TRUTH-001"))
        for step in steps:
            now[0] += step
            watch.tick()
    return out.getvalue(), said


def test_where_nobody_looks_every_cell_is_a_line_and_long_waits_are_too() -> None:
    printed, said = watched(terminal=False, steps=[EVERY_S / 2, EVERY_S / 2, 1.0, EVERY_S])
    assert [line.split()[0] for line in printed.splitlines()] == ["STATE-001", "TRUTH-001"]
    assert said == [
        "2 of 9 cells after 30 s: 1 pass, 1 UNSAFE",
        "2 of 9 cells after 61 s: 1 pass, 1 UNSAFE",
    ]


def test_a_short_run_says_nothing_of_itself() -> None:
    assert watched(terminal=False, steps=[1.0] * 29)[1] == []


def test_on_a_terminal_one_line_moves_and_findings_stand_above_it() -> None:
    printed, said = watched(terminal=True, steps=[90.0])
    assert said == []
    assert "TRUTH-001  mine x dell-idrac9  UNSAFE (FALSE)" in printed
    assert "2/9" in printed
    assert "1 pass, 1 UNSAFE; TRUTH-001 mine x dell-idrac9" in printed
    assert "STATE-001  mine x dell-idrac9  PASS" not in printed


def test_the_rate_counts_what_was_run_and_counts() -> None:
    results = [result(Verdict.PASS), result(Verdict.WAIVED), result(Verdict.STUCK), result(Verdict.NA)]
    results.append(result(Verdict.UNSAFE, informational=True))
    assert rate_line(results, 2.0) == "rate  2 of 3 passed (66 %); 5 cells in 2.0 s, 2.5 cells a second"
    assert rate_line([], 0.0).startswith("rate  0 of 0 passed; 0 cells")


def test_a_run_is_announced_where_it_takes_more_than_two_seconds() -> None:
    assert estimate_line(3, 8, 2.0) is None
    assert estimate_line(1, 8, 20.0) is None
    assert str(estimate_line(3, 8, 20.0)).startswith("3 cells, 3 at a time")
    assert estimate_line(300, 8, 250.0) == "300 cells, 8 at a time: about 4 min, more where fencers use up their deadlines"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (42.4, "42 s"), (100.0, "2 min"), (3599.0, "1 h 0 min"), (7500, "2 h 5 min")],
)
def test_durations_are_as_exact_as_they_are_of_use(seconds: float, words: str) -> None:
    assert duration(seconds) == words
