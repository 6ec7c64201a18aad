"""A run that is divided over machines: every cell is played once, and by the same machine whatever else is played."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter

import pytest

from conformance.scenarios import ALL
from conformance.selection import USUAL_PROFILES
from conformance.shard import Shard, parse
from tests.commands import ROOT

CELLS = [(fencer, profile, each.id) for fencer in ("mine", "theirs") for profile in USUAL_PROFILES for each in ALL]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_hold_every_cell_once(count: int) -> None:
    parts = [[cell for cell in CELLS if Shard(index, count).holds(*cell)] for index in range(1, count + 1)]
    assert Counter(cell for part in parts for cell in part) == Counter(CELLS)
    assert min(map(len, parts)) > 0.8 * len(CELLS) / count, "the machines have about the same to do"


def test_a_cell_stays_in_its_part_in_every_process_and_whatever_else_is_played() -> None:
    """The hash of Python differs from process to process, which would lose cells."""
    line = (
        "from conformance.shard import Shard; print([Shard(n, 3).holds('mine', 'dell-idrac9', 'STATE-001') for n in (1, 2, 3)])"
    )
    said = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, cwd=ROOT, check=True)
    assert said.stdout == "[False, False, True]\n"


@pytest.mark.parametrize("text", ["", "2", "0/3", "4/3", "1/0", "-1/3", "a/b", "1/3/5", "1.5/3", " 1/3", "１/3", "1/9999999"])
def test_what_is_no_part_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 2/4"):
        parse(text)


def test_a_part_reads_as_it_is_written() -> None:
    assert str(parse("2/4")) == "2/4"
