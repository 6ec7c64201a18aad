"""What a worker says of a run, and what the suite makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from conformance.adapters.base import CannotStart
from conformance.adapters.reading import read
from conformance.givens.given import FaultFacts
from conformance.in_process.messages import SIZE_BYTES, RunReport, outcome_line, packed, rest_line, unpacked
from conformance.in_process.workers import CannotPlay, played
from conformance.outcome import FencerOutcome
from conformance.play_scenario import Play, Played
from conformance.scenarios import ALL, BY_ID
from conformance.vocabulary import Ask, Claim, Protocol
from emulator import Event, EventKind
from profiles import load
from tests.definitions import BAD_FENCERS

SCENARIO = BY_ID["STATE-019"]
WHAT = Play(
    scenario=SCENARIO,
    steps=SCENARIO.steps[:2],
    profile=load("dell-idrac9"),
    definition=read(BAD_FENCERS / "honest-transport.yaml"),
    protocol=Protocol.REDFISH,
)
CAP_S = WHAT.definition.cap
OUTCOME = FencerOutcome(ask=Ask.STATUS, claim=Claim.OFF, exit=2, argv=(("a", "b"),), conduct=("x",))
START = Event(3, 1.5, "off", EventKind.FENCER, None, {"what": "start", "ask": 0})


def report(*lines: str) -> RunReport:
    made = RunReport()
    for line in lines:
        made.take(line)
    return made


def ended(status: int = 0, *leftover: str) -> str:
    return f"D {json.dumps({'status': status, 'leftover': leftover})}"


@pytest.mark.parametrize("scenario", ALL, ids=lambda scenario: scenario.id)
def test_every_scenario_can_be_handed_over(scenario) -> None:
    data = packed(replace(WHAT, scenario=scenario, steps=scenario.steps))
    assert int.from_bytes(data[:SIZE_BYTES]) == len(data) - SIZE_BYTES
    assert unpacked(data[SIZE_BYTES:]).scenario == scenario


def test_a_profile_is_read_once_by_a_worker() -> None:
    first, again = (unpacked(packed(replace(WHAT, seed=seed))[SIZE_BYTES:]) for seed in (1, 2))
    assert first.profile == WHAT.profile
    assert again.profile is first.profile
    assert (first.seed, again.seed) == (1, 2)


def test_read_only_mappings_stay_read_only() -> None:
    limits = MappingProxyType({"deadline": 3.0})
    back = unpacked(packed(replace(WHAT, definition=replace(WHAT.definition, limits=limits)))[SIZE_BYTES:])
    assert back.definition.limits == limits
    assert isinstance(back.definition.limits, MappingProxyType)


def test_a_run_comes_back_whole() -> None:
    facts = FaultFacts(sentence="s", bmc="off", must_fire=True, fired=2)
    whole = Played(
        steps=WHAT.steps, outcomes=(OUTCOME, OUTCOME), events=(START,), secrets=("pw",), faults=(facts,), on_virtual_time=True
    )
    lines = (f"E {START.to_json()}", outcome_line(OUTCOME), outcome_line(OUTCOME), rest_line(whole), ended())
    assert played(WHAT, report(*lines)) == whole
    left = played(WHAT, report(*lines[:-1], ended(0, "sleep")))
    assert [outcome.leftover for outcome in left.outcomes] == [(), ("sleep",)]


def test_a_run_that_was_cut_short_ends_at_the_cap_of_its_ask() -> None:
    cut = played(WHAT, report(f"E {START.to_json()}", ended(-9, "sleep")))
    assert cut.steps == WHAT.steps[:1]
    (outcome,) = cut.outcomes
    assert (outcome.timed_out, outcome.exit, outcome.claim, outcome.leftover) == (True, None, Claim.NONE, ("sleep",))
    assert outcome.conduct == ()
    assert [(event.seq, event.t, event.data["what"]) for event in cut.events[1:]] == [
        (4, 1.5 + CAP_S, "claim"),
        (5, 1.5 + CAP_S, "end"),
    ]


def test_a_worker_that_is_gone_was_ended_by_the_fencer() -> None:
    cut = played(WHAT, report(f"E {START.to_json()}", outcome_line(OUTCOME)))
    assert [outcome.timed_out for outcome in cut.outcomes] == [False, True]
    assert cut.outcomes[1].conduct == ("killed the process that watches it",)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ((ended(1),), "ended before it began"),
        (("X suite the disk is full", ended(1)), "the disk is full"),
        ((f"E {START.to_json()}", outcome_line(OUTCOME), outcome_line(OUTCOME), ended(1)), "after the fencer had ended"),
    ],
)
def test_what_the_suite_could_not_play_is_said(lines: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CannotPlay, match=sentence):
        played(WHAT, report(*lines))


def test_a_fencer_that_cannot_be_called_cannot_start() -> None:
    with pytest.raises(CannotStart, match="nothing to call"):
        played(WHAT, report("X start nothing to call", ended(1)))


@pytest.mark.parametrize(
    "line", ["", "Q what", "E {}", "O []", "R 3", "D {}", 'O {"ask": "dance"}', 'D {"status": 1, "leftover": 3}']
)
def test_a_line_that_makes_no_sense_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        report(line)


def test_a_fencer_that_writes_into_the_pipe_has_ended_the_run() -> None:
    said = report(f"E {START.to_json()}")
    said.is_nonsense = True
    assert played(WHAT, said).outcomes[0].conduct == ("wrote into the pipe of the process that watches it",)


def test_what_cannot_be_handed_over_is_said_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="STATE-019 cannot be handed to another process"):
        packed(replace(WHAT, scenario=replace(SCENARIO, source=lambda: "")))  # type: ignore[arg-type]
