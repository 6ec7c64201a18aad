"""Decides which run is tried next, and takes in what became of it. Pure: no socket, clock or randomness but a seed.

Rules
  1. First every world without a deviation, then everything that costs one: each mild deviation at each of the first `depth`
     requests. Then what costs two, and so on up to the budget: further deviations come behind the last one of a run.
  2. Of what costs the same, fewer deviations come first. From a cost of two on, what stands behind runs whose requests are seldom
     comes first, then the dice of the seed decide.
  3. A run is extended only if no other one looked the same to everybody (`prefix_key`), and if no deviation has made an UNSAFE of
     it: with a further one it is the same find. A fencer that has failed may claim what is not true with a further one.
  4. A run that is known, from a state file, is taken in without being played.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from conformance.hunt.deviation import choices, cost
from conformance.hunt.trace import Trace, World
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBounds:
    """`budget` is the most that the deviations of a run may cost, `depth` the number of requests at which they may come. `only`
    names the deviations that are tried; empty: all."""

    budget: int = 2
    depth: int = 12
    seed: int = 0
    only: frozenset[str] = frozenset()


@dataclass(slots=True)
class LevelCount:
    """Runs of one cost: `planned` so far, `done`; of these `merged` into one that looked the same, `missed`, whose deviations did
    not all come, and `unplayed`, which the suite could not play."""

    planned: int = 0
    done: int = 0
    merged: int = 0
    missed: int = 0
    unplayed: int = 0


class Search:
    """The search over the worlds of one fencer and profile. One thread."""

    def __init__(self, worlds: Sequence[World], bounds: SearchBounds, known: Iterable[HuntedRun] = ()) -> None:
        self.bounds = bounds
        self.runs: list[HuntedRun] = []
        self.levels: dict[int, LevelCount] = {level: LevelCount() for level in range(bounds.budget + 1)}
        self._known = {run.trace: run for run in known}
        self._dice = random.Random(bounds.seed)
        self._seen: set[tuple[World, str]] = set()
        self._sequences: Counter[tuple[World, tuple[str, ...]]] = Counter()
        self._waiting: list[tuple[int, int, int, float, int, Trace]] = []
        self._number = 0
        for world in worlds:
            self._plan(Trace(world), 0)

    @property
    def waiting(self) -> int:
        """How many runs are planned and not handed out."""
        return len(self._waiting)

    def next(self) -> Trace | None:
        """What to play next; None where nothing is planned at the moment: what is being played may bring more."""
        while self._waiting:
            trace = heapq.heappop(self._waiting)[-1]
            known = self._known.pop(trace, None)
            if known is None:
                return trace
            self.take(known)
        return None

    def take(self, run: HuntedRun) -> None:
        """Takes in a run that `next` has handed out."""
        level = self.levels[cost(run.trace)]
        level.done += 1
        self.runs.append(run)
        if run.verdict is Verdict.ERROR:
            level.unplayed += 1
            return
        if not run.complete:
            level.missed += 1
            return
        if run.verdict is Verdict.UNSAFE and run.trace.deviations:
            return
        place = (run.trace.world, run.key)
        if place in self._seen:
            level.merged += 1
            return
        self._seen.add(place)
        self._extend(run)

    def _extend(self, run: HuntedRun) -> None:
        left = self.bounds.budget - cost(run.trace)
        if left <= 0:
            return
        sequence = (run.trace.world, tuple(step.did for step in run.steps))
        self._sequences[sequence] += 1
        first = run.trace.deviations[-1].at if run.trace.deviations else 0
        for at, step in enumerate(run.steps[: self.bounds.depth], start=1):
            if at > first:
                for placed in choices(step, at, run.trace.world, left):
                    if self.bounds.only and placed.word not in self.bounds.only:
                        continue
                    self._plan(run.trace.then(placed), self._sequences[sequence])

    def _plan(self, trace: Trace, seldom: int) -> None:
        level = cost(trace)
        self.levels[level].planned += 1
        self._number += 1
        dice = self._dice.random() if level > 1 else 0.0  # everything that costs one comes in order
        few = len(trace.deviations)
        heapq.heappush(self._waiting, (level, few, seldom if level > 1 else 0, dice, self._number, trace))
