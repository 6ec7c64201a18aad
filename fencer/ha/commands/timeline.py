"""`fence-ha timeline`: prints the events that the store keeps."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, JSON, STATE, opened
from fencer.ha.event_lines import as_json, as_text


@click.command("timeline")
@CONFIG
@click.option("--host", help="Only this host.")
@JSON
@STATE
def command(config: Path, host: str | None, json_lines: bool, state: Path | None) -> None:
    """Every state change, alert, VM start, power command and power read that is kept."""
    with opened(config, state) as (_, store):
        for event in store.timeline(host):
            click.echo(as_json(event) if json_lines else as_text(event))
