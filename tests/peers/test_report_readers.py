"""Our TAP as other people's programs read it: Perl's TAP::Parser (prove) and Python's tap.py."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tap.parser import Parser

from conformance.report import junit, tap
from conformance.report.report import FinishedRun
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Verdict
from tests.report_samples import finished, sample

TRICKY = "a # TODO b \\ c\nok 9 - no\n1..0\n...\n---\n'\"é"
RUN = finished(
    *(sample(scenario, "mine", "dell-idrac9", verdict) for scenario, verdict in zip(ALL, Verdict, strict=False)),
    sample(BY_ID["STATE-020"], "mine", "a", Verdict.UNSAFE, informational=True),
    sample(BY_ID["STATE-020"], "mine", "b", Verdict.NA, why=TRICKY),
    sample(BY_ID["STATE-020"], "mine", "c", Verdict.STUCK, why=TRICKY, said=TRICKY),
)


def failing(run: FinishedRun) -> list[int]:
    """The test points that fail, by what JUnit says of the cells."""
    bad = (junit.JUnitElement.FAILURE, junit.JUnitElement.ERROR)
    return [number for number, result in enumerate(run.results, 1) if junit.element_of(result, run) in bad]


def prove(tmp_path: Path, text: str) -> str:
    """What prove says. Before Perl 5.38 its parser knows no version 14, and refuses the file for that alone."""
    file = tmp_path / "run.tap"
    file.write_text(text.replace(tap.VERSION, "TAP version 13"), encoding="utf-8")
    return subprocess.run(["prove", "-e", "cat", str(file)], capture_output=True, text=True, timeout=60, check=False).stdout


def test_prove_sees_the_failures_that_junit_has_and_no_error_of_form(tmp_path: Path) -> None:
    said = prove(tmp_path, tap.to_tap(RUN))
    found = re.search(r"Tests: (\d+) Failed: (\d+)\)\n  Failed tests?:  ([\d, -]+)", said)
    assert found is not None, said
    assert (int(found[1]), int(found[2])) == (len(RUN.results), len(failing(RUN)))
    assert "Parse errors" not in said
    listed = [range(int(a), int(b or a) + 1) for a, b in re.findall(r"(\d+)(?:-(\d+))?", found[3])]
    assert [number for numbers in listed for number in numbers] == failing(RUN)


def test_prove_passes_what_passes_and_stops_at_an_interrupted_run(tmp_path: Path) -> None:
    passed = finished(sample(ALL[0], "mine", "a", Verdict.PASS), sample(ALL[1], "mine", "a", Verdict.WAIVED))
    assert "Result: PASS" in prove(tmp_path, tap.to_tap(passed))
    stopped = finished(sample(ALL[0], "mine", "a", Verdict.PASS), interrupted=True, not_run=("x",))
    assert "Result: PASS" not in prove(tmp_path, tap.to_tap(stopped))


@pytest.mark.filterwarnings("ignore")
def test_tap_py_reads_every_point_with_its_directive() -> None:
    lines = [line for line in Parser().parse_text(tap.to_tap(RUN)) if line.category == "test"]
    assert [line.number for line in lines] == list(range(1, len(RUN.results) + 1))
    assert [line.number for line in lines if not line.ok and not line.todo] == failing(RUN)
    skipped = [
        result
        for result in RUN.results
        if junit.element_of(result, RUN) is junit.JUnitElement.SKIPPED and not result.informational
    ]
    assert sum(line.skip for line in lines) == len(skipped)
    assert sum(line.todo for line in lines) == 1
