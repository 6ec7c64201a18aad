"""`fence-ha confirm`: ends a fence on the word of an operator."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, REASON, STATE, WHO, submit_request


@click.command("confirm")
@CONFIG
@HOST
@click.option("--fence-id", required=True, help="The fence that is open (fence-ha status).")
@REASON
@WHO
@STATE
@click.option("--wait", "seconds", default=30.0, show_default=True, help="Seconds to wait for the answer.")
def command(config: Path, host: str, fence_id: str, reason: str, who: str, state: Path | None, seconds: float) -> None:
    """Manual fence: you have seen that HOST is off, and sign for it. Refused while its BMC says On.

    Its VMs are started elsewhere on your word. If the host runs after all, they run twice.
    """
    detail = {"fence_id": fence_id, "who": who, "why": reason}
    submit_request(config, state, host, "confirm", detail, seconds, withdraw=True)
