"""`fence-ha vms`: shows all VMs; puts one under HA, moves one, takes one out."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, AnswerOptions, OperatorRefused, answer_options, opened, submit
from fencer.ha.views import StoreView, require_host, vm_views


@click.command(
    "vms",
    epilog="\b\nExamples:\n  fence-ha vms ha.yaml --host node1\n  fence-ha vms ha.yaml --add web2 --host node1 --apart web\n"
    "  fence-ha vms ha.yaml --move web2 --to node3\n  fence-ha vms ha.yaml --remove web2",
)
@CONFIG
@click.option("--host", help="Only the VMs of this host; with --add: it runs there already.")
@click.option("--add", "add", metavar="VM", help="Puts VM under HA. Without --host it is started.")
@click.option("--on-hosts", metavar="HOST,...", help="With --add: where it may be started, best first.")
@click.option("--priority", type=int, default=0, help="With --add: greater ones start first.")
@click.option("--system", is_flag=True, help="With --add: a system VM; they start before all others.")
@click.option("--apart", metavar="WORD", help="With --add: VMs with the same word never share a host.")
@click.option("--move", "move", metavar="VM", help="Stops VM and starts it on the host --to.")
@click.option("--to", metavar="HOST", help="With --move: the host.")
@click.option("--remove", "remove", metavar="VM", help="Takes VM out of HA; it goes on running.")
@answer_options("vm-add")
def command(
    config: Path,
    host: str | None,
    add: str | None,
    on_hosts: str | None,
    priority: int,
    system: bool,
    apart: str | None,
    move: str | None,
    to: str | None,
    remove: str | None,
    options: AnswerOptions,
) -> None:
    """One line for every VM: the only host on which it may run, its phase, and why it waits."""
    if sum(wish is not None for wish in (add, move, remove)) > 1:
        raise OperatorRefused("give only one of --add, --move and --remove")
    if (move is None) != (to is None):
        raise OperatorRefused("--move VM and --to HOST belong together")
    if add is not None:
        detail = {
            "host": host or "", "hosts": on_hosts or "", "priority": str(priority),
            "system": "true" if system else "false", "apart": apart or "",
        }  # fmt: skip
        submit(config, add, "vm-add", detail, options)
    elif move is not None:
        submit(config, move, "vm-move", {"to": to or ""}, options)
    elif remove is not None:
        submit(config, remove, "vm-remove", {}, options)
    else:
        with opened(config, options.state) as (loaded, store):
            if host is not None:
                require_host(loaded, store, host)
            rows = [row for row in vm_views(store) if host in (None, row["host"])]
        for row in rows:
            click.echo(json.dumps(row) if options.json_lines else _line(row))


def _line(row: StoreView) -> str:
    parts = [f"{row['vm']:<20} {row['phase']:<9} {row['host'] or '-':<12}"]
    if row["may_have_started"]:
        parts.append(f"may have been started on {row['host']}, so it is tried there only")
    if row["missing_since"]:
        parts.append(f"{row['host']} does not list it")
    if row["given_up"]:
        parts.append("given up")
    if row["reason"]:
        parts.append(str(row["reason"]))
    to_stop = row["to_stop_on"]
    if isinstance(to_stop, list) and to_stop:
        parts.append(f"still to be stopped on {', '.join(to_stop)}")
    return "; ".join(part.rstrip() for part in parts)
