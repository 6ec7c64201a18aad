"""`fence-ha retry`: tries a VM now that waits, failed or was given up."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, AnswerOptions, answer_options, submit


@click.command("retry", epilog="\b\nExamples:\n  fence-ha retry ha.yaml web1")
@CONFIG
@click.argument("vm")
@answer_options("vm-retry")
def command(config: Path, vm: str, options: AnswerOptions) -> None:
    """Tries VM now: its pause ends, refusals are forgotten, and a VM that was given up gets all its restarts again.

    A VM that its host does not list is started, on your word that it runs nowhere else. A start of which nobody knows whether
    it worked is repeated on the same host only.
    """
    submit(config, vm, "vm-retry", {}, options)
