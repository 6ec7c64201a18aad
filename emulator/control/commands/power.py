"""`bmc-emulator power`."""

from __future__ import annotations

import click

from emulator.control.commands.common import BMC, HEAD, as_json, bmc_lines, control, fail, instance, say_json, table

ACTIONS = ("on", "off", "press", "unplug", "plug", "hang", "crash", "boot")


@click.command("power")
@click.argument("bmc", type=BMC)
@click.argument("action", type=click.Choice(ACTIONS))
@click.option("--system", help="Which system of the BMC; default: the first one.")
@click.option("--as-profile", is_flag=True, help="With plug: the BMC starts as slowly as the vendor's.")
@instance
@as_json
def power(bmc: str, action: str, system: str | None, as_profile: bool, instance: str | None, as_json: bool) -> None:
    """Do by hand what a person does at the machine; no client has commanded it.

    \b
    on, off        the rail at once; what the BMC says follows as late as its profile says
    press          a short press of the power button: asks the OS, or switches on
    unplug         the input power fails: the hosts fall, the BMC is dark too
    plug           the BMC answers within 5 s, then the restore policy has its say
    hang           the OS hangs and goes on writing
    crash, boot    the OS stops, or starts anew

    BMC may be BMC/SYSTEM. Of a PDU it is PDU/OUTLET with on and off; unplug and plug are the cord of the PDU itself.
    """
    name, slash, outlet = bmc.partition("/")
    if slash and system is not None:
        fail(f"{bmc} names a system already: leave --system out")
    system = outlet if slash else system
    with control(instance) as client:
        shown = client.power(name, action, system, as_profile=as_profile)
        if as_json:
            say_json(shown)
        else:
            table(HEAD, bmc_lines(shown))
