"""fence-conformance: play the catalogue of fencing scenarios to a fencer and judge it by the truth."""

from __future__ import annotations

import datetime
import json
import os
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from conformance import fencers, runner, selection, waivers
from conformance.adapters.reading import FencerFileError
from conformance.report import evidence, html, junit, model, terminal
from conformance.report.words import in_words
from conformance.result import exit_code
from conformance.scenario import Scenario
from conformance.scenarios import ALL, BY_ID
from profiles import loader

INTERRUPTED: Final = 130
USAGE: Final = 2
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


class OneSentence(click.ClickException):
    """A mistake of the user's: said once, no traceback."""

    exit_code = USAGE

    def show(self, file: object = None) -> None:
        click.echo(f"fence-conformance: {self.message}", err=True)


@click.group(epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(our_version(), prog_name="fence-conformance")
def cli() -> None:
    """Plays fencing scenarios to a fencer on emulated BMCs and judges it by what really happened to the host."""


@cli.command(epilog=EXAMPLES)
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
@click.option("--json", "json_file", metavar="FILE|-", help="Write the report as JSON; - is standard output.")
@click.option("--junit", "junit_file", metavar="FILE", help="Write JUnit XML.")
@click.option("--html", "html_file", metavar="FILE", help="Write the matrix as one self-contained page.")
@click.option("--waivers", "waivers_file", metavar="FILE", help="Known failures that are accepted, with a reason and an end.")
@click.option("--strict-waivers", is_flag=True, help="A waiver that is no longer needed ends the run with 6.")
@click.option("--evidence", "evidence_directory", metavar="DIR", help="Write journal and report of every finding there.")
def run(
    fencer_words: tuple[str, ...],
    profile_words: tuple[str, ...],
    scenario_words: tuple[str, ...],
    tier: int | None,
    jobs: int,
    seed: int,
    json_file: str | None,
    junit_file: str | None,
    html_file: str | None,
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
    for name in (json_file, junit_file, html_file):
        if name not in (None, "-"):
            _writable(Path(name))
    if evidence_directory is not None:
        _writable(Path(evidence_directory) / "finding")
    # With the JSON on standard output, people are spoken to on the other channel.
    console = Console(stderr=json_file == "-", highlight=False)
    with terminal.Watch(console, len(cells)) as watch:
        results = runner.run(cells, jobs=jobs, seed=seed, on_result=watch.add)
    results = waivers.apply(results, accepted, datetime.date.today())
    terminal.close(console, results)
    code = exit_code(results, strict_waivers=strict_waivers)
    _write(json_file, model.to_json(results, our_version(), seed, code))
    _write(junit_file, junit.to_junit(results, our_version(), seed))
    _write(html_file, html.page(results, our_version()))
    if evidence_directory is not None:
        try:
            evidence.write(results, Path(evidence_directory))
        except OSError as error:
            raise OneSentence(f"cannot write {evidence_directory}: {error.strerror}") from None
    return code


def _writable(file: Path) -> None:
    """Makes the directory of a file that is to be written. What cannot work is found out before a long run, not after it."""
    folder = file.absolute().parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OneSentence(f"cannot write {file}: {error.strerror}") from None
    if file.is_dir():
        raise OneSentence(f"cannot write {file}: it is a directory")
    if not os.access(file if file.exists() else folder, os.W_OK):
        raise OneSentence(f"cannot write {file}: permission denied")


def _write(name: str | None, content: str) -> None:
    if name is None:
        return
    if name == "-":
        click.echo(content, nl=False)
        return
    try:
        Path(name).write_text(content, encoding="utf-8")
    except OSError as error:
        raise OneSentence(f"cannot write {name}: {error.strerror}") from None


@cli.command("list")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def list_all(as_json: bool) -> None:
    """Shows scenarios, fencers and profiles."""
    if as_json:
        scenarios = [_brief(scenario) for scenario in ALL]
        click.echo(
            json.dumps({"scenarios": scenarios, "fencers": list(fencers.names()), "profiles": list(loader.names())}, indent=1)
        )
        return
    click.echo("scenarios")
    for scenario in ALL:
        click.echo(f"  {scenario.id:<10} tier {scenario.tier}  {scenario.title}")
    click.echo("fencers\n" + "\n".join(f"  {name}" for name in fencers.names()))
    click.echo("profiles\n" + "\n".join(f"  {name}" for name in loader.names()))


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
    if scenario_id.upper() not in BY_ID:
        try:
            selection.pick_scenarios((scenario_id,))
        except selection.BadSelection as error:
            raise OneSentence(str(error)) from None
        raise OneSentence(
            f"{scenario_id} is a group: explain takes one scenario, like {selection.pick_scenarios((scenario_id,))[0].id}"
        )
    click.echo("\n".join(_explanation(BY_ID[scenario_id.upper()])))


def _explanation(scenario: Scenario) -> list[str]:
    requirement = scenario.requirement
    adapters = f" (adapter {', '.join(sorted(scenario.adapters))} only)" if scenario.adapters else ""
    lines = [
        f"{scenario.id}  {scenario.title}",
        f"  tier         {scenario.tier}",
        f"  requirement  {requirement.id}: {requirement.sentence}",
        f"  clause       {requirement.source}",
        f"  seen in      {scenario.source}",
        f"  protocol     {scenario.protocol or 'either, Redfish first'}{adapters}",
        "  given",
        *(f"    - {given.sentence} [{given.origin}]" for given in scenario.given),
        "  asked, and expected",
    ]
    for step in scenario.steps:
        words = ", ".join(in_words(expectation) for expectation in step.expect)
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
