"""`fence-ha sample`: prints a configuration with every key and a comment for each."""

from __future__ import annotations

import sys
from importlib import resources

import click


@click.command("sample")
def command() -> None:
    """A configuration with every key and a comment for each."""
    sys.stdout.write(resources.files("fencer.ha").joinpath("sample.yaml").read_text(encoding="utf-8"))
