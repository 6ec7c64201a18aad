"""What a run of a hunt of an in-process fencer costs: processor time of the suite, its worker and the fencer together."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Final

import pytest

from conformance.adapters import process_table
from conformance.adapters.reading import read
from conformance.hunt import hunting, trial_run
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.trace import Start, World
from conformance.hunt.trial_run import Hunted, try_trace
from conformance.vocabulary import Ask, Protocol
from profiles import load
from tests.commands import ROOT

RUN_S: Final = 0.05
"""Of processor time, at most."""
ALL_OF_TWO_S: Final = 900.0
"""For all combinations of two deviations in the first ten requests, two runs at a time."""
JOBS: Final = 2
SOME_RUNS: Final = 300
FAR: Final = 1e12
DELL: Final = load("dell-idrac9")
FENCE_BMC: Final = ROOT / "tests" / "hunted" / "fence-bmc-transport.yaml"
TICKS: Final = os.sysconf("SC_CLK_TCK")

pytestmark = pytest.mark.timeout(1200)


def processor_s() -> float:
    """Of this process, all below it, and all of these that have ended and were waited for."""
    return sum(_of(pid) for pid in (os.getpid(), *process_table.descendants(os.getpid())))


def _of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:15])) / TICKS


def target() -> Hunted:
    return trial_run.hunted(read(FENCE_BMC), DELL, DELL.id, 0)


@pytest.mark.parametrize("protocol", list(Protocol))
def test_a_run_costs_little(protocol: Protocol) -> None:
    """All of two deviations, the first `SOME_RUNS` of them; the rest of them is what a search of hours would be like."""
    world, ours, stop = World(protocol, Ask.OFF, Start.ON), target(), threading.Event()
    search = Search([world], SearchBounds(budget=2, depth=10))
    began = 0.0
    for number in range(SOME_RUNS + 1):
        trace = search.next()
        assert trace is not None
        search.take(try_trace(ours, trace, stop, alone=False))
        if number == 0:
            began = processor_s()  # the worker is there
    cost = (processor_s() - began) / SOME_RUNS
    print(f"{protocol}: {cost * 1000:.0f} ms of processor time for a run of a hunt, of at most {RUN_S * 1000:.0f} ms")
    assert cost <= RUN_S


@pytest.mark.parametrize("protocol", list(Protocol))
def test_all_of_two_deviations_take_a_quarter_of_an_hour_at_most(protocol: Protocol) -> None:
    """Told from the processor time of the first `SOME_RUNS` runs, as a machine with two cores of its own would need it."""
    search = Search([World(protocol, Ask.OFF, Start.ON)], SearchBounds(budget=2, depth=10))
    began, stop_at = processor_s(), SOME_RUNS

    def stop_then(run: object) -> None:
        if len(search.runs) >= stop_at:
            raise KeyboardInterrupt

    hunting.search_through(target(), search, jobs=JOBS, until=FAR, on_run=stop_then, on_tick=lambda: None)
    all_runs = sum(level.planned for level in search.levels.values())
    taken = (processor_s() - began) / len(search.runs) * all_runs / JOBS
    print(f"{protocol}: {all_runs} runs, about {taken:.0f} s of at most {ALL_OF_TWO_S:.0f} s with --jobs {JOBS}")
    assert taken <= ALL_OF_TWO_S
