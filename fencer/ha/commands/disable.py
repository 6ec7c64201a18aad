"""`fence-ha disable`: takes a host out of HA."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, AnswerOptions, answer_options, submit


@click.command("disable", epilog="\b\nExamples:\n  fence-ha disable ha.yaml node1")
@CONFIG
@HOST
@answer_options("disable")
def command(config: Path, host: str, options: AnswerOptions) -> None:
    """Takes HOST out of HA. A fence that is open is cancelled; nothing of it is committed any more.

    After the answer no power command leaves for HOST.
    """
    submit(config, host, "disable", {}, options)
