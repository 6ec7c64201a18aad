"""`fence-ha pin`: accepts the machine that a BMC shows now."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, REASON, WHO, AnswerOptions, answer_options, submit


@click.command("pin", epilog="\b\nExamples:\n  fence-ha pin ha.yaml node1 --reason 'the board was replaced'")
@CONFIG
@HOST
@REASON
@WHO
@answer_options("pin")
def command(config: Path, host: str, reason: str, who: str, options: AnswerOptions) -> None:
    """The machine or board of HOST was replaced: what its BMC shows next is pinned as its identity."""
    submit(config, host, "pin", {"who": who, "why": reason}, options)
