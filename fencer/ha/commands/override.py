"""`fence-ha override`: lets power commands to hosts pass the limits."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, REASON, WHO, AnswerOptions, OperatorRefused, answer_options, opened, submit
from fencer.ha.views import require_host


@click.command("override", epilog="\b\nExamples:\n  fence-ha override ha.yaml --hosts node1,node2 --reason 'rack 7 burnt'")
@CONFIG
@click.option("--hosts", required=True, help="Host names, separated by commas.")
@REASON
@WHO
@answer_options("override")
def command(config: Path, hosts: str, reason: str, who: str, options: AnswerOptions) -> None:
    """Lets power commands to silent hosts pass the limits (storm, min_healthy, max_fenced, witness), until they are well again.

    You say with it that these hosts are really dead, and not only hidden from the manager.
    """
    names = list(dict.fromkeys(name.strip() for name in hosts.split(",") if name.strip()))
    if not names:
        raise OperatorRefused("--hosts names no host")
    with opened(config, options.state) as (loaded, store):
        for host in names:
            require_host(loaded, store, host)  # all of them, before the first is granted
    for host in names:
        submit(config, host, "override", {"who": who, "why": reason}, options)
