"""What a step of a scenario may have besides its ask: something that happens before, and SIGTERM after so many reads."""

from __future__ import annotations

import pytest

from conformance.happenings import HostFalls
from conformance.read_counter import ReadCounter
from emulator import Emulator, Event, EventKind, Rail, UnitSpec
from profiles import load


def event(seq: int, kind: EventKind, system: str = "1", bmc: str = "target", cause: int | None = None) -> Event:
    return Event(seq, 0.0, bmc, kind, cause, {"system": system})


def counted(*events: Event, reads: int = 2) -> bool:
    counter = ReadCounter("target", "1", reads)
    for each in events:
        counter(each)
    return counter.enough.is_set()


COMMAND = event(1, EventKind.COMMAND)


def look(cause: int, **where: str) -> Event:
    return event(100 + cause, EventKind.LOOK, cause=cause, **where)


def test_reads_after_the_first_command_count() -> None:
    assert not counted(COMMAND, look(2))
    assert counted(COMMAND, look(2), look(3))


@pytest.mark.parametrize(
    "events",
    [
        (look(2), look(3), COMMAND, look(4)),  # before the command
        (COMMAND, look(2), look(2)),  # two words in one answer
        (COMMAND, look(2), look(3, system="2")),
        (COMMAND, look(2), look(3, bmc="other")),
        (COMMAND, look(2), event(3, EventKind.REQUEST)),
        (event(1, EventKind.COMMAND, system="2"), look(2), look(3)),
    ],
)
def test_others_do_not(events: tuple[Event, ...]) -> None:
    assert not counted(*events)


def test_a_host_that_has_gone_off_meanwhile() -> None:
    with Emulator([UnitSpec(name="target", profile=load("dell-idrac9"))], latency=False) as emulator:
        HostFalls().happen(emulator, "target")
        assert emulator.host("target").rail is Rail.DOWN
    assert HostFalls().sentence == "the host has gone off meanwhile"
