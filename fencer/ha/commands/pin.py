"""`fence-ha pin`: says that the machine behind a BMC was replaced."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, REASON, STATE, WHO, submit_request


@click.command("pin", epilog="\b\nExamples:\n  fence-ha pin ha.yaml node1 --reason 'new system board'")
@CONFIG
@HOST
@REASON
@WHO
@STATE
@click.option("--wait", "seconds", default=30.0, show_default=True, help="Seconds to wait for the answer.")
def command(config: Path, host: str, reason: str, who: str, state: Path | None, seconds: float) -> None:
    """The machine or board of HOST was replaced: what its BMC shows next is pinned as its identity."""
    submit_request(config, state, host, "pin", {"who": who, "why": reason}, seconds, withdraw=True)
