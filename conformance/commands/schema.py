"""`fence-conformance schema`: the JSON Schemas of what users write, and of what they read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Final

import click

from conformance.adapters.registry import REGISTRY
from conformance.fencer_forms import whole
from conformance.report import report_schema
from conformance.scenario_files import schema
from conformance.waiver_form import WAIVERS

SCHEMAS: Final[Mapping[str, Callable[[], dict[str, object]]]] = {
    "fencer": lambda: whole.schema(REGISTRY.all.values()),
    "scenario": schema.schema,
    "waivers": WAIVERS.schema,
    "report": report_schema.schema,
}
EXAMPLES = """
\b
Examples:
  fence-conformance schema fencer > fencer.schema.json
  fence-conformance schema scenario > scenario-1.schema.json
  fence-conformance schema waivers > waivers.schema.json
  fence-conformance schema report > conformance-1.schema.json
"""


@click.command(epilog=EXAMPLES)
@click.argument("form", type=click.Choice(list(SCHEMAS)))
def command(form: str) -> None:
    """Prints the JSON Schema of a form: of fencer, scenario or waiver files for editors, of the JSON report for its readers."""
    click.echo(json.dumps(SCHEMAS[form](), indent=1))
