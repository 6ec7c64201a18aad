"""The facts of an act, computed only from its journal.

Pure. The terminal text and report.html are both made of these facts. Times are seconds since the incident of the act (the
power loss or the hang).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from emulator import Event, EventKind, Intent

DOWN = "Down"
FENCED = "Fenced"
READS = frozenset({Intent.READ, Intent.POWER_READ})


@dataclass(frozen=True, slots=True)
class ManagerState:
    """The manager's state of the host from `t` on."""

    t: float
    name: str
    status: str
    event: str


@dataclass(frozen=True, slots=True)
class ManagerAlert:
    t: float
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class ResetPost:
    """A power command that the BMC received, and its HTTP status."""

    t: float
    reset: str
    status: int
    effect: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a virtual machine: the times of its writes to the shared disk."""

    vm: str
    host: str
    token: str
    times: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StateSpan:
    """A state that holds from `t` until the next span."""

    t: float
    word: str


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two hosts wrote to the disk of one machine at the same time (split brain)."""

    vm: str
    old_host: str
    new_host: str
    writes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Story:
    title: str
    profile: str
    policy: str
    scale: float
    bound: float
    host: str
    blow: str
    ends: float
    rail: tuple[StateSpan, ...]
    says: tuple[StateSpan, ...]
    states: tuple[ManagerState, ...]
    alerts: tuple[ManagerAlert, ...]
    posts: tuple[ResetPost, ...]
    reads: int
    runs: tuple[Run, ...]

    @property
    def down_at(self) -> float | None:
        """When the manager first said that the host is Down; None if never."""
        return next((state.t for state in self.states if state.status == DOWN), None)

    @property
    def rail_down_at(self) -> float | None:
        return next((span.t for span in self.rail if span.word == "down" and span.t >= 0), None)

    def answers(self) -> Mapping[int, int]:
        """How often the BMC answered a power command with each status."""
        return Counter(post.status for post in self.posts)

    def alert_counts(self) -> Mapping[str, int]:
        return Counter(alert.name for alert in self.alerts)

    def overlaps(self) -> tuple[Overlap, ...]:
        """Returns the machines that two hosts ran at the same time: writes of an old run after a newer run had started."""
        found = []
        for vm in sorted({run.vm for run in self.runs}):
            runs = sorted((run for run in self.runs if run.vm == vm and run.times), key=lambda run: run.times[0])
            for old, new in pairwise(runs):
                late = [t for t in old.times if t > new.times[0]]
                if late:
                    found.append(Overlap(vm, old.host, new.host, len(late), late[-1] - new.times[0]))
        return tuple(found)

    def moved(self) -> Mapping[str, tuple[str, float]]:
        """Returns the machines that moved, with the new host and the time of the first write there."""
        return {run.vm: (run.host, run.times[0]) for run in self.runs if run.times and run.host != self.host and run.times[0] > 0}

    def writes_after(self, t: float) -> int:
        """Returns the number of writes of the failed host after `t`."""
        return sum(1 for run in self.runs if run.host == self.host for moment in run.times if moment > t)


def story_of(events: Iterable[Event]) -> Story:
    """Computes the facts. Raises ValueError if the journal is not that of an act."""
    events = list(events)
    act = next((e for e in events if e.kind is EventKind.FENCER and e.data.get("what") == "act"), None)
    blow = next((e for e in events if e.kind is EventKind.FENCER and e.data.get("what") == "blow"), None)
    if act is None or blow is None:
        raise ValueError("not the journal of an act: it names no act or no blow")
    host, zero = blow.bmc, blow.t
    mine = [event for event in events if event.bmc == host]
    manager = [event for event in mine if event.kind is EventKind.MANAGER]
    return Story(
        title=str(act.data["title"]),
        profile=str(act.data["profile"]),
        policy=str(act.data["policy"]),
        scale=_number(act, "scale"),
        bound=_number(act, "bound"),
        host=host,
        blow=str(blow.data["blow"]),
        ends=max(event.t for event in events) - zero,
        rail=tuple(StateSpan(e.t - zero, str(e.data["rail"])) for e in mine if e.kind is EventKind.RAIL),
        says=_says(mine, zero),
        states=tuple(
            ManagerState(e.t - zero, str(e.data["to"]), str(e.data["status"]), str(e.data["event"]))
            for e in manager
            if e.data.get("what") == "state"
        ),
        alerts=tuple(
            ManagerAlert(e.t - zero, str(e.data["alert"]), str(e.data.get("text", "")))
            for e in manager
            if e.data.get("what") == "alert"
        ),
        posts=tuple(
            ResetPost(e.t - zero, str(e.data["reset"]), int(_number(e, "status")), str(e.data["effect"]))
            for e in mine
            if e.kind is EventKind.COMMAND and e.t > zero
        ),
        reads=sum(1 for e in mine if e.kind is EventKind.REQUEST and e.data.get("intent") in READS and e.t > zero),
        runs=tuple(
            Run(str(e.data["vm"]), str(e.data["host"]), str(e.data["token"]), tuple(float(t) - zero for t in _times(e)))
            for e in events
            if e.kind is EventKind.WRITE
        ),
    )


def _number(event: Event, key: str) -> float:
    value = event.data.get(key)
    if not isinstance(value, int | float):
        raise ValueError(f"journal event {event.seq}: {key} is not a number")
    return float(value)


def _times(event: Event) -> Sequence[float]:
    times = event.data.get("times")
    if not isinstance(times, list):
        raise ValueError(f"journal event {event.seq}: no times of writes")
    return [float(t) for t in times if isinstance(t, int | float)]


def _says(events: Iterable[Event], zero: float) -> tuple[StateSpan, ...]:
    spans = []
    for event in events:
        says = event.data.get("says")
        if event.kind is EventKind.REPORT and isinstance(says, Mapping) and "system" in says:
            spans.append(StateSpan(event.t - zero, str(says["system"])))
    return tuple(spans)
