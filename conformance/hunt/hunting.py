"""Plays a search: many runs at a time, until nothing is left, the time is over or the user wants out. Then confirms its finds.

The command calls it in the main thread; runs are played in threads of a pool.

Rules
  1. What was found before Ctrl-C or the end of the time is kept and confirmed as far as it goes.
  2. A find is made smaller, then played again REPLAYS times. Only one that comes out the same each time counts.
  3. Where the whole hunt has an `end`, the search leaves time for the finds, at most half of all; at the end every run is ended.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from enum import StrEnum
from functools import partial
from typing import Final

from conformance.adapters.base import Interrupted
from conformance.hunt.observation import ObservedStep
from conformance.hunt.plan import id_of
from conformance.hunt.result_file import ConfirmedFind
from conformance.hunt.search import Search
from conformance.hunt.shrink import classes, shrink
from conformance.hunt.trace import Trace
from conformance.hunt.trial_run import Hunted, try_trace
from conformance.hunt.verdict import HuntedRun
from conformance.vocabulary import Verdict

POLL_S: Final = 0.2
REPLAYS: Final = 3
USUAL_RUNS: Final = REPLAYS + 5
"""Runs that a find usually needs: to become smaller, to be played again, and for its evidence."""
MOST_FOR_FINDS: Final = 0.5
"""Of the time of a hunt, for what comes after the search."""

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
    end: float = math.inf,
) -> Ending:
    """Plays what the search plans, `jobs` at a time, until `until` (of time.monotonic). Both callbacks are called in this thread.
    `play` plays one run, called in threads of the pool; None: here.

    `end` is that of the whole hunt: the search ends so early that its finds can be confirmed, and what is being played then is
    given up. Raises CannotStart where the fencer cannot be run on this machine.
    """
    stop = threading.Event()
    play = play or partial(try_trace, hunted, alone=False)
    ending = Ending.COMPLETE
    began = time.monotonic()
    took: dict[Trace, float] = {}
    with ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="hunt") as pool:
        running: dict[Future[HuntedRun], tuple[Trace, float]] = {}
        try:
            while True:
                while len(running) < jobs and ending is Ending.COMPLETE and (trace := search.next()) is not None:
                    running[pool.submit(play, trace, stop)] = trace, time.monotonic()
                if not running:
                    return ending
                finished, _ = wait(running, timeout=POLL_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    trace, started = running.pop(future)
                    with suppress(Interrupted):
                        run = future.result()
                        if run.is_find:
                            took[trace] = time.monotonic() - started
                        search.take(run)
                        on_run(run)
                on_tick()
                if time.monotonic() >= min(until, end - min(_time_for(search, took, jobs), MOST_FOR_FINDS * (end - began))):
                    ending = Ending.TIME
                    if end < math.inf:
                        stop.set()
        except KeyboardInterrupt:
            stop.set()
            with suppress(KeyboardInterrupt):  # a second one: what was found is kept all the same
                pool.shutdown(wait=True, cancel_futures=True)
            return Ending.STOPPED
        except BaseException:
            stop.set()
            raise


def _time_for(search: Search, took: dict[Trace, float], jobs: int) -> float:
    """Seconds that the finds so far are likely to need. `took` has how long each was played; one from a state file was not."""
    each = [USUAL_RUNS * took.get(find.trace, 0.0) for find in classes(run for run in search.runs if run.trace in took)]
    return max(max(each), sum(each) / jobs) if each else 0.0


@contextmanager
def ended_at(end: float) -> Iterator[threading.Event]:
    """An event that is set at `end` (of time.monotonic), and when the block is left by an error: runs that know it are ended."""
    stop = threading.Event()
    left = min(max(0.0, end - time.monotonic()), threading.TIMEOUT_MAX)
    timer = threading.Timer(left, stop.set) if end < math.inf else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        yield stop
    except BaseException:
        stop.set()
        raise
    finally:
        if timer is not None:
            timer.cancel()


def confirm(
    hunted: Hunted, search: Search, *, jobs: int, play: TryTrace | None = None, end: float = math.inf
) -> tuple[ConfirmedFind, ...]:
    """The smallest find of each class, played again by `play` as in `search_through`, as far as there is time until `end`.

    Raises KeyboardInterrupt.
    """
    known = {run.trace: run for run in search.runs}
    try_again = play or partial(try_trace, hunted)

    def before(trace: Trace) -> Sequence[ObservedStep]:
        return known[trace].steps if trace in known else ()

    with ended_at(end) as stop:

        def known_or_played(trace: Trace) -> HuntedRun:
            if trace in known:
                return known[trace]
            try:
                return try_again(trace, stop)
            except Interrupted:
                return HuntedRun(trace=trace, steps=(), end="", key="", verdict=Verdict.ERROR, why=Ending.TIME)

        def confirmed(found: HuntedRun) -> ConfirmedFind:
            find = shrink(found, known_or_played, before)
            again: list[HuntedRun] = []
            with suppress(Interrupted):
                while len(again) < REPLAYS:
                    again.append(try_again(find.trace, stop))
            same = sum(run.is_find and run.signature == find.signature for run in again)
            return ConfirmedFind(run=find, scenario=id_of(find.trace), replays=same, of=len(again))

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
