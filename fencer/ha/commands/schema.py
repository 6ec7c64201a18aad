"""`fence-ha schema`: the form of a configuration for editors."""

from __future__ import annotations

import json

import click

from fencelab_yaml.models import model_schema
from fencer.ha.config import ConfigPart

FORM_NAME = "fence-ha"


@click.command("schema")
def command() -> None:
    """The JSON Schema of a configuration, for editors; `check` checks more than a schema can say."""
    click.echo(json.dumps(model_schema(ConfigPart, FORM_NAME, "A configuration of fence-ha"), indent=1))
