"""`fence-ha confirm`: ends a fence on the word of an operator."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, REASON, WHO, AnswerOptions, answer_options, submit


@click.command(
    "confirm",
    epilog="\b\nExamples:\n  fence-ha confirm ha.yaml node1 --fence-id node1-f1 --reason 'pulled both cords'\n"
    "  fence-ha confirm ha.yaml node1 --fence-id node1-f1 --reason 'pulled both cords' --who alice --json",
)
@CONFIG
@HOST
@click.option("--fence-id", required=True, help="The fence that is open (fence-ha status).")
@REASON
@WHO
@answer_options("confirm")
def command(config: Path, host: str, fence_id: str, reason: str, who: str, options: AnswerOptions) -> None:
    """Manual fence: you have seen that HOST is off, and sign for it. Refused while its BMC says On.

    Its VMs are started elsewhere on your word. If the host runs after all, they run twice.
    """
    submit(config, host, "confirm", {"fence_id": fence_id, "who": who, "why": reason}, options)
