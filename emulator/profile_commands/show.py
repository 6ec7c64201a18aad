"""`bmc-emulator profile show`: a profile with everything that it inherits, and where each value comes from."""

from __future__ import annotations

import json

import click

from emulator.profile_commands.common import ProfileName, resolved
from emulator.serve import fail
from fencelab_yaml.errors import did_you_mean
from profiles.origins import values


@click.command()
@click.argument("name", type=ProfileName())
@click.argument("path", default="")
@click.option("--json", "as_json", is_flag=True, help="JSON lines: path, value, file, line.")
def show(name: str, path: str, as_json: bool) -> None:
    """Show a profile with all that it inherits, and file and line of each value; with PATH only what is below it.

    \b
    Examples:
      bmc-emulator profile show dell-idrac9 power.table.Off
      bmc-emulator profile show ./our-board.yaml --json
    """
    root = resolved(name).root
    found = tuple(values(root, path))
    if not found:
        tops = (each.path.partition(".")[0] for each in values(root))
        fail(f"{name} has nothing at {path!r}{did_you_mean(path, tuple(dict.fromkeys(tops)))}")
    if as_json:
        for each in found:
            told = {"path": each.path, "value": each.value, "file": each.mark.file, "line": each.mark.line}
            click.echo(json.dumps(told, ensure_ascii=False))
        return
    width = min(max(len(each.path) for each in found), 60)
    for each in found:
        click.echo(f"{each.path:<{width}}  {json.dumps(each.value, ensure_ascii=False)}  # {each.origin}")
