"""`fence-conformance scenario`: the user's own scenario files."""

from __future__ import annotations

import click

from conformance.report_options import OneSentence
from conformance.scenario_files import reading

EXAMPLES = """
\b
Examples:
  fence-conformance scenario lint acme-*.yaml
"""


class Mistakes(OneSentence):
    """Lines that begin with the place of a mistake, as editors and CI read them."""

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


@click.group("scenario", epilog=EXAMPLES)
def command() -> None:
    """Scenarios of your own, as YAML files (scenario/1)."""


@command.command(epilog=EXAMPLES)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path())
def lint(files: tuple[str, ...]) -> None:
    """Checks scenario files; every mistake is a line file:line:column. Ends with 2 where there is one."""
    try:
        read = reading.read_all(files)
    except reading.ScenarioFileError as error:
        raise Mistakes(str(error)) from None
    for each in read:
        click.echo(f"{each.id}: right")
