"""Makes a find smaller: fewer deviations, milder ones, earlier ones. Pure; the caller plays what is proposed.

A find belongs to a *class*: its verdict, its kind, the protocol, the ask, and its deviations by word and kind of request. Of each
class one find is shown, the smallest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from conformance.hunt.deviation import RANK, choices, cost
from conformance.hunt.observation import ObservedStep
from conformance.hunt.trace import Trace
from conformance.hunt.verdict import HuntedRun, size, smallest

MOST_TRIES: Final = 24
"""Runs that the shrinking of one find may take."""


class FindClass(NamedTuple):
    verdict: str
    kind: str
    protocol: str
    ask: str
    deviations: tuple[tuple[str, str], ...]


def class_of(run: HuntedRun) -> FindClass:
    world = run.trace.world
    met = tuple(sorted((placed.word, placed.what) for placed in run.trace.deviations))
    return FindClass(run.verdict.value, run.kind, world.protocol.value, world.ask.value, met)


def classes(finds: Iterable[HuntedRun]) -> tuple[HuntedRun, ...]:
    """The smallest find of each class, the worst verdict first and then the smallest.

    A class that only adds deviations to another one is left out.
    """
    members: dict[FindClass, list[HuntedRun]] = {}
    for run in finds:
        members.setdefault(class_of(run), []).append(run)
    shown = sorted((smallest(runs) for runs in members.values()), key=lambda run: size(run.trace))
    kept: list[HuntedRun] = []
    for run in shown:
        if not any(_adds_to(class_of(run), class_of(smaller)) for smaller in kept):
            kept.append(run)
    return tuple(sorted(kept, key=lambda run: run.verdict.severity))


def _adds_to(larger: FindClass, smaller: FindClass) -> bool:
    if larger[:4] != smaller[:4]:
        return False
    left = list(larger.deviations)
    for each in smaller.deviations:
        if each not in left:
            return False
        left.remove(each)
    return True


def proposals(trace: Trace, before: Sequence[ObservedStep]) -> Iterator[Trace]:
    """Smaller traces that may do the same, the best first. `before` are the steps of the run without the last deviation."""
    placed = trace.deviations
    for number in range(len(placed)):
        yield Trace(trace.world, placed[:number] + placed[number + 1 :])
    if not placed:
        return
    *rest, last = placed
    first = rest[-1].at if rest else 0
    others = [
        Trace(trace.world, (*rest, other))
        for at, step in enumerate(before[: last.at], start=1)
        if at > first
        for other in choices(step, at, trace.world, cost(trace))
        if (RANK[other.word] < RANK[last.word] and at == last.at) or (other.word == last.word and at < last.at)
    ]
    yield from sorted((other for other in others if size(other) < size(trace)), key=size)


def shrink(find: HuntedRun, play: Callable[[Trace], HuntedRun], before: Callable[[Trace], Sequence[ObservedStep]]) -> HuntedRun:
    """The smallest find with the same verdict and kind that at most MOST_TRIES runs lead to.

    `before` gives the steps of the run without the last deviation, as far as they are known.
    """
    best, tried = find, {find.trace}
    while True:
        for trace in proposals(best.trace, before(best.trace.parent)):
            if trace in tried:
                continue
            if len(tried) > MOST_TRIES:
                return best
            tried.add(trace)
            run = play(trace)
            if run.is_find and run.signature == find.signature:
                best = run
                break
        else:
            return best
