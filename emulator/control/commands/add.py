"""`bmc-emulator add`."""

from __future__ import annotations

import os

import click

from emulator.control.commands.common import HEAD, as_json, bmc_lines, control, instance, say_json, table


@click.command("add")
@click.argument("profile")
@click.option("--name", help="Default: the profile's id and a number.")
@click.option("--power", type=click.Choice(["on", "off"]), default="on", show_default=True, help="How its host is at first.")
@click.option("--listen", metavar="ADDRESS", help="Default: the address of the others.")
@click.option("--redfish-port", type=click.IntRange(0, 65535), default=0, help="0: a free one.")
@click.option("--ipmi-port", type=click.IntRange(0, 65535), default=0, help="0: a free one.")
@instance
@as_json
def add(
    profile: str,
    name: str | None,
    power: str,
    listen: str | None,
    redfish_port: int,
    ipmi_port: int,
    instance: str | None,
    as_json: bool,
) -> None:
    """Add a BMC with a virtual host: PROFILE is a shipped one or a YAML file."""
    if os.sep in profile or profile.endswith((".yaml", ".yml")):
        profile = os.path.abspath(profile)
    with control(instance) as client:
        shown = client.add(profile, name, power=power, listen=listen, redfish_port=redfish_port, ipmi_port=ipmi_port)
        if as_json:
            say_json(shown)
        else:
            table(HEAD, bmc_lines(shown))
