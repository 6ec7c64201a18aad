"""Which scenarios need a process or a socket, what a window leaves to earlier asks, and givens beside other faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.givens.bmc import ON, host
from conformance.givens.held_until_claim import HeldUntilClaim
from conformance.scenarios import BY_ID
from conformance.timeline import AskWindow
from conformance.vocabulary import Ask
from emulator import Armed, Emulator, Event, EventKind, UnitSpec, make_fault
from profiles import load


@pytest.mark.parametrize(
    ("scenario", "needs"),
    [("STATE-001", None), ("TIME-006", "signals to its process"), ("CONC-001", "several of its processes at the same time")],
)
def test_a_scenario_says_what_it_needs_beside_a_transport(scenario: str, needs: str | None) -> None:
    assert BY_ID[scenario].needs_sockets == needs


def test_a_scenario_about_the_process_needs_one() -> None:
    assert replace(BY_ID["STATE-001"], about_process="its command line").needs_sockets == "its command line"


def event(seq: int, kind: EventKind, bmc: str, cause: int | None = None, **data: str) -> Event:
    return Event(seq, float(seq), bmc, kind, cause, data)


def test_a_change_that_an_earlier_ask_has_set_going_is_not_held_against_this_one() -> None:
    start, claim = event(10, EventKind.FENCER, "target"), event(20, EventKind.FENCER, "target")
    gate = event(12, EventKind.GATE, "other", 5)
    falls = event(13, EventKind.RAIL, "other", 12, system="1", rail="down")
    alone = event(14, EventKind.RAIL, "third", None, system="1", rail="down")
    window = AskWindow(0, Ask.OFF, "target", "1", start, claim, (gate, falls, alone), ())
    assert window.bystander_changes == (alone,)


def test_a_hold_that_ends_leaves_other_faults_armed() -> None:
    given = HeldUntilClaim("target", Ask.OFF)
    with Emulator([UnitSpec(name="target", profile=load("dell-idrac9"))], latency=False) as emulator:
        other = emulator.arm("target", Armed(fault=make_fault("report.says", word="On"), must_fire=False))
        given.arrange(emulator)
        given.claimed(emulator, Ask.ON, "target")
        assert len(emulator.faults("target")) == 2
        given.claimed(emulator, Ask.OFF, "target")
        assert other in {fault.id for fault in emulator.faults("target")}
    assert host(ON).sentence == "target: host on"
