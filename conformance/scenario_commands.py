"""The commands of `fence-conformance` about forms: `scenario lint`, `schema`, and the text for `explain --yaml`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import click

from conformance import selection
from conformance.report import report_schema
from conformance.report_options import OneSentence
from conformance.scenario_files import reading, schema, writing

SCHEMAS: Final[Mapping[str, Callable[[], dict[str, object]]]] = {"scenario": schema.schema, "report": report_schema.schema}


@click.group("scenario")
def scenario_group() -> None:
    """Scenarios of your own, as YAML files (scenario/1)."""


@scenario_group.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def lint(files: tuple[str, ...]) -> None:
    """Checks scenario files; every mistake is a line file:line:column. Ends with 2 where there is one."""
    try:
        read = reading.read_all(files)
    except reading.ScenarioFileError as error:
        raise Mistakes(str(error)) from None
    for each in read:
        click.echo(f"{each.id}: right")


@click.command("schema")
@click.argument("form", type=click.Choice(list(SCHEMAS)))
def print_schema(form: str) -> None:
    """Prints the JSON Schema of a form: of scenario files, for editors, or of the JSON report, for its readers."""
    click.echo(json.dumps(SCHEMAS[form](), indent=1))


class Mistakes(OneSentence):
    """Lines that begin with the place of a mistake, as editors and CI read them."""

    def show(self, file: object = None) -> None:
        click.echo(self.message, err=True)


def as_yaml(words: tuple[str, ...]) -> str:
    """The scenarios that these words name, as documents of the form scenario/1. Raises OneSentence for one that has none."""
    try:
        return "---\n".join(writing.text_of(each) for each in selection.pick_scenarios(words))
    except (selection.BadSelection, writing.NotPureData) as error:
        raise OneSentence(str(error)) from None
