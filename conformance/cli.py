"""fence-conformance: play the catalogue of fencing scenarios to a fencer and judge it by the truth."""

from __future__ import annotations

import datetime
import json
import signal
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click
from rich.console import Console

import fencelab_plugins
from conformance import fencers, report_options, runner, scenarios, selection, waivers
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
  fence-conformance explain STATE-001

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
@click.option("--tier", type=click.IntRange(0, 2), default=None, help="Only scenarios up to this tier; 0 is the gate.")
@click.option("--jobs", type=click.IntRange(1, 256), default=8, show_default=True, help="Scenarios at a time.")
@click.option("--seed", type=int, default=0, show_default=True, help="For everything that is drawn.")
@click.option("--waivers", "waivers_file", metavar="FILE", help="Known failures that are accepted, with a reason and an end.")
@click.option("--strict-waivers", is_flag=True, help="A waiver that is no longer needed ends the run with 6.")
@click.option("--evidence", "evidence_directory", metavar="DIR", help="Write journal and report of every finding there.")
@click.pass_context
def run(
    context: click.Context,
    fencer_words: tuple[str, ...],
    profile_words: tuple[str, ...],
    scenario_words: tuple[str, ...],
    tier: int | None,
    jobs: int,
    seed: int,
    evidence_directory: str | None,
    waivers_file: str | None,
    strict_waivers: bool,
) -> int:
    """Tests fencers on profiles."""
    try:
        cells = runner.matrix(
            selection.pick_fencers(fencer_words),
            selection.pick_profiles(profile_words),
            selection.pick_scenarios(scenario_words, tier),
        )
        accepted = waivers.read(Path(waivers_file)) if waivers_file is not None else ()
    except (selection.BadSelection, FencerFileError) as error:
        raise OneSentence(str(error)) from None
    if not cells:
        raise OneSentence("nothing to run: the selection is empty")
    reports = report_options.wanted(context)
    for name in reports.values():
        if name != report_options.STDOUT:
            report_options.check_writable(Path(name))
    if evidence_directory is not None:
        report_options.check_writable(Path(evidence_directory) / "finding")
    _warn(selection.left_out(scenario_words))
    # With a report on standard output, people are spoken to on the other channel.
    console = Console(stderr=report_options.STDOUT in reports.values(), highlight=False)
    with terminal.Watch(console, len(cells)) as watch:
        results = runner.run(cells, jobs=jobs, seed=seed, on_result=watch.add)
    results = waivers.apply(results, accepted, datetime.date.today())
    terminal.close(console, results)
    code = exit_code(results, strict_waivers=strict_waivers)
    finished = report.FinishedRun(results=results, version=our_version(), seed=seed, exit_code=code)
    for each, name in reports.items():
        report_options.write(each, finished, name)
    if evidence_directory is not None:
        try:
            evidence.write(results, Path(evidence_directory))
        except OSError as error:
            raise OneSentence(f"cannot write {evidence_directory}: {error.strerror}") from None
    return code


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


def _brief(scenario: Scenario) -> dict[str, str | int | None]:
    return {
        "id": scenario.id,
        "tier": scenario.tier,
        "title": scenario.title,
        "requirement": scenario.requirement.sentence,
        "level": scenario.requirement.level.value,
        "protocol": scenario.protocol.value if scenario.protocol else None,
        "source": scenario.source,
    }


@cli.command()
@click.argument("scenario_id", metavar="ID")
def explain(scenario_id: str) -> None:
    """Tells what a scenario does, what it requires and why."""
    scenario = scenarios.REGISTRY.get(scenario_id.upper())
    if scenario is None:
        try:
            chosen = selection.pick_scenarios((scenario_id,))
        except selection.BadSelection as error:
            raise OneSentence(str(error)) from None
        raise OneSentence(f"{scenario_id} is a group: explain takes one scenario, like {chosen[0].id}")
    click.echo("\n".join(_explanation(scenario)))


def _explanation(scenario: Scenario) -> list[str]:
    requirement = scenario.requirement
    only = f" (adapter {', '.join(adapters.following(scenario.convention))} only)" if scenario.convention is not None else ""
    lines = [
        f"{scenario.id}  {scenario.title}",
        f"  tier         {scenario.tier}",
        f"  requirement  {requirement.id}: {requirement.sentence}",
        f"  clause       {requirement.source}",
        f"  seen in      {scenario.source}",
        f"  protocol     {scenario.protocol or 'either, Redfish first'}{only}",
        "  given",
        *(f"    - {given.sentence} [{given.origin}]" for given in scenario.given),
        "  asked, and expected",
    ]
    for step in scenario.steps:
        words = ", ".join(expectation.phrase() for expectation in step.expect)
        lines.append(f"    - {step.ask} of {step.bmc}: {words}{' (if it can)' if step.optional else ''}")
    return lines


def main() -> None:
    """The program. Usage errors exit 2, Ctrl-C exits 130."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # no fencer may outlive the suite
    try:
        code = cli.main(standalone_mode=False, prog_name="fence-conformance")
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("fence-conformance: stopped; every fencer has been ended, no report is written", err=True)
        code = INTERRUPTED
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
