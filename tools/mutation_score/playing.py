"""Plays scenarios to a mutant in a process of its own, one after the other, and judges them.

The tool calls it in the main thread. A run that never ends is ended with its process; the next one goes on behind it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from conformance.adapters.definition import Definition
from conformance.adapters.python import PythonAdapter
from conformance.adapters.reading import read
from conformance.in_process.play_here import play_here
from conformance.play_scenario import Play
from conformance.runner import MatrixCell, NotApplicable, RunOptions, fit, judged
from conformance.scenarios import ALL
from conformance.vocabulary import Verdict
from emulator import Reusable
from profiles import load
from tools.mutation_score import changed_fencers

HERE: Final = Path(__file__).resolve().parent
SILENCE_S: Final = 300.0
"""Wall-clock seconds of silence after which a child is killed; a run on virtual time takes a tenth of one, a hunt some more."""
PROFILE: Final = "dell-idrac9"
OTHER_PROFILES: Final = ("openbmc-x86", "supermicro-x10")
"""Scenarios about what profiles differ in are played on these as well."""
ABOUT_PROFILES: Final = "PROFILE"


@dataclass(frozen=True, slots=True)
class MatrixColumn:
    """One scenario on one profile."""

    scenario: str
    profile: str

    def __str__(self) -> str:
        return self.scenario if self.profile == PROFILE else f"{self.scenario}@{self.profile}"


@dataclass(frozen=True, slots=True)
class PlayedColumn:
    """`strict` is the verdict where a broken SHOULD counts. `seconds` of processor time."""

    column: MatrixColumn
    verdict: Verdict
    strict: Verdict
    seconds: float = 0.0


def definition_of(fencer: str, mutant: str = "") -> Definition:
    base = read(HERE / f"{fencer}.yaml")
    ways = {protocol: replace(way, params={"mutant": mutant}) for protocol, way in base.ways.items() if _takes_params(way)}
    return replace(base, name=mutant or base.name, ways=ways)


def _takes_params(way: object) -> bool:
    return isinstance(way, PythonAdapter)


def columns(fencer: str) -> tuple[dict[MatrixColumn, MatrixCell], dict[str, str]]:
    """What can be played to a fencer in-process, and why the other scenarios cannot."""
    definition = definition_of(fencer)
    found: dict[MatrixColumn, MatrixCell] = {}
    not_played: dict[str, str] = {}
    for name in (PROFILE, *OTHER_PROFILES):
        profile = load(name)
        for scenario in ALL:
            if name != PROFILE and scenario.group != ABOUT_PROFILES:
                continue
            cell = MatrixCell(definition, profile, scenario, name)
            try:
                fit(cell)
            except NotApplicable as why:
                if name == PROFILE:
                    not_played[scenario.id] = str(why)
                continue
            found[MatrixColumn(scenario.id, name)] = cell
    return found, not_played


def play_column(cell: MatrixCell, reused: Reusable) -> tuple[Verdict, Verdict]:
    """One run in this process: its verdict, and the one where a broken SHOULD counts."""
    how = fit(cell)
    what = Play(
        scenario=cell.scenario, steps=how.steps, profile=cell.profile, definition=how.definition, protocol=how.protocol
    )  # fmt: skip
    try:
        played = replace(play_here(what, reused, lambda line: None), on_virtual_time=True)
        plain, strict = (judged(cell, played, RunOptions(strict=strict)).judgement for strict in (False, True))
    except Exception:  # noqa: BLE001 - whatever it is, it is no verdict on the fencer
        return Verdict.ERROR, Verdict.ERROR
    return plain.verdict, strict.verdict


def play(
    fencer: str, mutant: str, cells: dict[MatrixColumn, MatrixCell], reused: Reusable, prepare: Callable[[], object]
) -> Iterator[PlayedColumn]:
    """Plays all of `cells`. `prepare` makes the copies, in the child."""
    definition = definition_of(fencer, mutant)
    waiting = list(cells.items())
    while waiting:
        for played in _in_child([(column, replace(cell, definition=definition)) for column, cell in waiting], reused, prepare):
            del waiting[0]
            yield played
        if waiting:
            column, _ = waiting.pop(0)
            yield PlayedColumn(column, Verdict.HANG, Verdict.HANG)


def _in_child(
    cells: Sequence[tuple[MatrixColumn, MatrixCell]], reused: Reusable, prepare: Callable[[], object]
) -> Iterator[PlayedColumn]:
    """What a child says of these runs until it has ended."""

    def child(say: Callable[[Mapping[str, object]], None]) -> None:
        prepare()
        for column, cell in cells:
            began = time.process_time()
            verdicts = [verdict.value for verdict in play_column(cell, reused)]
            told = {"column": [column.scenario, column.profile], "verdicts": verdicts}
            say({**told, "seconds": time.process_time() - began})

    for told in told_by_child(child):
        yield PlayedColumn(MatrixColumn(*told["column"]), *map(Verdict, told["verdicts"]), told["seconds"])


def told_by_child(child: Callable[[Callable[[Mapping[str, object]], None]], None]) -> Iterator[dict[str, Any]]:
    """Calls `child` in a process of its own, and yields what it says, until it ends, or is silent for too long and is killed."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _run_child(child, writing)
    os.close(writing)
    poller = select.poll()
    poller.register(reading, select.POLLIN)
    rest = b""
    try:
        while poller.poll(SILENCE_S * 1000) and (data := os.read(reading, 1 << 16)):
            *lines, rest = (rest + data).split(b"\n")
            yield from map(json.loads, lines)
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _run_child(child: Callable[[Callable[[Mapping[str, object]], None]], None], writing: int) -> None:
    """Never returns."""
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - whoever has replaced them; this process ends with it
    sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    try:
        child(lambda told: os.write(writing, json.dumps(told).encode() + b"\n") and None)
    except Exception:  # noqa: BLE001 - the tool goes on behind it
        traceback.print_exc()
    finally:
        os._exit(0)


def prepared(fencer: str, mutant: str = "") -> object:
    """For `play`: copies without probes."""
    return changed_fencers.prepare(fencer, mutant)
