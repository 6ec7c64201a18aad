"""`bmc-emulator profile diff`: what two profiles do differently."""

from __future__ import annotations

import json

import click

from emulator.profile_commands.common import ProfileName, resolved
from profiles.origins import ProfileValue, differences

NONE = "-"


@click.command()
@click.argument("left", type=ProfileName())
@click.argument("right", type=ProfileName())
@click.option("--evidence", is_flag=True, help="Compare the sources of values too.")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: path, left, right.")
def diff(left: str, right: str, evidence: bool, as_json: bool) -> None:
    """Show what two profiles do differently, with all that they inherit. Exit code 1 if anything.

    \b
    Example:
      bmc-emulator profile diff dell-idrac9 openbmc-x86
    """
    found = tuple(differences(resolved(left).root, resolved(right).root, evidence=evidence))
    for each in found:
        if as_json:
            told = {"path": each.path, "left": _value(each.left), "right": _value(each.right)}
            click.echo(json.dumps(told, ensure_ascii=False))
        else:
            click.echo(f"{each.path}: {_text(each.left)} -> {_text(each.right)}")
    raise SystemExit(1 if found else 0)


def _value(value: ProfileValue | None) -> object:
    return None if value is None else value.value


def _text(value: ProfileValue | None) -> str:
    return NONE if value is None else json.dumps(value.value, ensure_ascii=False)
