"""Runs of a hunt without any fencer: the steps of a fencer that reads, sends ForceOff and reads until it is told Off."""

from __future__ import annotations

from collections.abc import Callable

from conformance.hunt.deviation import BY_WORD
from conformance.hunt.observation import ObservedStep, prefix_key
from conformance.hunt.search import Search
from conformance.hunt.trace import PlacedDeviation, Start, Trace, World
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Ask, Protocol, Verdict

REDFISH = World(Protocol.REDFISH, Ask.OFF, Start.ON)
Judge = Callable[[Trace], tuple[Verdict, str]]


def read(nth: int, word: str = "On", rail: str = "up", view: str = "system") -> ObservedStep:
    return ObservedStep(
        did="reads System",
        told=word,
        protocol="redfish",
        intent="power-read",
        what="power-read",
        view=view,
        word=word,
        rail=rail,
        sent=nth,
        served=nth,
        viewed=nth,
        effective=0,
    )


def command(nth: int = 1, told: str = "HTTP 204") -> ObservedStep:
    return ObservedStep(
        did="sends ForceOff",
        told=told,
        protocol="redfish",
        intent="power-command",
        what="power-command",
        view="",
        word="",
        rail="up",
        sent=nth,
        served=nth,
        viewed=0,
        effective=nth if told == "HTTP 204" else 0,
    )


PLAIN = (read(1), command(), read(2), read(3, "Off", "down"))


def placed(at: int, word: str, nth: int = 1, what: str = "power-read") -> PlacedDeviation:
    return PlacedDeviation(at, word, nth, what, "system" if BY_WORD[word].redfish.views else "")  # type: ignore[union-attr]


def hunted(trace: Trace, verdict: Verdict = Verdict.PASS, kind: str = "", **more: object) -> HuntedRun:
    """A run whose requests are as ever, and whose answers show each deviation."""
    told = {each.at: each.word for each in trace.deviations}
    steps = tuple(
        ObservedStep(**{name: getattr(step, name) for name in ObservedStep.__slots__} | {"told": told.get(at, step.told)})
        for at, step in enumerate(PLAIN, start=1)
    )
    end = "claims off"
    return HuntedRun(trace=trace, steps=steps, end=end, key=prefix_key(steps, end), verdict=verdict, kind=kind, **more)  # type: ignore[arg-type]


def nothing(trace: Trace) -> tuple[Verdict, str]:
    return Verdict.PASS, ""


def searched(search: Search, judge: Judge = nothing, most: int = 100_000) -> list[Trace]:
    """Plays a search to its end; what it planned, in order."""
    played: list[Trace] = []
    while len(played) < most and (trace := search.next()) is not None:
        played.append(trace)
        search.take(hunted(trace, *judge(trace)))
    return played
