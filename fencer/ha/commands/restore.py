"""`fence-ha restore`: puts a back-up in the place of the store."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.backup import restore
from fencer.ha.command_line import CONFIG, JSON, STATE, plain_errors, say
from fencer.ha.config import load_config


@click.command("restore", epilog="\b\nExample:\n  fence-ha restore ha.yaml ha-backup.db")
@CONFIG
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@JSON
@STATE
def command(config: Path, file: Path, json_lines: bool, state: Path | None) -> None:
    """Puts the back-up FILE in the place of the state file. Stop all managers first; while one has a lease this is refused.

    Nobody knows what happened after the back-up was made. So no VM is started before it is known for every host which VMs run
    there: agents that list their VMs say so by themselves; for other hosts use `fence-ha count`.
    """
    with plain_errors():
        restore(file, state or load_config(config).state_file)
    say("restored; no VM is started before the VMs of every host are counted (fence-ha count)", json_lines)
