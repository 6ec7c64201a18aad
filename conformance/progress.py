"""How a run goes on, for the person who waits for it. The thread that collects results calls it.

On a terminal one line at the bottom moves: how many cells are done, what was found, the last cell. Results that somebody has to
act on are printed above it as they come. Everywhere else each result is a line, and every half minute one line on standard error
says how far the run is: a job that plays long scenarios does not look dead.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from conformance.report.terminal import line
from conformance.result import Result
from conformance.vocabulary import Verdict

EVERY_S: Final = 30.0
WORTH_SAYING_S: Final = 2.0
"""Shorter runs are not announced."""


class Watch:
    """Shows results as they come. Use it as a context manager around the run; call `tick` now and then, at least every second."""

    def __init__(
        self, console: Console, cells: int, *, say: Callable[[str], object], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._cells = cells
        self._say = say
        self._now = now
        self._began = self._said = now()
        self._found: Counter[Verdict] = Counter()
        self._progress = Progress(
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=cells)

    def __enter__(self) -> Watch:
        self._progress.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._progress.stop()

    @property
    def seconds(self) -> float:
        return self._now() - self._began

    def add(self, result: Result) -> None:
        self._found[result.verdict] += 1
        if not self._console.is_terminal:
            self._console.print(line(result), soft_wrap=True)
        else:
            if result.verdict.needs_action:
                self._console.print(line(result), overflow="ellipsis", no_wrap=True, crop=True)
            last = f"{counted(self._found)}; {result.scenario.id} {result.fencer} x {result.profile}"
            self._progress.update(self._task, advance=1, description=last)
        self.tick()

    def tick(self) -> None:
        """Says how far the run is, where half a minute has passed since that was said last."""
        now = self._now()
        if self._console.is_terminal or now - self._said < EVERY_S:
            return
        self._said = now
        done = sum(self._found.values())
        so_far = f": {counted(self._found)}" if done else ""
        self._say(f"{done} of {self._cells} cells after {duration(now - self._began)}{so_far}")


def counted(found: Counter[Verdict]) -> str:
    """`3 pass, 1 UNSAFE`, the best first: what is wrong stands at the end, beside what comes next."""
    return ", ".join(f"{found[verdict]} {verdict.counted_as}" for verdict in reversed(Verdict) if found[verdict])


def rate_line(results: Iterable[Result], seconds: float) -> str:
    """How many of the cells that count were run and have passed, and how fast all went."""
    every = tuple(results)
    ran = [r for r in every if r.verdict.ran and not r.informational]
    passed = sum(1 for r in ran if not r.verdict.fails_gate)
    share = f" ({100 * passed // len(ran)} %)" if ran else ""
    speed = f"{len(every) / seconds:.1f}" if seconds > 0 else "any number of"
    return f"rate  {passed} of {len(ran)} passed{share}; {len(every)} cells in {duration(seconds)}, {speed} cells a second"


def estimate_line(cells: int, at_a_time: int, seconds: float) -> str | None:
    """What is said before a run begins; None where it is not worth it: for one cell, or for a few seconds."""
    if cells == 1 or seconds <= WORTH_SAYING_S:
        return None
    how = f"{cells} cells, {min(cells, at_a_time)} at a time"
    return f"{how}: about {duration(seconds)}, more where fencers use up their deadlines"


def duration(seconds: float) -> str:
    """`42 s`, `3 min`, `1 h 20 min`; short ones with a decimal."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
