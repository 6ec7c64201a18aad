"""`bmc-emulator fault`: types, add, ls, rm."""

from __future__ import annotations

import json
from typing import Any

import click

from emulator.control.commands.common import BMC, FAULT_ID, FAULT_TYPE, as_json, control, fail, instance, say, say_json, table


@click.group("fault")
def fault() -> None:
    """Arm faults on running BMCs, and take them away again."""


@fault.command("types")
@click.argument("name", required=False, type=FAULT_TYPE)
@as_json
def types(name: str | None, as_json: bool) -> None:
    """List the faults that there are, or describe one with its parameters. Needs no running emulator."""
    from emulator.control import told

    if name is None:
        from emulator import fault_names

        listed = [told.fault_type_name(each) for each in fault_names()]
        if as_json:
            say_json([each.model_dump() for each in listed])
        else:
            table(("TYPE", "SEAM", ""), ((each.name, each.seam, each.summary) for each in listed))
        return
    found = told.fault_type(name)
    if isinstance(found, str):
        fail(found)
    if as_json:
        say_json(found.model_dump())
    else:
        say(found.description.rstrip())


@fault.command("add")
@click.argument("bmc", type=BMC)
@click.argument("type", type=FAULT_TYPE)
@click.argument("params", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--when", multiple=True, metavar="KEY=VALUE", help="On which requests; may be given several times.")
@click.option("--count", type=click.IntRange(1), help="How often at most.")
@click.option("--after", metavar="S|rail=off|intent=I", help="When it begins: seconds, a rail, or behind a request.")
@click.option("--until", metavar="S|rail=on", help="When it ends: seconds, or a rail.")
@click.option("--probability", type=click.FloatRange(0, 1, min_open=True), help="The share of the requests on which it acts.")
@instance
@as_json
def add(bmc: str, type: str, instance: str | None, as_json: bool, **words: Any) -> None:
    """Arm a fault on a BMC: TYPE is one of `fault types`, or the name of one of its profile's own.

    \b
      bmc-emulator fault add bmc1 report.says word=On
      bmc-emulator fault add bmc1 wire.reset --when intent=power-command --count 1
      bmc-emulator fault add bmc1 power.swallow-on --after rail=off --until 60
    """
    told = written(type, **words)
    with control(instance) as client:
        armed = client.arm(bmc, told)
        if as_json:
            say_json(armed)
        else:
            say(armed["id"])


def written(type: str, **words: Any) -> dict[str, object] | str:
    """The fault as `fault/1`; or its name, where it has no dot and nothing is said of it: a fault of the profile's own."""
    from emulator import FaultMisconfigured, fault_from_words, fault_names

    if type not in fault_names() and "." not in type and not any(words.values()):
        return type
    try:
        return fault_from_words(type, **words)
    except FaultMisconfigured as error:
        fail(str(error))


@fault.command("ls")
@click.argument("bmc", required=False, type=BMC)
@instance
@as_json
def ls(bmc: str | None, instance: str | None, as_json: bool) -> None:
    """List what is armed, and how often each has fired."""
    with control(instance) as client:
        armed = client.faults(bmc)
        if as_json:
            say_json(armed)
        else:
            table(("ID", "BMC", "PHASE", "FIRED", "FAULT"), (_row(each) for each in armed))


def _row(armed: dict[str, Any]) -> tuple[str, ...]:
    told = {key: value for key, value in (armed["fault"] or {}).items() if key != "type"}
    more = f"  {json.dumps(told, ensure_ascii=False)}" if told else ""
    return armed["id"], armed["bmc"], armed["phase"], str(armed["fired"]), f"{armed['type']}{more}"


@fault.command("rm")
@click.argument("ids", nargs=-1, required=True, metavar="ID...", type=FAULT_ID)
@instance
@as_json
def rm(ids: tuple[str, ...], instance: str | None, as_json: bool) -> None:
    """Take faults away. What they hold back goes on at once."""
    with control(instance) as client:
        for each in ids:
            client.disarm(each)
            if as_json:
                say_json({"id": each})
