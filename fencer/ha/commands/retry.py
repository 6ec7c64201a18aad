"""`fence-ha retry`: tries a VM now that waits, failed or was given up."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, STATE, WAIT, submit_vm_request


@click.command("retry", epilog="\b\nExamples:\n  fence-ha retry ha.yaml web1")
@CONFIG
@click.argument("vm")
@STATE
@WAIT
def command(config: Path, vm: str, state: Path | None, seconds: float) -> None:
    """Tries VM now: its pause ends, refusals are forgotten, and a VM that was given up gets all its restarts again.

    A VM that its host does not list is started, on your word that it runs nowhere else. A start of which nobody knows whether
    it worked is repeated on the same host only.
    """
    submit_vm_request(config, state, "vm-retry", {"vm": vm}, seconds)
