"""`fence-ha enable`: puts a host under HA."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, STATE, WAIT, submit_request


@click.command("enable")
@CONFIG
@HOST
@STATE
@WAIT
def command(config: Path, host: str, state: Path | None, seconds: float) -> None:
    """Puts HOST under HA; lets a host in again that was Down and answers."""
    submit_request(config, state, host, "enable", {}, seconds)
