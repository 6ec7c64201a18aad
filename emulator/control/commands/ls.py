"""`bmc-emulator ls`."""

from __future__ import annotations

import click

from emulator.control.commands.common import HEAD, as_json, bmc_lines, control, instance, say_json, table


@click.command("ls")
@instance
@as_json
def ls(instance: str | None, as_json: bool) -> None:
    """List the BMCs of a running emulator: their hosts' rails (the truth), and what they say."""
    with control(instance) as client:
        bmcs = list(client.bmcs())
        if as_json:
            say_json(bmcs)
        else:
            table(HEAD, (row for bmc in bmcs for row in bmc_lines(bmc)))
