"""`fence-ha backup`: copies the store while managers work."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.backup import back_up
from fencer.ha.command_line import CONFIG, JSON, STATE, plain_errors, say
from fencer.ha.config import load_config


@click.command("backup", epilog="\b\nExample:\n  fence-ha backup ha.yaml ha-backup.db")
@CONFIG
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@JSON
@STATE
def command(config: Path, file: Path, json_lines: bool, state: Path | None) -> None:
    """Copies the state file to FILE, which must not exist. Managers may work meanwhile."""
    with plain_errors():
        back_up(state or load_config(config).state_file, file)
    say(f"{file} is a back-up of the store", json_lines)
