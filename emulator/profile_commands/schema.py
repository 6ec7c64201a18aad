"""`bmc-emulator profile schema`: the form of a profile for editors."""

from __future__ import annotations

import click


@click.command()
def schema() -> None:
    """Print the JSON Schema of a profile, for editors; `profile lint` checks more than a schema can say."""
    from profiles import schema as form

    click.echo(form.text(), nl=False)
