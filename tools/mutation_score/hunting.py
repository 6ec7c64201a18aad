"""Hunts the mutants that no scenario kills: `conformance.hunt` searches for one or two deviations of a BMC that break them.

A find counts only if the fencer without the change passes the same trace.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import click

from conformance.hunt import trial_run
from conformance.hunt.radius import radius_sentence
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.hunt.trial_run import Hunted, hunted, try_trace
from conformance.hunt.verdict import HuntedRun
from conformance.in_process.play_here import play_here
from conformance.vocabulary import Ask, Protocol
from emulator import Reusable, reusable
from profiles import load
from tools.mutation_score import tables
from tools.mutation_score.matrix import FencerMatrix, own_digest
from tools.mutation_score.playing import PROFILE, definition_of, prepared, told_by_child

BOUNDS: Final = SearchBounds(budget=2, depth=10)
MOST_RUNS: Final = 600
"""Of one mutant: all of one deviation in the first worlds, and what comes then of two."""
WORLDS: Final = (
    World(Protocol.REDFISH, Ask.OFF, Start.ON),
    World(Protocol.REDFISH, Ask.OFF, Start.TWO),
    World(Protocol.IPMI, Ask.OFF, Start.ON),
    World(Protocol.REDFISH, Ask.REBOOT, Start.ON),
)


@dataclass(frozen=True, slots=True)
class HuntedMutant:
    """`found` is the trace and the verdict of the smallest find, empty where there is none; `sentence` says how far it came."""

    mutant: str
    digest: str
    runs: int
    found: str
    sentence: str


def hunt(fencer: str, mutant: str, digest: str, reused: Reusable) -> HuntedMutant:
    """One hunt, in a process of its own. Raises ClickException where it fails, so that no result is kept."""

    def child(say: Callable[[Mapping[str, object]], None]) -> None:
        try:
            search(say)
        except Exception as error:  # noqa: BLE001 - the parent says it: it is no run that does not end
            say({"failed": f"{type(error).__name__}: {error}"})

    def search(say: Callable[[Mapping[str, object]], None]) -> None:
        trial_run.play_once = lambda what, stop: play_here(what, reused, lambda line: None)  # this process ends with the hunt
        profile = load(PROFILE)
        ours = hunted(definition_of(fencer, mutant), profile, PROFILE, 0)
        without = hunted(definition_of(fencer), profile, PROFILE, 0)
        prepared(fencer, mutant)
        say(asdict(_searched(ours, without, mutant, digest, lambda runs: say({"runs": runs}))))

    told = list(told_by_child(child))  # each run is told, so a long silence is one run that does not end
    if told and "failed" in told[-1]:
        raise click.ClickException(f"{fencer}: the hunt of {mutant} failed: {told[-1]['failed']}")
    if not told or "mutant" not in told[-1]:
        runs = told[-1]["runs"] if told else 0
        return HuntedMutant(mutant, digest, runs, f"HANG in run {runs + 1}", "a run did not end")
    return HuntedMutant(**told[-1])


def _searched(ours: Hunted, without: Hunted, mutant: str, digest: str, on_run: Callable[[int], None]) -> HuntedMutant:
    search = Search([world for world in WORLDS if ours.why_not(world) is None], BOUNDS)
    stop = threading.Event()
    found: HuntedRun | None = None
    while found is None and len(search.runs) < MOST_RUNS and (trace := search.next()) is not None:
        run = try_trace(ours, trace, stop)
        search.take(run)
        on_run(len(search.runs))
        if run.is_find and not try_trace(without, trace, stop).is_find:
            found = run
    sentence = radius_sentence([found] if found is not None else [], search.levels, search.bounds)
    return HuntedMutant(mutant, digest, len(search.runs), "" if found is None else f"{found.verdict}: {found.trace}", sentence)


def hunts(matrix: FencerMatrix, known: Mapping[str, HuntedMutant], is_over: Callable[[], bool]) -> Iterator[HuntedMutant]:
    """Hunts each survivor of whose hunt nothing is known, until the time is over."""
    reused = reusable()
    for mutant in matrix.survivors:
        digest = own_digest(matrix, mutant)
        if mutant in known and known[mutant].digest == digest:
            continue
        if is_over():
            return
        yield hunt(matrix.fencer, mutant, digest, reused)


def save(found: Mapping[str, HuntedMutant], file: Path) -> None:
    file.write_text(json.dumps({name: asdict(each) for name, each in found.items()}, indent=1), encoding="utf-8")


def read(file: Path, fencer: str) -> dict[str, HuntedMutant]:
    """What is known of the mutants that there are."""
    if not file.exists():
        return {}
    told = json.loads(file.read_text(encoding="utf-8"))
    return {name: HuntedMutant(**each) for name, each in told.items() if name in tables.by_id(fencer)}
