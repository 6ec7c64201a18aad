"""`fence-ha count`: after a restore, says which VMs run on a host."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, JSON, STATE, OperatorRefused, opened, say


@click.command("count", epilog="\b\nExamples:\n  fence-ha count ha.yaml n1 --vm web --vm db\n  fence-ha count ha.yaml n2 --none")
@CONFIG
@HOST
@click.option("--vm", "vms", multiple=True, help="A VM that runs on HOST; repeat it for each.")
@click.option("--none", "is_empty", is_flag=True, help="No VM runs on HOST.")
@JSON
@STATE
def command(config: Path, host: str, vms: tuple[str, ...], is_empty: bool, json_lines: bool, state: Path | None) -> None:
    """After a restore: you have looked, and these VMs run on HOST. A VM that you leave out may be started a second time."""
    if bool(vms) == is_empty:
        raise OperatorRefused("give every VM that runs there with --vm, or --none")
    with opened(config, state) as (_, store):
        waiting = store.snapshot().reconciliation
        if not store.count_vms(host, list(vms), store.now()):
            names = ", ".join(waiting.hosts) if waiting else "none"
            raise OperatorRefused(f"the VMs of {host} are not to be counted; hosts that are: {names}")
        left = store.snapshot().reconciliation
    said = f"counted; still to be counted: {', '.join(left.hosts)}" if left else "counted; VMs may be started again"
    say(said, json_lines)
