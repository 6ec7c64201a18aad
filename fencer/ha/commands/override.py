"""`fence-ha override`: lets power commands to silent hosts pass the limits."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, REASON, STATE, WHO, submit_request


@click.command(
    "override", epilog="\b\nExamples:\n  fence-ha override ha.yaml --hosts node1,node2 --reason 'rack 7 burns' --who alice"
)
@CONFIG
@click.option("--hosts", required=True, help="Host names, separated by commas.")
@REASON
@WHO
@STATE
@click.option("--wait", "seconds", default=30.0, show_default=True, help="Seconds to wait for the answer.")
def command(config: Path, hosts: str, reason: str, who: str, state: Path | None, seconds: float) -> None:
    """Lets power commands to silent hosts pass the limits (storm, min_healthy, max_fenced, witness), until they are well again.

    You say with it that these hosts are really dead, and not only hidden from the manager.
    """
    for host in dict.fromkeys(name.strip() for name in hosts.split(",") if name.strip()):
        submit_request(config, state, host, "override", {"who": who, "why": reason}, seconds, withdraw=True)
