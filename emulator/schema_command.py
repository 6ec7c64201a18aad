"""`bmc-emulator schema`: the forms of the files that users write, for editors."""

from __future__ import annotations

import json
from typing import Final

import click

FORMS: Final = ("profile", "rack", "fault")


@click.command("schema")
@click.argument("form", type=click.Choice(FORMS))
def schema_command(form: str) -> None:
    """Print the JSON Schema of a profile, a rack file or a fault, for editors.

    \b
    Example:
      bmc-emulator schema rack > rack-1.schema.json
    """
    if form == "fault":
        from emulator.faults.model import schema

        click.echo(json.dumps(schema(), indent=1))
    elif form == "rack":
        from emulator.rack_form import RACK

        click.echo(RACK.text(), nl=False)
    else:
        from profiles.schema import text

        click.echo(text(), nl=False)
