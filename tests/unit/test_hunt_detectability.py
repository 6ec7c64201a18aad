"""Which false claims no fencer could have known to be false."""

from __future__ import annotations

import pytest

from conformance.hunt.detectability import is_undetectable
from conformance.timeline import Timeline
from conformance.vocabulary import Ask, Protocol
from emulator import Datum, Event, EventKind

Told = tuple[float, str, str]
"""When, which view, which word."""


def run(*looks: Told, claim: float, ask: Ask = Ask.OFF, others: tuple[Event, ...] = ()) -> Timeline:
    def event(t: float, kind: EventKind, **data: Datum) -> Event:
        return Event(0, t, "target", kind, None, {"system": "1", **data})

    told = [event(t, EventKind.LOOK, view=view, word=word) for t, view, word in looks]
    middle = sorted((*told, *others), key=lambda e: e.t)
    stamps = (
        event(0.0, EventKind.RAIL, rail="up", os="running", incarnation=1),
        event(0.0, EventKind.FENCER, what="start", ask=0, action=ask.value),
        *middle,
        event(claim, EventKind.FENCER, what="claim", ask=0),
    )
    return Timeline([Event(n, e.t, e.bmc, e.kind, e.cause, e.data) for n, e in enumerate(stamps, start=1)])


def undetectable(timeline: Timeline, protocol: Protocol = Protocol.REDFISH, *, has_chassis: bool = True) -> bool:
    return is_undetectable(timeline.window(0), protocol, 4.0, has_chassis=has_chassis)


def rail(t: float, word: str) -> Event:
    return Event(0, t, "target", EventKind.RAIL, None, {"system": "1", "rail": word, "os": "running", "incarnation": 2})


def report(t: float, **says: str) -> Event:
    return Event(0, t, "target", EventKind.REPORT, None, {"system": "1", "says": says})


def test_one_lie_can_be_seen_through() -> None:
    assert not undetectable(run((1.0, "ipmi", "Off"), claim=9.0), Protocol.IPMI)


def test_lies_over_the_whole_time_of_a_proof_cannot() -> None:
    assert undetectable(run((1.0, "ipmi", "Off"), (5.0, "ipmi", "Off"), claim=5.1), Protocol.IPMI)
    assert not undetectable(run((1.0, "ipmi", "Off"), (4.9, "ipmi", "Off"), claim=5.1), Protocol.IPMI)


def test_a_word_of_truth_in_between_can_be_seen() -> None:
    looks: tuple[Told, ...] = ((1.0, "ipmi", "Off"), (3.0, "ipmi", "On"), (5.0, "ipmi", "Off"))
    assert not undetectable(run(*looks, claim=5.1), Protocol.IPMI)


def test_a_chassis_that_was_not_asked_would_have_told() -> None:
    looks: tuple[Told, ...] = ((1.0, "system", "Off"), (6.0, "system", "Off"))
    assert not undetectable(run(*looks, claim=6.1))
    assert undetectable(run(*looks, claim=6.1), has_chassis=False)
    both: tuple[Told, ...] = (*looks, (1.1, "chassis", "Off"), (6.05, "chassis", "Off"))
    assert undetectable(run(*both, claim=6.1))


def test_what_a_bmc_says_to_everybody_counts_without_a_look() -> None:
    says = report(1.0, system="Off", chassis="Off", ipmi="Off")
    assert undetectable(run((1.2, "system", "Off"), claim=6.0, others=(says,)))
    true = report(3.0, system="On", chassis="On", ipmi="On")
    assert not undetectable(run((1.2, "system", "Off"), claim=6.0, others=(says, true)))


@pytest.mark.parametrize(("back", "expected"), [(5.2, True), (2.0, False)])
def test_a_host_that_comes_back_in_the_last_moment_surprises_everybody(back: float, expected: bool) -> None:
    others = (rail(0.5, "down"), rail(back, "up"))
    assert undetectable(run((1.0, "ipmi", "Off"), (5.0, "ipmi", "Off"), claim=5.5, others=others), Protocol.IPMI) is expected
    late = run((1.0, "ipmi", "Off"), claim=9.0, others=(rail(0.5, "down"), rail(2.0, "up")))
    assert not undetectable(late, Protocol.IPMI)


def test_a_reboot_is_decided_by_its_longest_lie() -> None:
    looks: tuple[Told, ...] = ((1.0, "ipmi", "Off"), (5.5, "ipmi", "Off"), (6.0, "ipmi", "On"))
    assert undetectable(run(*looks, claim=6.5, ask=Ask.REBOOT), Protocol.IPMI)
    assert not undetectable(run(*looks, claim=6.5), Protocol.IPMI)


def test_an_end_of_a_lie_by_the_fall_of_the_rail_is_an_end() -> None:
    says = report(1.0, system="Off", chassis="Off", ipmi="Off")
    assert undetectable(run((6.0, "system", "Off"), claim=6.5, ask=Ask.REBOOT, others=(says, rail(5.5, "down"))))
    assert not undetectable(run((6.0, "system", "Off"), claim=6.5, ask=Ask.REBOOT, others=(says, rail(2.0, "down"))))
