"""`fence-ha hosts`: shows all that is known of the hosts: state, fence, evidence, the last alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, JSON, STATE, opened
from fencer.ha.views import StoreView, host_view, host_views, level_text


@click.command("hosts", epilog="\b\nExamples:\n  fence-ha hosts ha.yaml\n  fence-ha hosts ha.yaml node1 --json")
@CONFIG
@click.argument("names", nargs=-1, metavar="[HOST]...")
@JSON
@STATE
def command(config: Path, names: tuple[str, ...], json_lines: bool, state: Path | None) -> None:
    """All that is known of every HOST, or of all hosts: state, fence, evidence, the last alerts."""
    with opened(config, state) as (loaded, store):
        rows = [host_view(loaded, store, name) for name in names] if names else host_views(loaded, store)
    for row in rows:
        click.echo(json.dumps(row) if json_lines else "\n".join(_lines(row)))


def _lines(row: StoreView) -> Iterator[str]:
    yield f"{row['host']}: {row['state'] or 'no manager has taken it up yet'}" + (f", {row['status']}" if row["status"] else "")
    if not row["in_file"]:
        yield "  not in the configuration any more"
    yield f"  manager: {row['owner'] or 'none'}"
    if row["fence_id"]:
        phase = f", {row['phase']}, {row['attempts']} failed attempts" if row["phase"] else ""
        yield f"  fence: {row['fence_id']}{level_text(row)}{phase}"
    if row["error"]:
        yield f"  last error: {row['error']}"
    for key, value in _pairs(row["evidence"]):
        yield f"  evidence: {key} {_moment(value) if key.endswith('_at') else _words(value)}"
    for alert in _list(row["alerts"])[-5:]:
        if isinstance(alert, dict):
            yield f"  alert: {_moment(alert['t'])} {alert['alert']}: {alert['text']}"
    yield f"  VMs: {', '.join(map(str, _list(row['vms']))) or 'none'}"


def _pairs(value: object) -> list[tuple[str, object]]:
    return list(value.items()) if isinstance(value, dict) else []


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(value: object) -> str:
    return datetime.fromtimestamp(value).strftime("%Y-%m-%d %H:%M:%S") if isinstance(value, int | float) else str(value)
