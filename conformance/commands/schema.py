"""`fence-conformance schema`: the JSON Schemas of what users write."""

from __future__ import annotations

import json

import click

from conformance.scenario_files import schema

EXAMPLES = """
\b
Examples:
  fence-conformance schema scenario > scenario-1.schema.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("form", type=click.Choice(["scenario"]))
def command(form: str) -> None:
    """Prints the JSON Schema of a form, for editors."""
    click.echo(json.dumps(schema.schema(), indent=1))
