"""One run as `run` and `replay` make it: cells are played here or on a cluster, people see how it goes, reports are written.

Runs in the main thread of the command. What cannot be written is found out before the first cell is played.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from conformance import cluster, progress, report_options, runner, running_order, waivers
from conformance.report import evidence, report, terminal
from conformance.report.report import FinishedRun, ReportFormat
from conformance.report_options import OneSentence
from conformance.result import Result, exit_code
from conformance.runner import MatrixCell, RunOptions
from conformance.versions import our_version

INTERRUPTED: Final = 130
LACKING: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutput:
    """What a run writes: reports, each with FILE or `-`; a folder for evidence; with `rate` a line about how many passed."""

    reports: Mapping[ReportFormat, str] = field(default_factory=dict)
    evidence: Path | None = None
    rate: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlace:
    """Where cells are played: `jobs` at a time here (None: 8 for each core), or by the workers of a scheduler."""

    jobs: int | None = None
    scheduler: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GateTerms:
    """What lets the run pass. `is_part`: other machines have the rest of the cells."""

    waivers: Sequence[waivers.Waiver] = ()
    today: datetime.date
    strict_waivers: bool = False
    is_part: bool = False


class Lacking(OneSentence):
    """This machine lacks what was asked for."""

    exit_code = LACKING


def carry_out(
    cells: Sequence[MatrixCell], *, options: RunOptions, output: RunOutput, where: RunPlace, gate: GateTerms
) -> FinishedRun:
    """Plays the cells, tells how it went and writes everything. Raises OneSentence."""
    _check_writable(output)
    # With a report on standard output, people are spoken to on the other channel.
    console = Console(stderr=report_options.STDOUT in output.reports.values(), highlight=False)
    not_run: tuple[str, ...] = ()
    interrupted = False
    try:
        play = _player(where, cells, options)
    except cluster.NoCluster as error:
        raise Lacking(str(error)) from None
    started = datetime.datetime.now(datetime.UTC)
    with progress.Watch(console, len(cells), say=_say) as watch:
        try:
            results = play(watch.add, watch.tick)
        except runner.RunInterrupted as stopped:
            interrupted, results = True, stopped.results
            not_run = tuple(f"{cell.definition.name} x {cell.profile.id} {cell.scenario.id}" for cell in stopped.not_run)
        except cluster.NoCluster as error:
            raise Lacking(str(error)) from None
        seconds = watch.seconds
    results = waivers.apply(results, gate.waivers, gate.today)
    if output.rate:
        console.print(progress.rate_line(results, seconds))
    terminal.close(console, results)
    if interrupted:
        ended = "every fencer has been ended" if where.scheduler is None else "workers end what they have begun"
        _say(f"stopped; {ended}, {len(not_run)} cells were not run")
    finished = report.FinishedRun(
        results=results,
        version=our_version(),
        seed=options.seed,
        exit_code=INTERRUPTED if interrupted else exit_code(results, strict_waivers=gate.strict_waivers, is_part=gate.is_part),
        catalogue=", ".join(dict.fromkeys(runner.catalogue_of(cell.definition, options).name for cell in cells)),
        strict=options.strict,
        strict_waivers=gate.strict_waivers,
        interrupted=interrupted,
        not_run=not_run,
        started=started,
        seconds=seconds,
    )
    _write(finished, output)
    return finished


def _player(
    where: RunPlace, cells: Sequence[MatrixCell], options: RunOptions
) -> Callable[[Callable[[Result], None], Callable[[], None]], tuple[Result, ...]]:
    """What plays the cells, given who is told of results and who is called now and then. Says how long it will take."""
    if where.scheduler is None:
        at_a_time = where.jobs or running_order.default_jobs()
        _announce(cells, at_a_time, options)
        return lambda on_result, on_tick: runner.run(
            cells, jobs=where.jobs, options=options, on_result=on_result, on_tick=on_tick
        )
    chosen = cluster.reach(where.scheduler)
    _announce(cells, chosen.threads, options)
    return lambda on_result, on_tick: cluster.run(chosen, cells, options=options, on_result=on_result, on_tick=on_tick)


def _announce(cells: Sequence[MatrixCell], at_a_time: int, options: RunOptions) -> None:
    seconds = runner.estimated_s(cells, at_a_time, options)
    if (sentence := progress.estimate_line(len(cells), at_a_time, seconds)) is not None:
        _say(sentence)


def _say(sentence: str) -> None:
    click.echo(f"fence-conformance: {sentence}", err=True)


def _check_writable(output: RunOutput) -> None:
    for name in output.reports.values():
        if name != report_options.STDOUT:
            report_options.check_writable(Path(name))
    if output.evidence is not None:
        report_options.check_writable(output.evidence / "finding")


def _write(finished: FinishedRun, output: RunOutput) -> None:
    for each, name in output.reports.items():
        report_options.write(each, finished, name)
    if output.evidence is not None:
        try:
            evidence.write(finished.results, output.evidence, finished.version)
        except OSError as error:
            raise OneSentence(f"cannot write {output.evidence}: {error.strerror}") from None
