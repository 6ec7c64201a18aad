"""`fence-ha status`: shows what is known of every host, and where every VM is."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, JSON, STATE, opened
from fencer.ha.states import host_status


@click.command("status")
@CONFIG
@JSON
@STATE
def command(config: Path, json_lines: bool, state: Path | None) -> None:
    """What is known of every host, and where every VM is."""
    with opened(config, state) as (_, store):
        clock, placements = store.clock(), store.placements()
        for name in store.hosts():
            record = store.load(name)
            fence = record.fence
            row = {
                "host": name, "state": str(record.state), "status": str(host_status(record.state)), "epoch": record.epoch,
                "owner": record.owner if record.lease_until > clock.now() else None,
                "fence_id": fence.id if fence else record.released, "phase": str(fence.phase) if fence else None,
                "attempts": fence.attempts if fence else 0, "error": record.last_error.text if record.last_error else None,
                "vms": [vm for vm, at in placements.items() if at == name],
            }  # fmt: skip
            click.echo(json.dumps(row) if json_lines else _status_line(row))
        waiting = [vm for vm, at in placements.items() if at is None]
        if waiting and not json_lines:
            click.echo(f"VMs without a host: {', '.join(waiting)}")


def _status_line(row: dict[str, object]) -> str:
    parts = [f"{row['host']:<12} {row['state']:<11} {row['status']:<13}"]
    parts.append(f"owner {row['owner'] or 'none'}")
    if row["phase"]:
        parts.append(f"fence {row['fence_id']} {row['phase']}, {row['attempts']} failed attempts")
    if row["error"]:
        parts.append(f"last error: {row['error']}")
    vms = row["vms"]
    parts.append(f"VMs: {', '.join(vms) if isinstance(vms, list) and vms else 'none'}")
    return "; ".join(parts)
