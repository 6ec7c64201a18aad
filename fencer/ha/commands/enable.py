"""`fence-ha enable`: puts a host under HA."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, AnswerOptions, answer_options, submit


@click.command("enable", epilog="\b\nExamples:\n  fence-ha enable ha.yaml node1")
@CONFIG
@HOST
@answer_options("enable")
def command(config: Path, host: str, options: AnswerOptions) -> None:
    """Puts HOST under HA; lets a host in again that was Down and answers; ends a drain."""
    submit(config, host, "enable", {}, options)
