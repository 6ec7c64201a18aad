"""`fence-conformance run`: tests fencers on profiles."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance import cluster_option, report_options, running_order, selection, shard, waivers
from conformance.adapters.reading import FencerFileError
from conformance.completion import CATALOGUES, FENCERS, PROFILES, SCENARIOS
from conformance.report_options import OneSentence

if TYPE_CHECKING:
    from conformance.runner import MatrixCell

MOST_REPEATS = 1000
NOTHING_RAN = 4
EXAMPLES = """
\b
Examples:
  fence-conformance run --fencer fence_redfish --profile dell-idrac9
  fence-conformance run --fencer ./my-agent.yaml --profile all --tier 0 --junit junit.xml
  fence-conformance run --fencer ipmitool --profile all --scenario STATE,IPMI-002
  fence-conformance run --fencer ./my-agent.yaml --scenario-file acme-001.yaml
  fence-conformance run --fencer ./my-agent.yaml --shard 2/4 --json part-2.json
  fence-conformance run --fencer ./my-agent.yaml --only-failed last.json --repeat 5 --rate
  fence-conformance run --fencer ./my-agent.yaml --cluster tcp://scheduler:8786

\b
Exit codes:
  0  the gate passed            1  findings, none of them UNSAFE
  2  usage or configuration     3  at least one UNSAFE
  4  this machine lacks what was asked for, or nothing ran
  5  the suite itself failed    6  a waiver is stale (--strict-waivers)
  130  Ctrl-C
"""


class NothingToRun(OneSentence):
    """What was asked for is right, and there is nothing to do: never a pass."""

    exit_code = NOTHING_RAN


def _shard(ctx: click.Context, option: click.Parameter, text: str | None) -> shard.Shard | None:
    if text is None:
        return None
    try:
        return shard.parse(text)
    except ValueError as error:
        raise OneSentence(f"--shard: {error}") from None


@click.command(cls=report_options.ReportingCommand, epilog=EXAMPLES)
@click.option(
    "--fencer",
    "fencer_words",
    multiple=True,
    required=True,
    type=FENCERS,
    metavar="NAME|FILE.yaml[,...]",
    help="Whom to test: a built-in name or a fencer file.",
)
@click.option(
    "--profile",
    "profile_words",
    multiple=True,
    default=selection.USUAL_PROFILES,
    show_default=True,
    type=PROFILES,
    metavar="P[,P...]|all",
    help="On which BMCs: names or files of profiles.",
)
@click.option(
    "--scenario",
    "scenario_words",
    multiple=True,
    type=SCENARIOS,
    metavar="ID|GROUP[,...]",
    help="Only these; all without it.",
)
@click.option(
    "--scenario-file",
    "scenario_files",
    multiple=True,
    type=click.Path(),
    metavar="FILE",
    help="A scenario of yours; alone or with --scenario.",
)
@click.option("--tier", type=click.IntRange(0, 2), default=None, help="Only scenarios up to this tier; 0 is the gate.")
@click.option(
    "--only-failed",
    "failed_file",
    type=click.Path(),
    metavar="FILE",
    help="Only cells that failed, or were not run, in a report of --json.",
)
@click.option("--shard", "part", callback=_shard, metavar="I/N", help="Only part I of N: for N machines that share the work.")
@click.option(
    "--repeat",
    type=click.IntRange(1, MOST_REPEATS),
    default=1,
    show_default=True,
    metavar="N",
    help="Play each cell N times: FLAKY where verdicts differ, UNSAFE where one is.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, running_order.MOST_JOBS),
    default=None,
    help="Scenarios at a time; else 8 for each processor core.",
)
@click.option("--cluster", "scheduler", metavar=cluster_option.METAVAR, help="Hand the cells to a scheduler of dask.distributed.")
@click.option("--seed", type=int, default=0, show_default=True, help="For everything that is drawn.")
@click.option(
    "--waivers",
    "waivers_file",
    type=click.Path(),
    metavar="FILE",
    help="Known failures that are accepted, with a reason and an end.",
)
@click.option("--strict-waivers", is_flag=True, help="A waiver that is no longer needed ends the run with 6.")
@click.option("--strict", is_flag=True, help="A broken SHOULD is a finding too, and fails the gate.")
@click.option(
    "--catalogue",
    "catalogue_name",
    type=CATALOGUES,
    metavar="NAME",
    help="Which scenarios count; else as the fencer's file says, else the newest.",
)
@click.option("--rate", is_flag=True, help="Say at the end how many of how many passed, and how many cells a second.")
@click.option(
    "--evidence",
    "evidence_directory",
    type=click.Path(file_okay=False),
    metavar="DIR",
    help="Write journal, traffic and report of every finding there; see replay.",
)
@click.pass_context
def command(
    context: click.Context,
    fencer_words: tuple[str, ...],
    profile_words: tuple[str, ...],
    scenario_words: tuple[str, ...],
    scenario_files: tuple[str, ...],
    tier: int | None,
    failed_file: str | None,
    part: shard.Shard | None,
    repeat: int,
    jobs: int | None,
    scheduler: str | None,
    seed: int,
    evidence_directory: str | None,
    waivers_file: str | None,
    strict_waivers: bool,
    strict: bool,
    catalogue_name: str | None,
    rate: bool,
) -> int:
    """Tests fencers on profiles."""
    cluster_option.check(scheduler, jobs)
    try:
        chosen = selection.pick_every_scenario(scenario_words, scenario_files, tier)
        tested, profiles = selection.pick_fencers(fencer_words), selection.pick_profiles(profile_words)
        catalogue = selection.pick_catalogue(catalogue_name)
        accepted = waivers.read(Path(waivers_file), [each.id for each in chosen]) if waivers_file is not None else ()
    except (selection.BadSelection, FencerFileError) as error:
        raise OneSentence(str(error)) from None
    from conformance import reported_run, runner  # brings the emulator, half of the time to start; only runs need it

    cells = runner.matrix(tested, profiles, chosen)
    if not cells:
        raise OneSentence("nothing to run: the selection is empty")
    if failed_file is not None:
        cells = _failed(cells, Path(failed_file))
    if part is not None:
        cells = tuple(c for c in cells if part.holds(c.definition.name, c.profile.id, c.scenario.id))
    report_options.warn(selection.left_out(scenario_words) if scenario_words or not scenario_files else ())
    return reported_run.carry_out(
        cells,
        options=runner.RunOptions(seed=seed, strict=strict, catalogue=catalogue, repeat=repeat),
        output=reported_run.RunOutput(
            reports=report_options.wanted(context),
            evidence=None if evidence_directory is None else Path(evidence_directory),
            rate=rate,
        ),
        where=reported_run.RunPlace(jobs=jobs, scheduler=scheduler),
        gate=reported_run.GateTerms(
            waivers=accepted, today=datetime.date.today(), strict_waivers=strict_waivers, is_part=part is not None
        ),
    ).exit_code


def _failed(cells: tuple[MatrixCell, ...], file: Path) -> tuple[MatrixCell, ...]:
    """Those of the cells that a report calls failed or not run. Raises OneSentence, NothingToRun."""
    from conformance import report_file

    try:
        found = report_file.read_report(file)
    except report_file.ReportUnreadable as error:
        raise OneSentence(str(error)) from None
    wanted = {str(cell.name) for cell in found.results if cell.verdict.fails_gate} | set(found.not_run)
    if not wanted:
        raise NothingToRun(f"nothing to run: every cell of {file} passed")
    kept = tuple(c for c in cells if str(report_file.CellName(c.definition.name, c.profile.id, c.scenario.id)) in wanted)
    if not kept:
        raise OneSentence(f"nothing to run: {len(wanted)} cells of {file} failed, and the selection holds none of them")
    return kept
