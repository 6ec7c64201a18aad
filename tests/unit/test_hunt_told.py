"""What a hunt says of a profile that is not known well, with its finds and at its end."""

from __future__ import annotations

from dataclasses import replace

from conformance.hunt.result_file import ConfirmedFind
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.told import find_lines, reservation_lines
from conformance.hunt.trace import Trace
from conformance.vocabulary import Verdict
from profiles import load
from tests.hunt_runs import REDFISH, hunted

DELL, DGX = load("dell-idrac9"), load("nvidia-dgx")


def test_a_find_that_rests_on_an_answer_that_nobody_has_seen_says_so() -> None:
    run = hunted(Trace(REDFISH), Verdict.UNSAFE, "EARLY", why="claimed off")
    find = ConfirmedFind(run=run, scenario="HUNT-100001", replays=3, of=3)
    assert not [line for line in find_lines(find, "") if "assumed" in line]
    on_a_guess = replace(find, run=replace(run, assumed=1))
    assert "    assumed: 1 power command met an answer that nobody has seen of this BMC" in find_lines(on_a_guess, "")


def test_a_hunt_on_a_profile_that_is_not_known_well_says_so_at_its_end() -> None:
    search = Search([REDFISH], SearchBounds(budget=0))
    search.take(replace(hunted(Trace(REDFISH)), assumed=2))
    assert [line.split()[0] for line in reservation_lines(search, DGX)] == ["identity", "assumed"]
    assert list(reservation_lines(search, DELL)) == [
        "assumed  dell-idrac9: 2 power commands in 1 runs of 1 met an answer that nobody has seen of this BMC"
    ]
    assert list(reservation_lines(Search([REDFISH], SearchBounds(budget=0)), DELL)) == []
