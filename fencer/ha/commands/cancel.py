"""`fence-ha cancel`: ends the fence that is open."""

from __future__ import annotations

from pathlib import Path

import click

from fencer.ha.command_line import CONFIG, HOST, REASON, WHO, AnswerOptions, answer_options, opened, submit
from fencer.ha.views import require_host


@click.command("cancel", epilog="\b\nExamples:\n  fence-ha cancel ha.yaml node1 --reason 'the switch was rebooted'")
@CONFIG
@HOST
@click.option("--fence-id", help="Only this fence.  [default: the one that is open now]")
@REASON
@WHO
@answer_options("cancel")
def command(config: Path, host: str, fence_id: str | None, reason: str, who: str, options: AnswerOptions) -> None:
    """Ends the fence of HOST that is open, running or waiting. It proves nothing, so no VM is started elsewhere because of it.

    A power-off that has left already cannot be recalled; the answer says whether there was one. HOST is watched and read on. No
    power command goes to it before it is Available again, or before `fence-ha fence` or `fence-ha override`. If its BMC proves
    that it is off, it becomes Down all the same; `fence-ha disable` prevents that too.
    """
    if fence_id is None:
        with opened(config, options.state) as (loaded, store):
            require_host(loaded, store, host)
            fence = store.load(host).fence
        fence_id = fence.id if fence else ""
    submit(config, host, "cancel", {"who": who, "why": reason, "fence_id": fence_id}, options)
