"""What a BMC is told to do in one run: a start, an ask, and deviations at certain requests. Pure data, made by `search`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.vocabulary import Ask, Protocol


class Start(StrEnum):
    """How the host is when the fencer starts."""

    ON = "on"
    HUNG = "hung"  # on, and its operating system does not answer
    OFF = "off"
    TWO = "two"  # on, and two other systems of the same BMC are off


class ManagerStart(StrEnum):
    """What happens to the host when a manager has taken up all hosts."""

    CUT = "cut"  # it loses its power, its BMC answers
    SILENT = "silent"  # its agent is not reached any more, it runs on
    DARK = "dark"  # nor is its BMC
    WELL = "well"  # nothing


@dataclass(frozen=True, slots=True, order=True)
class World:
    """What is the same in all runs of one search tree. Managers are asked to watch, and have a scene instead of a start."""

    protocol: Protocol
    ask: Ask
    start: Start | ManagerStart

    def __str__(self) -> str:
        if isinstance(self.start, ManagerStart):
            return f"{self.ask} over {self.protocol}, a host that {SCENES[self.start]}"
        return f"{self.ask} over {self.protocol}, host {WORDS[self.start]}"


WORDS = {
    Start.ON: "on",
    Start.HUNG: "on with a hung operating system",
    Start.OFF: "off",
    Start.TWO: "on between two systems that are off",
}
SCENES = {
    ManagerStart.CUT: "loses its power",
    ManagerStart.SILENT: "is not reached any more",
    ManagerStart.DARK: "is not reached any more, nor its BMC",
    ManagerStart.WELL: "is well",
}


@dataclass(frozen=True, slots=True, order=True)
class PlacedDeviation:
    """One deviation at one request. `at` is the number of the request in the run from which it was taken, from 1.

    Its fault acts on the `nth` (from 1) of the requests that it counts: those that are a `what`, an intent over Redfish and a
    command over IPMI. `view` is the view whose word changes (system, chassis, ipmi), empty where no word does.
    """

    at: int
    word: str
    nth: int
    what: str
    view: str = ""

    def __str__(self) -> str:
        request, at, host = self.what.partition("@")
        return f"{self.word} at {request} request {self.nth} to {host}" if at else f"{self.word} at request {self.at}"


@dataclass(frozen=True, slots=True, order=True)
class Trace:
    world: World
    deviations: tuple[PlacedDeviation, ...] = ()

    def __str__(self) -> str:
        return f"{self.world}: {', then '.join(map(str, self.deviations)) or 'no deviation'}"

    def then(self, placed: PlacedDeviation) -> Trace:
        return Trace(self.world, (*self.deviations, placed))

    @property
    def parent(self) -> Trace:
        """Without the last deviation."""
        return Trace(self.world, self.deviations[:-1])


def as_list(trace: Trace) -> list[object]:
    """For a result file."""
    placed = [[d.at, d.word, d.nth, d.what, d.view] for d in trace.deviations]
    return [trace.world.protocol.value, trace.world.ask.value, trace.world.start.value, placed]


def from_list(told: Sequence[object]) -> Trace:
    """The inverse of `as_list`. Raises ValueError for anything else."""
    try:
        protocol, ask, start, placed = told
        assert isinstance(placed, list)
        return Trace(
            World(Protocol(str(protocol)), Ask(str(ask)), start_of(str(start))),
            tuple(PlacedDeviation(int(at), str(word), int(nth), str(what), str(view)) for at, word, nth, what, view in placed),
        )
    except (AssertionError, TypeError, ValueError):
        raise ValueError(f"{str(told)[:80]} is no trace") from None


def start_of(word: str) -> Start | ManagerStart:
    """Raises ValueError where it is neither."""
    return ManagerStart(word) if word in tuple(ManagerStart) else Start(word)
