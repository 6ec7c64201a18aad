"""`fence-conformance explain`: what a word of a report means."""

from __future__ import annotations

import click

from conformance import explanations, selection
from conformance.completion import EXPLAINED
from conformance.report_options import OneSentence
from conformance.scenario_files import writing

EXAMPLES = """
\b
Examples:
  fence-conformance explain STATE-001 FENCE-2 STUCK
  fence-conformance explain STATE-001 --yaml > acme-001.yaml
"""


@click.command(epilog=EXAMPLES)
@click.argument("words", metavar="ID...", nargs=-1, required=True, type=EXPLAINED)
@click.option("--yaml", "yaml", is_flag=True, help="Scenarios as scenario/1, to start one of your own from.")
def command(words: tuple[str, ...], yaml: bool) -> None:
    """Tells what a word of a report means: a scenario, a requirement (FENCE-2), an invariant (G6), a verdict (STUCK)."""
    try:
        if yaml:
            click.echo("---\n".join(writing.text_of(each) for each in selection.pick_scenarios(words)), nl=False)
        else:
            click.echo("\n\n".join("\n".join(explanations.explain(word)) for word in selection.split(words)))
    except (selection.BadSelection, explanations.Unexplained, writing.NotPureData) as error:
        raise OneSentence(str(error)) from None
