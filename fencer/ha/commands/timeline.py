"""`fence-ha timeline`: prints the events that the store keeps."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, JSON, STATE, OperatorRefused, opened
from fencer.ha.event_lines import as_json, as_text
from fencer.ha.timeline_page import page
from fencer.ha.views import require_host


@click.command(
    "timeline",
    epilog="\b\nExamples:\n  fence-ha timeline ha.yaml --host node1\n  fence-ha timeline ha.yaml --after 120 --json\n"
    "  fence-ha timeline ha.yaml --html > timeline.html",
)
@CONFIG
@click.option("--host", help="Only this host.")
@click.option("--after", type=click.IntRange(min=0), default=0, metavar="SEQ", help="Only events with a greater seq.")
@click.option("--html", is_flag=True, help="One HTML page that needs no network.")
@JSON
@STATE
def command(config: Path, host: str | None, after: int, html: bool, json_lines: bool, state: Path | None) -> None:
    """Every state change, alert, VM start, power command and power read that is kept."""
    if html and json_lines:
        raise OperatorRefused("give only one of --html and --json")
    with opened(config, state) as (loaded, store):
        if host is not None:
            require_host(loaded, store, host)
        events = store.timeline(host, after)
    if html:
        click.echo(page(f"fence-ha, {loaded.part.cluster}{f', {host}' if host else ''}", events), nl=False)
        return
    for event in events:
        click.echo(as_json(event) if json_lines else as_text(event))
