"""Plays a search: many runs at a time, until nothing is left, the time is over or the user wants out. Then confirms its finds.

The command calls it in the main thread; runs are played in threads of a pool.

Rules
  1. What was found before Ctrl-C or the end of the time is kept and confirmed as far as it goes.
  2. A find is made smaller, then played again REPLAYS times. Only one that comes out the same each time counts.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from enum import StrEnum
from functools import partial
from typing import Final

from conformance.hunt.observation import ObservedStep
from conformance.hunt.plan import id_of
from conformance.hunt.result_file import ConfirmedFind
from conformance.hunt.search import Search
from conformance.hunt.shrink import classes, shrink
from conformance.hunt.trace import Trace
from conformance.hunt.trial_run import Hunted, try_trace
from conformance.hunt.verdict import HuntedRun

POLL_S: Final = 0.2
REPLAYS: Final = 3

TryTrace = Callable[[Trace, threading.Event], HuntedRun]
"""Plays one run. Raises Interrupted when the event is set, and CannotStart."""


class Ending(StrEnum):
    """Why a search has ended."""

    COMPLETE = "everything was tried"
    TIME = "the time was over"
    STOPPED = "it was stopped"


def search_through(
    hunted: Hunted,
    search: Search,
    *,
    jobs: int,
    until: float,
    on_run: Callable[[HuntedRun], None],
    on_tick: Callable[[], None],
    play: TryTrace | None = None,
) -> Ending:
    """Plays what the search plans, `jobs` at a time, until `until` (of time.monotonic). Both callbacks are called in this thread.
    `play` plays one run, called in threads of the pool; None: here.

    Raises CannotStart where the fencer cannot be run on this machine.
    """
    stop = threading.Event()
    play = play or partial(try_trace, hunted)
    ending = Ending.COMPLETE
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="hunt") as pool:
        running: dict[Future[HuntedRun], Trace] = {}
        try:
            while True:
                while len(running) < jobs and ending is Ending.COMPLETE and (trace := search.next()) is not None:
                    running[pool.submit(play, trace, stop)] = trace
                if not running:
                    return ending
                finished, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    del running[future]
                    run = future.result()
                    search.take(run)
                    on_run(run)
                on_tick()
                if time.monotonic() >= until:
                    ending = Ending.TIME
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            return Ending.STOPPED
        except BaseException:
            stop.set()
            raise


def confirm(hunted: Hunted, search: Search, *, jobs: int, play: TryTrace | None = None) -> tuple[ConfirmedFind, ...]:
    """The smallest find of each class, played again by `play` as in `search_through`. Raises KeyboardInterrupt."""
    known = {run.trace: run for run in search.runs}
    stop = threading.Event()
    try_again = play or partial(try_trace, hunted)

    def before(trace: Trace) -> Sequence[ObservedStep]:
        return known[trace].steps if trace in known else ()

    def known_or_played(trace: Trace) -> HuntedRun:
        return known[trace] if trace in known else try_again(trace, stop)

    def confirmed(found: HuntedRun) -> ConfirmedFind:
        find = shrink(found, known_or_played, before)
        again = [try_again(find.trace, stop) for _ in range(REPLAYS)]
        same = sum(run.is_find and run.signature == find.signature for run in again)
        return ConfirmedFind(run=find, scenario=id_of(find.trace), replays=same, of=REPLAYS)

    finds = classes(run for run in search.runs if run.is_find)
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="confirm") as pool:
        futures = [pool.submit(confirmed, find) for find in finds]
        try:
            wait(futures)
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    made = {find.run.trace: find for future in futures for find in (future.result(),)}
    kept = classes(find.run for find in made.values())
    return tuple(made[run.trace] for run in kept)


def unconfirmed(search: Search) -> tuple[ConfirmedFind, ...]:
    """The same where there was no time to play anything again."""
    finds = classes(run for run in search.runs if run.is_find)
    return tuple(ConfirmedFind(run=find, scenario=id_of(find.trace), replays=0, of=0) for find in finds)
