"""`bmc-emulator journal`."""

from __future__ import annotations

from typing import Any

import click

from emulator.control.commands.common import BMC, as_json, control, instance, say, say_json

_HEAD = ("seq", "t", "bmc", "kind", "cause")


@click.command("journal")
@click.option("--follow", "-f", is_flag=True, help="Go on with every event that comes, until Ctrl-C or until the emulator ends.")
@click.option("--bmc", type=BMC, help="Only events of this BMC.")
@click.option("--kind", metavar="KIND[,KIND]", help="Only events of these kinds, such as rail,report,command.")
@click.option(
    "--since", type=click.FloatRange(0), metavar="S", help="Only those of the last so many seconds of the emulator's clock."
)
@instance
@as_json
def journal(follow: bool, bmc: str | None, kind: str | None, since: float | None, instance: str | None, as_json: bool) -> None:
    """Print the journal: the ground truth about every request, fault and rail, in order. With --json one object a line."""
    with control(instance) as client:
        if follow:
            events = client.follow(bmc=bmc, kind=kind, since_s=since)
        else:
            events = client.journal(bmc=bmc, kind=kind, since_s=since)
        try:
            for event in events:
                if as_json:
                    say_json(event)
                else:
                    say(_text(event))
        except KeyboardInterrupt:
            return


def _text(event: dict[str, Any]) -> str:
    if "dropped" in event and "seq" not in event:
        return f"... {event['dropped']} events were missed: this reader is too slow"
    facts = " ".join(f"{key}={_value(value)}" for key, value in event.items() if key not in _HEAD)
    cause = "" if event["cause"] is None else f" <- #{event['cause']}"
    return f"{event['t']:10.3f}  #{event['seq']}{cause}  {event['bmc'] or '-'}  {event['kind']}  {facts}".rstrip()


def _value(value: object) -> str:
    match value:
        case None:
            return "null"
        case dict():
            return ",".join(f"{key}:{_value(item)}" for key, item in value.items())
        case list():
            return ",".join(_value(item) for item in value)
        case _:
            return str(value).replace("\n", " ")
