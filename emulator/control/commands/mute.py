"""`bmc-emulator mute` and `unmute`."""

from __future__ import annotations

import click

from emulator.control.commands.common import BMC, as_json, control, instance, say_json


@click.command("mute")
@click.argument("bmc", type=BMC)
@instance
@as_json
def mute(bmc: str, instance: str | None, as_json: bool) -> None:
    """Let the network swallow everything that is sent to a BMC, as if its cable were out. Its hosts go on."""
    _set(bmc, True, instance, as_json)


@click.command("unmute")
@click.argument("bmc", type=BMC)
@instance
@as_json
def unmute(bmc: str, instance: str | None, as_json: bool) -> None:
    """Let a muted BMC be reached again."""
    _set(bmc, False, instance, as_json)


def _set(bmc: str, muted: bool, instance: str | None, as_json: bool) -> None:
    with control(instance) as client:
        shown = client.mute(bmc, muted)
        if as_json:
            say_json(shown)
