"""`fence-conformance replay`: plays again what `run --evidence` has kept."""

from __future__ import annotations

import datetime
from pathlib import Path

import click

from conformance import report_options, running_order
from conformance.completion import FENCERS
from conformance.report_options import OneSentence, warn
from conformance.result import Result, exit_code

EXAMPLES = """
\b
Examples:
  fence-conformance run --fencer ./my-agent.yaml --evidence evidence
  fence-conformance replay evidence
  fence-conformance replay evidence/STATE-002-my-agent-dell-idrac9
  fence-conformance replay evidence --fencer ./fixed-agent.yaml --json fixed.json

\b
It ends as `run` does: 0 if everything passes now, 1 or 3 if something is still wrong.
"""


@click.command(cls=report_options.ReportingCommand, epilog=EXAMPLES)
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--fencer", type=FENCERS, metavar="NAME|FILE.yaml", help="Test this one instead of the one that is recorded.")
@click.option(
    "--jobs",
    type=click.IntRange(1, running_order.MOST_JOBS),
    default=None,
    help="Scenarios at a time; else 8 for each processor core.",
)
@click.option(
    "--evidence", "evidence_directory", type=click.Path(file_okay=False), metavar="DIR", help="Write evidence of this run there."
)
@click.pass_context
def command(context: click.Context, folder: Path, fencer: str | None, jobs: int | None, evidence_directory: str | None) -> int:
    """Plays every cell in a folder of evidence again, with the same fencer, profile, scenario and seed.

    Says of each whether its verdict is the same. File names are read as `run` was given them: from the same directory.
    """
    from conformance import replay, reported_run  # they bring the emulator, half of the time to start

    try:
        recorded = replay.recorded_in(folder, fencer)
    except replay.NoReplay as error:
        raise OneSentence(str(error)) from None
    warn(dict.fromkeys(sentence for each in recorded for sentence in each.changed))
    runs = replay.together(recorded)
    reports = report_options.wanted(context)
    if len(runs) > 1 and reports:
        raise OneSentence(f"{folder} is of {len(runs)} runs with different seeds or rules, and a report is of one run")
    results: list[Result] = []
    for options, cells in runs.items():
        finished = reported_run.carry_out(
            [each.cell for each in cells],
            options=options,
            output=reported_run.RunOutput(
                reports=reports, evidence=None if evidence_directory is None else Path(evidence_directory)
            ),
            where=reported_run.RunPlace(jobs=jobs),
            gate=reported_run.GateTerms(today=datetime.date.today()),
        )
        results += finished.results
        if finished.interrupted:
            return finished.exit_code
    same = 0
    for each, result in zip((each for cells in runs.values() for each in cells), results, strict=True):
        same += result.verdict is each.verdict
        words = "the same" if result.verdict is each.verdict else f"was {each.verdict}"
        click.echo(f"{result.scenario.id:<10} {result.fencer} x {result.profile}  {result.verdict}, {words}", err=bool(reports))
    click.echo(f"replayed {len(results)}: {same} the same, {len(results) - same} other", err=bool(reports))
    return exit_code(tuple(results))
