"""`fence-ha explain-transitions`: prints the table of states and events."""

from __future__ import annotations

import json

import click

from fencer.ha.command_line import JSON
from fencer.ha.states import RULES, TRANSITIONS


@click.command("explain-transitions")
@JSON
def command(json_lines: bool) -> None:
    """The whole table of states and events, with what is narrowed (R) and added (+)."""
    for row in TRANSITIONS:
        why = RULES.get(row.rule) or RULES.get(row.origin) or ""
        if json_lines:
            fields = {
                "from": row.source,
                "event": row.event,
                "to": row.target,
                "origin": row.origin,
                "rule": row.rule,
                "why": why,
            }
            click.echo(json.dumps({key: str(value) for key, value in fields.items()}))
        else:
            mark = row.rule or (row.origin if row.origin != "cloudstack" else "")
            when = f" [{row.when}]" if row.when else ""
            click.echo(f"{row.source:<11} {row.event:<38} -> {row.target:<11} {mark:<3} {why}{when}".rstrip())
