"""What a hunt says to people: progress, finds, and how far it came. Pure but for the clock that is handed in."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from conformance.hunt.hunting import Ending
from conformance.hunt.result_file import ConfirmedFind
from conformance.hunt.search import LevelCount, Search
from conformance.hunt.verdict import COUNTED, HuntedRun
from conformance.progress import duration
from conformance.report.model import IDENTITY_ONLY, met_assumed
from conformance.vocabulary import Verdict
from profiles.model import Profile

EVERY_S: Final = 30.0


class HuntProgress:
    """Says now and then how far the hunt is, and each kind of find when it is met first."""

    def __init__(self, search: Search, say: Callable[[str], object], now: Callable[[], float]) -> None:
        self._search = search
        self._say = say
        self._now = now
        self._began = self._said = now()
        self._found: Counter[Verdict] = Counter()

    @property
    def seconds(self) -> float:
        return self._now() - self._began

    def add(self, run: HuntedRun) -> None:
        if run.is_find:
            self._found[run.verdict] += 1
            if self._found[run.verdict] == 1:
                self._say(f"first {run.verdict}: {run.trace}")

    def tick(self) -> None:
        if self._now() - self._said < EVERY_S:
            return
        self._said = self._now()
        found = ", ".join(f"{self._found[v]} {v}" for v in COUNTED if self._found[v]) or "nothing found"
        self._say(f"{len(self._search.runs)} runs, {self._search.waiting} planned, after {duration(self.seconds)}: {found}")


def find_lines(find: ConfirmedFind, repeat: str) -> Iterator[str]:
    """One find for people; `repeat` is the command that plays it again."""
    run = find.run
    kind = f" {run.kind}" if run.kind else ""
    yield f"{run.verdict}{kind}  {find.scenario}  {run.trace}"
    yield f"    {run.why}"
    again = f"{find.replays} of {find.of} the same{'' if find.replays == find.of else '; it does not count'}"
    yield f"    played again: {again if find.of else 'no, there was no time'}"
    if run.assumed:
        yield f"    assumed: {met_assumed(run.assumed)}"
    if repeat:
        yield f"    {repeat}"


def reservation_lines(search: Search, profile: Profile) -> Iterator[str]:
    """What a reader must know of the profile before he relies on the hunt; the same words as after a `run`."""
    if profile.identity_only:
        yield f"identity only  {profile.id}: {IDENTITY_ONLY}"
    if met := [run.assumed for run in search.runs if run.assumed]:
        yield f"assumed  {profile.id}: {met_assumed(sum(met), f' in {len(met)} runs of {len(search.runs)}')}"


def undetectable_line(search: Search) -> str | None:
    hidden = [run for run in search.runs if run.undetectable]
    if not hidden:
        return None
    first = min(hidden, key=lambda run: len(run.trace.deviations))
    return f"not counted: {len(hidden)} false claims that no fencer could have known to be false, such as {first.trace}"


def last_line(search: Search, ending: Ending, seconds: float, found: Mapping[Verdict, int]) -> str:
    """How far it came."""
    parts = [f"{_level(cost, level)}" for cost, level in search.levels.items() if level.planned]
    merged = sum(level.merged for level in search.levels.values())
    looked = f", {merged} looked like another one" if merged else ""
    missed = sum(level.missed for level in search.levels.values())
    looked += f", in {missed} a deviation did not come" if missed else ""
    finds = ", ".join(f"{found[v]} {v}" for v in COUNTED if found.get(v)) or "nothing found"
    return f"hunt  {len(search.runs)} runs in {duration(seconds)}{looked}; {'; '.join(parts)}; {ending}; {finds}"


def _level(cost: int, level: LevelCount) -> str:
    what = "without a deviation" if cost == 0 else f"cost {cost}"
    return f"{what}: {'all ' if level.done == level.planned else f'{level.done} of '}{level.planned}"


def repeat_command(label: str, profile: str, file: Path, seed: int = 0) -> str:
    """The command that plays a find again, as a shell takes it."""
    line = ["fence-conformance", "run", "--fencer", label, "--profile", profile, "--scenario-file", str(file)]
    return shlex.join([*line, *(["--seed", str(seed)] if seed else [])])
