"""`fence-ha disable`: takes a host out of HA."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, STATE, submit_request


@click.command("disable")
@CONFIG
@HOST
@STATE
@click.option("--wait", "seconds", default=20.0, show_default=True, help="Seconds to wait for the answer.")
def command(config: Path, host: str, state: Path | None, seconds: float) -> None:
    """Takes HOST out of HA. A fence that is open is cancelled; nothing of it is committed any more."""
    submit_request(config, state, host, "disable", {}, seconds)
