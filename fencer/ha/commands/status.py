"""`fence-ha status`: shows one line for every host, and the VMs that wait for one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, JSON, STATE, opened
from fencer.ha.views import StoreView, host_views, level_text, vm_views


@click.command("status", epilog="\b\nExamples:\n  fence-ha status ha.yaml\n  fence-ha status ha.yaml --json")
@CONFIG
@JSON
@STATE
def command(config: Path, json_lines: bool, state: Path | None) -> None:
    """One line for every host: its state, its manager, its fence, its VMs. Then the VMs that wait for a host."""
    with opened(config, state) as (loaded, store):
        uncounted = store.snapshot().reconciliation
        rows, waiting = host_views(loaded, store), [str(vm["vm"]) for vm in vm_views(store) if vm["host"] is None]
    for row in rows:
        click.echo(json.dumps(row) if json_lines else _line(row))
    if waiting and not json_lines:
        click.echo(f"VMs without a host: {', '.join(waiting)}")
    if uncounted and not json_lines:
        hosts = ", ".join(uncounted.hosts)
        click.echo(f"no VM is started before the VMs of these hosts are counted: {hosts} (fence-ha count)")


def _line(row: StoreView) -> str:
    parts = [f"{row['host']:<12} {row['state'] or '-':<11} {row['status'] or '-':<13}", f"owner {row['owner'] or 'none'}"]
    if not row["in_file"]:
        parts.append("not in the configuration any more")
    if row["phase"]:
        parts.append(f"fence {row['fence_id']} {row['phase']}{level_text(row)}, {row['attempts']} failed attempts")
    elif row["state"] == "Fenced" and level_text(row):
        parts.append(f"fenced{level_text(row)}")
    if row["error"]:
        parts.append(f"last error: {row['error']}")
    parts.append(f"fencing: {row['fencing']}")
    notes = row["remarks"]
    if isinstance(notes, list) and notes:
        parts.append(", ".join(notes).upper())
    vms = row["vms"]
    parts.append(f"VMs: {', '.join(vms) if isinstance(vms, list) and vms else 'none'}")
    return "; ".join(parts)
