"""`bmc-emulator remove`."""

from __future__ import annotations

import click

from emulator.control.commands.common import BMC, as_json, control, instance, say_json


@click.command("remove")
@click.argument("bmc", type=BMC)
@instance
@as_json
def remove(bmc: str, instance: str | None, as_json: bool) -> None:
    """Take a BMC and its hosts away: its ports close, its sessions end."""
    with control(instance) as client:
        client.remove(bmc)
        if as_json:
            say_json({"name": bmc})
