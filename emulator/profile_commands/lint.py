"""`bmc-emulator profile lint`: all mistakes of a profile at once, else how much of it is known."""

from __future__ import annotations

import json

import click

from emulator.profile_commands.common import ProfileName
from emulator.serve import EXIT_USAGE


@click.command()
@click.argument("name", type=ProfileName())
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def lint(name: str, as_json: bool) -> None:
    """Check a profile: errors with file, line and column, then how much of it is known. Exit code 2 on errors."""
    from emulator.faults.model import check_profile
    from emulator.profile_commands.resource_paths import check_resource_paths
    from profiles.lint import lint as read
    from profiles.lint import render, told

    report = read(name, also=check_profile, service=check_resource_paths)
    if as_json:
        click.echo(json.dumps(told(report), indent=2, ensure_ascii=False))
    else:
        click.echo(render(report), err=not report.ok)
    raise SystemExit(0 if report.ok else EXIT_USAGE)
