"""`bmc-emulator profile new`: a profile to start from, which lints at once."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import click

from emulator.profile_commands.common import ProfileName, resolved
from emulator.serve import fail
from fencelab_yaml.source import YamlList, YamlMap, YamlNode, child, text_of

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
TEXT = """\
# What you write here replaces what {parent} says; everything else is inherited. Each value needs evidence: a confidence
# (captured: seen on hardware; documented: the vendor says so; reported: somebody saw it; inferred: a guess) and its sources.
#   bmc-emulator profile show {parent}       what is inherited, and from where
#   bmc-emulator profile lint ./{name}.yaml  every mistake with line and column
#   bmc-emulator profile check ./{name}.yaml starts it and compares it with this file, cell by cell
#   bmc-emulator run --profile ./{name}.yaml
schema: profile/1
id: {name}
title: {title}
extends: {parent}
firmware: {{modelled_on: "which hardware and firmware, and the date on which you looked"}}

# sources:
#   lab: {{ref: "our machine, firmware 1.2.3, 2026-11-28: curl -k https://.../Systems/1", licence: CC0-1.0}}

# identity:
#   model: Server 1
#   bmc_firmware: 1.2.3
#   evidence: {{"*": [captured, lab]}}

# power:
#   table:                       # state of the host x ResetType: [outcome, confidence, source...]; "?" where nobody knows
#     On:
{on}
#     Off:
{off}
#   outcomes:                    # a reply of `replies`, and what happens
#     ours: {{reply: already_off, effect: none}}

# replies:
#   already_off: {{status: 409, message: invalid_state, evidence: [captured, lab]}}
"""


@click.command()
@click.argument("name")
@click.option("--extends", "parent", type=ProfileName(), required=True, metavar="PROFILE", help="The profile that it changes.")
@click.option("--title", default="", help="For people, else the name.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="The folder; else this one.")
def new(name: str, parent: str, title: str, out: Path) -> None:
    """Write NAME.yaml, a commented profile that lints and behaves as PROFILE until you change it.

    \b
    Example:
      bmc-emulator profile new our-board --extends dell-idrac9
    """
    if not NAME.fullmatch(name):
        fail(f"{name!r}: a profile is called with small letters, digits and -, such as our-board")
    root = resolved(parent).root
    file = out / f"{name}.yaml"
    rows = {row.lower(): _row(root, row) for row in ("On", "Off")}
    above = os.path.relpath(parent, out) if parent.endswith(".yaml") or "/" in parent else parent
    above = above if above == parent or above.startswith(".") else f"./{above}"
    text = TEXT.format(name=name, parent=above, title=json.dumps(title or name, ensure_ascii=False), **rows)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        fail(f"{file} exists already: choose another name, or move it away")
    except OSError as error:
        fail(f"{file}: {(error.strerror or 'cannot be written').lower()}")
    click.echo(f"wrote {file}")
    click.echo(f"  next: edit it, then bmc-emulator profile lint ./{file}" if not file.is_absolute() else f"  next: edit {file}")


def _row(root: YamlMap, row: str) -> str:
    """One row of the parent's table as comments."""
    cells = child(root, "power", "table", row)
    words = cells.entries if isinstance(cells, YamlMap) else {}
    lines = [f"#       {word}: [{_outcome(cell)}, captured, lab]" for word, cell in words.items()]
    return "\n".join(lines) or "#       ForceOff: [ours, captured, lab]"


def _outcome(cell: YamlNode) -> str:
    return (text_of(cell.items[0]) if isinstance(cell, YamlList) and cell.items else None) or "ours"
