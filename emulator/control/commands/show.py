"""`bmc-emulator show`."""

from __future__ import annotations

import click

from emulator.control.commands.common import BMC, as_json, control, instance, say, say_json


@click.command("show")
@click.argument("bmc", type=BMC)
@instance
@as_json
def show(bmc: str, instance: str | None, as_json: bool) -> None:
    """Show one BMC, PDU or enclosure: hosts, outlets or slots, how to log in, its profile's own faults, what is armed."""
    with control(instance) as client:
        shown = client.bmc(bmc)
        armed = client.faults(bmc)
    if as_json:
        say_json({**shown, "armed": armed})
        return
    say(f"{shown['name']}  {shown['profile']}  {'muted' if shown['muted'] else shown['presence']}")
    password = "its own" if shown["password"] is None else shown["password"]
    say(f"  redfish   {shown['redfish_url']}{shown['system_uris'][0]}  user {shown['username']}  password {password}")
    if shown["ipmi_port"]:
        say(f"  ipmi      {shown['ipmi_host']}:{shown['ipmi_port']}")
    if shown["kind"] != "bmc":
        part = "slot" if shown["kind"] == "enclosure" else "outlet"
        for outlet in shown["systems"]:
            fed = ", ".join(outlet["feeds"]) or "nothing"
            say(f"  {part:<9} {outlet['host']}: rail {outlet['rail']}, says {outlet['says']['system'] or 'null'}, feeds {fed}")
    for system in shown["systems"] if shown["kind"] == "bmc" else ():
        says = "  ".join(f"{view} {'null' if word is None else word}" for view, word in system["says"].items())
        say(f"  host      {system['host']}: rail {system['rail']}, OS {system['os']}, restore policy {system['restore_policy']}")
        say(f"  says      {says}")
    for fault in armed:
        say(f"  fault     {fault['id']} {fault['type']}: {fault['phase']}, fired {fault['fired']}")
    if shown["named_faults"]:
        say(f"  its own   {', '.join(shown['named_faults'])}")
