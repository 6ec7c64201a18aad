"""fence-conformance: play the catalogue of fencing scenarios to a fencer and judge it by the truth."""

from __future__ import annotations

import datetime
import json
import signal
import sys
import time
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click
from rich.console import Console

import fencelab_plugins
from conformance import (
    catalogues,
    explanations,
    fencers,
    report_options,
    running_order,
    scenario_commands,
    scenarios,
    selection,
    waivers,
)
from conformance.adapters import registry as adapters
from conformance.adapters.reading import FencerFileError
from conformance.report import evidence, report, terminal
from conformance.report_options import OneSentence
from conformance.result import exit_code
from conformance.scenario import Scenario
from profiles import loader

INTERRUPTED: Final = 130
EXAMPLES: Final = """
\b
Examples:
  fence-conformance run --fencer fence_redfish --profile dell-idrac9
  fence-conformance run --fencer ./my-agent.yaml --profile all --tier 0 --junit junit.xml
  fence-conformance run --fencer ipmitool --profile all --scenario STATE,IPMI-002
  fence-conformance run --fencer ./my-agent.yaml --scenario-file acme-001.yaml
  fence-conformance explain STATE-001 FENCE-2 STUCK
  fence-conformance explain STATE-001 --yaml

\b
Exit codes of run:
  0  the gate passed            1  findings, none of them UNSAFE
  2  usage or configuration     3  at least one UNSAFE
  4  this machine lacks what was asked for, or nothing ran
  5  the suite itself failed    6  a waiver is stale (--strict-waivers)
  130  Ctrl-C
"""


def our_version() -> str:
    try:
        return version("fencelab")
    except PackageNotFoundError:
        return "not installed"


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(our_version(), prog_name="fence-conformance")
def cli() -> None:
    """Plays fencing scenarios to a fencer on emulated BMCs and judges it by what really happened to the host."""


@cli.command(cls=report_options.ReportingCommand, epilog=EXAMPLES)
@click.option(
    "--fencer",
    "fencer_words",
    multiple=True,
    required=True,
    metavar="NAME|FILE.yaml[,...]",
    help="Whom to test: a built-in name or a fencer file.",
)
@click.option(
    "--profile",
    "profile_words",
    multiple=True,
    default=("all",),
    show_default=True,
    metavar="P[,P...]|all",
    help="On which BMCs: names or files of profiles.",
)
@click.option("--scenario", "scenario_words", multiple=True, metavar="ID|GROUP[,...]", help="Only these; all without it.")
@click.option(
    "--scenario-file", "scenario_files", multiple=True, metavar="FILE", help="A scenario of yours; alone or with --scenario."
)
@click.option("--tier", type=click.IntRange(0, 2), default=None, help="Only scenarios up to this tier; 0 is the gate.")
@click.option(
    "--jobs",
    type=click.IntRange(1, running_order.MOST_JOBS),
    default=None,
    help="Scenarios at a time; else 8 for each processor core.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For everything that is drawn.")
@click.option("--waivers", "waivers_file", metavar="FILE", help="Known failures that are accepted, with a reason and an end.")
@click.option("--strict-waivers", is_flag=True, help="A waiver that is no longer needed ends the run with 6.")
@click.option("--strict", is_flag=True, help="A broken SHOULD is a finding too, and fails the gate.")
@click.option(
    "--catalogue",
    "catalogue_name",
    metavar="NAME",
    help="Which scenarios count; else as the fencer's file says, else the newest.",
)
@click.option("--evidence", "evidence_directory", metavar="DIR", help="Write journal, traffic and report of every finding there.")
@click.pass_context
def run(
    context: click.Context,
    fencer_words: tuple[str, ...],
    profile_words: tuple[str, ...],
    scenario_words: tuple[str, ...],
    scenario_files: tuple[str, ...],
    tier: int | None,
    jobs: int | None,
    seed: int,
    evidence_directory: str | None,
    waivers_file: str | None,
    strict_waivers: bool,
    strict: bool,
    catalogue_name: str | None,
) -> int:
    """Tests fencers on profiles."""
    try:
        chosen = selection.pick_every_scenario(scenario_words, scenario_files, tier)
        tested, profiles = selection.pick_fencers(fencer_words), selection.pick_profiles(profile_words)
        catalogue = selection.pick_catalogue(catalogue_name)
        accepted = waivers.read(Path(waivers_file), [each.id for each in chosen]) if waivers_file is not None else ()
    except (selection.BadSelection, FencerFileError) as error:
        raise OneSentence(str(error)) from None
    from conformance import runner  # brings the emulator, half of the time to start; nothing above and no other command needs it

    cells = runner.matrix(tested, profiles, chosen)
    if not cells:
        raise OneSentence("nothing to run: the selection is empty")
    reports = report_options.wanted(context)
    for name in reports.values():
        if name != report_options.STDOUT:
            report_options.check_writable(Path(name))
    if evidence_directory is not None:
        report_options.check_writable(Path(evidence_directory) / "finding")
    _warn(selection.left_out(scenario_words) if scenario_words or not scenario_files else ())
    # With a report on standard output, people are spoken to on the other channel.
    console = Console(stderr=report_options.STDOUT in reports.values(), highlight=False)
    options = runner.RunOptions(seed=seed, strict=strict, catalogue=catalogue)
    not_run: tuple[str, ...] = ()
    interrupted = False
    started, began = datetime.datetime.now(datetime.UTC), time.monotonic()
    with terminal.Watch(console, len(cells)) as watch:
        try:
            results = runner.run(cells, jobs=jobs, options=options, on_result=watch.add)
        except runner.RunInterrupted as stopped:
            interrupted, results = True, stopped.results
            not_run = tuple(f"{cell.definition.name} x {cell.profile.id} {cell.scenario.id}" for cell in stopped.not_run)
    results = waivers.apply(results, accepted, datetime.date.today())
    terminal.close(console, results)
    if interrupted:
        click.echo(f"fence-conformance: stopped; every fencer has been ended, {len(not_run)} cells were not run", err=True)
    finished = report.FinishedRun(
        results=results,
        version=our_version(),
        seed=seed,
        exit_code=INTERRUPTED if interrupted else exit_code(results, strict_waivers=strict_waivers),
        catalogue=", ".join(dict.fromkeys(runner.catalogue_of(cell.definition, options).name for cell in cells)),
        strict=strict,
        strict_waivers=strict_waivers,
        interrupted=interrupted,
        not_run=not_run,
        started=started,
        seconds=time.monotonic() - began,
    )
    for each, name in reports.items():
        report_options.write(each, finished, name)
    if evidence_directory is not None:
        try:
            evidence.write(results, Path(evidence_directory), our_version())
        except OSError as error:
            raise OneSentence(f"cannot write {evidence_directory}: {error.strerror}") from None
    return finished.exit_code


def _warn(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        click.echo(f"fence-conformance: warning: {sentence}", err=True)


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_all(as_json: bool) -> None:
    """Shows scenarios, fencers, profiles, adapters and reports, those of plug-ins too."""
    faults = fencelab_plugins.load("fencelab.faults")  # a fault registers itself; nothing is listed of them here
    every = scenarios.REGISTRY.all.values()
    reports = report.REGISTRY.all
    if as_json:
        found = {
            "scenarios": [_brief(scenario) for scenario in every],
            "fencers": list(fencers.names()),
            "profiles": list(loader.names()),
            "adapters": list(adapters.REGISTRY.all),
            "reports": list(reports),
            "catalogues": list(catalogues.ALL),
        }
        click.echo(json.dumps(found, indent=1))
    else:
        click.echo("scenarios")
        for scenario in every:
            click.echo(f"  {scenario.id:<10} tier {scenario.tier}  {scenario.title}")
        click.echo("fencers\n" + "\n".join(f"  {name}" for name in fencers.names()))
        click.echo("profiles\n" + "\n".join(f"  {name}" for name in loader.names()))
        click.echo("adapters\n" + "\n".join(f"  {name}" for name in adapters.REGISTRY.all))
        click.echo("reports\n" + "\n".join(f"  {r.name:<10} {r.suffix:<6} {r.help}" for r in reports.values()))
    for group in (scenarios.REGISTRY.broken, adapters.REGISTRY.broken, report.REGISTRY.broken, map(str, faults.broken)):
        _warn(group)


def _brief(scenario: Scenario) -> dict[str, str | int | bool | None]:
    return {
        "id": scenario.id,
        "tier": scenario.tier,
        "title": scenario.title,
        "requirement": scenario.requirement.sentence,
        "level": scenario.requirement.level.value,
        "informational": catalogues.is_informational(scenario, catalogues.NEWEST),
        "protocol": scenario.protocol.value if scenario.protocol else None,
        "source": scenario.source,
    }


@cli.command()
@click.argument("words", metavar="ID...", nargs=-1, required=True)
@click.option("--yaml", "yaml", is_flag=True, help="Scenarios as scenario/1, to start one of your own from.")
def explain(words: tuple[str, ...], yaml: bool) -> None:
    """Tells what a word of a report means: a scenario, a requirement (FENCE-2), an invariant (G6), a verdict (STUCK)."""
    if yaml:
        click.echo(scenario_commands.as_yaml(words), nl=False)
        return
    try:
        told = ["\n".join(explanations.explain(word)) for word in selection.split(words)]
    except (selection.BadSelection, explanations.Unexplained) as error:
        raise OneSentence(str(error)) from None
    click.echo("\n\n".join(told))


cli.add_command(scenario_commands.scenario_group)
cli.add_command(scenario_commands.print_schema)


def main() -> None:
    """The program. Usage errors exit 2, Ctrl-C exits 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # no fencer may outlive the suite
    try:
        code = cli.main(standalone_mode=False, prog_name="fence-conformance")
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("fence-conformance: stopped; every fencer has been ended", err=True)
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
