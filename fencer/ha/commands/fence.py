"""`fence-ha fence`: orders a fence of a host now."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, REASON, WHO, AnswerOptions, answer_options, submit


@click.command("fence", epilog="\b\nExamples:\n  fence-ha fence ha.yaml node1 --reason 'does not answer on the console'")
@CONFIG
@HOST
@REASON
@WHO
@answer_options("fence")
def command(config: Path, host: str, reason: str, who: str, options: AnswerOptions) -> None:
    """Fences HOST now: no activity samples are waited for, no recovery is tried, and a back-off ends.

    The proof is that of every fence: two reads that say Off. Your order passes no limit: a storm, min_healthy, max_fenced, the
    witness and the time after a start hold the power-off back as always, and only `fence-ha override` lets it pass. A host whose
    last health check passed is not fenced. A host that was never seen healthy, or of which nobody knows, may be: on your word.
    """
    submit(config, host, "fence", {"who": who, "why": reason}, options)
