"""Planted defects that only deviations reveal, each found by a hunt without any scenario. The fencers run in-process."""

from __future__ import annotations

import threading

import pytest

from conformance.hunt import trial_run
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.hunt.trial_run import try_trace
from conformance.vocabulary import Ask, Protocol, Verdict
from profiles import load
from tests.definitions import on_transport

DELL = load("dell-idrac9")
REDFISH, IPMI = Protocol.REDFISH, Protocol.IPMI
FOUND: tuple[tuple[str, Protocol, str, Verdict], ...] = (
    ("ConflictIsOff", REDFISH, "conflict", Verdict.UNSAFE),
    ("UnknownIsOff", REDFISH, "powering-off", Verdict.UNSAFE),
    ("PoweringOffIsOff", REDFISH, "powering-off", Verdict.UNSAFE),
    ("DropIsDone", REDFISH, "lost-request", Verdict.UNSAFE),
    ("UnreachableIsOff", REDFISH, "lost-request", Verdict.UNSAFE),
    ("OneReadIsEnough", REDFISH, "early-off", Verdict.UNSAFE),
    ("SilentIsOff", REDFISH, "ignored", Verdict.UNSAFE),
    ("TaskIsOff", REDFISH, "task-fails", Verdict.UNSAFE),
    ("EndOfTaskIsOff", REDFISH, "task-fails", Verdict.UNSAFE),
    ("UnavailableIsOff", REDFISH, "busy", Verdict.UNSAFE),
    ("NotFoundIsOff", REDFISH, "not-found", Verdict.UNSAFE),
    ("NotInStateIsOff", IPMI, "conflict", Verdict.UNSAFE),
    ("BusyIsOff", IPMI, "busy", Verdict.UNSAFE),
    ("RefusedIsOff", IPMI, "conflict", Verdict.UNSAFE),
    ("SilenceIsOff", IPMI, "hang", Verdict.UNSAFE),
    ("NoTimeout", REDFISH, "hang", Verdict.HANG),
    ("TriesOnce", REDFISH, "lost-answer", Verdict.STUCK),
    ("NoRepeat", IPMI, "lost-answer", Verdict.STUCK),
)

pytestmark = [pytest.mark.long, pytest.mark.xdist_group("hunt-planted")]


def verdicts(mutant: str, world: World, only: str, *, budget: int = 1, depth: int = 7) -> set[Verdict]:
    """Of the finds with at least one deviation."""
    ours = trial_run.hunted(on_transport(mutant), DELL, DELL.id, 0)
    search = Search([world], SearchBounds(budget=budget, depth=depth, only=frozenset({only})))
    while (trace := search.next()) is not None:
        search.take(try_trace(ours, trace, threading.Event()))
    return {run.verdict for run in search.runs if run.is_find and run.trace.deviations}


@pytest.mark.parametrize(("mutant", "protocol", "deviation", "verdict"), FOUND)
def test_a_planted_defect_is_found(mutant: str, protocol: Protocol, deviation: str, verdict: Verdict) -> None:
    starts = (Start.ON, Start.OFF) if verdict is Verdict.STUCK else (Start.ON,)
    assert any(verdict in verdicts(mutant, World(protocol, Ask.OFF, start), deviation) for start in starts)


def test_a_defect_that_two_lies_reveal_is_found_with_two_deviations() -> None:
    world = World(REDFISH, Ask.OFF, Start.ON)
    assert Verdict.UNSAFE not in verdicts("IgnoresChassis", world, "early-off")
    assert Verdict.UNSAFE in verdicts("IgnoresChassis", world, "early-off", budget=2)


@pytest.mark.parametrize("protocol", [REDFISH, IPMI])
def test_the_same_deviations_do_not_make_a_careful_fencer_unsafe(protocol: Protocol) -> None:
    for deviation in sorted({word for _, spoken, word, _ in FOUND if spoken is protocol}):
        assert Verdict.UNSAFE not in verdicts("", World(protocol, Ask.OFF, Start.ON), deviation)
