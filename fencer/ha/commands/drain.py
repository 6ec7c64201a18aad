"""`fence-ha drain`: empties a host before maintenance."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, AnswerOptions, answer_options, submit


@click.command("drain", epilog="\b\nExamples:\n  fence-ha drain ha.yaml node1\n  fence-ha vms ha.yaml --host node1")
@CONFIG
@HOST
@answer_options("drain")
def command(config: Path, host: str, options: AnswerOptions) -> None:
    """Moves the VMs of HOST to other hosts: each is stopped there, and started elsewhere after its stop is confirmed.

    HOST takes no VMs any more. When it is empty it is Ineligible: it may be switched off. `fence-ha enable` ends the drain. A
    VM that fits on no other host stays where it is, and says why in `fence-ha vms`.
    """
    submit(config, host, "drain", {}, options)
