"""Who is excused because the host of a hunt moves only when it has been looked at three times: who waits and looks seldom."""

from __future__ import annotations

from conformance.hunt.observation import was_held_back
from conformance.timeline import Timeline
from emulator import Datum, Event, EventKind


def run(*events: tuple[float, str]) -> Timeline:
    """Each event is `command`, `refused`, `look` or the state of the rail that begins."""
    made = [stamp(0.0, EventKind.RAIL, rail="up"), stamp(0.0, EventKind.FENCER, what="start", ask=0, action="off")]
    for t, what in events:
        if what == "look":
            made.append(stamp(t, EventKind.LOOK, view="system", word="On"))
        elif what in ("command", "refused"):
            made.append(stamp(t, EventKind.COMMAND, effect="force_off" if what == "command" else "none"))
        else:
            made.append(stamp(t, EventKind.RAIL, rail=what))
    made.append(stamp(60.0, EventKind.FENCER, what="claim", ask=0))
    return Timeline([Event(n, e.t, e.bmc, e.kind, e.cause, e.data) for n, e in enumerate(made, start=1)])


def stamp(t: float, kind: EventKind, **data: Datum) -> Event:
    return Event(0, t, "target", kind, None, {"system": "1", "os": "running", "incarnation": 1, **data})


def excused(*events: tuple[float, str]) -> bool:
    return was_held_back(run(*events).window(0))


def test_who_waits_and_looks_once_is() -> None:
    assert excused((1.0, "look"), (2.0, "command"), (12.0, "look"))


def test_who_looks_for_the_last_time_before_the_host_moves_is() -> None:
    assert excused((1.0, "command"), (6.0, "look"), (7.0, "look"), (16.0, "down"))


def test_who_looks_at_once_and_gives_up_is_not() -> None:
    assert not excused((1.0, "command"), (2.0, "look"), (3.0, "look"))


def test_who_was_shown_the_host_when_it_had_moved_is_not() -> None:
    assert not excused((1.0, "command"), (6.0, "look"), (16.0, "down"), (17.0, "look"))


def test_who_never_looks_after_the_command_is_not() -> None:
    assert not excused((1.0, "look"), (2.0, "command"))
    assert not excused((1.0, "refused"), (12.0, "look"))
