"""`bmc-emulator stop`."""

from __future__ import annotations

import click

from emulator.control.commands.common import as_json, control, instance, say_json


@click.command("stop")
@instance
@as_json
def stop(instance: str | None, as_json: bool) -> None:
    """End a running emulator, as Ctrl-C does."""
    with control(instance) as client:
        client.stop()
        if as_json:
            say_json({"stopping": True})
