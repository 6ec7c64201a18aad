"""`fence-ha run`: runs one manager until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

import click

from fencer.ha.api.assembly import make_api
from fencer.ha.api.progress import Progress
from fencer.ha.assembly import make_manager, make_pools
from fencer.ha.command_line import CONFIG, JSON, POLICY, STATE, plain_errors
from fencer.ha.config import load_config
from fencer.ha.event_lines import stdout_sink
from fencer.ha.store import SqliteStore

STANDS_STILL_S: Final = 10.0
"""After so many seconds without a round, at least, the API says that the loop stands still."""


@click.command("run")
@CONFIG
@POLICY
@JSON
@STATE
@click.option("--once", is_flag=True, help="One round only: claim, look, decide; then end.")
@click.option("--listen", metavar="ADDRESS:PORT", help="Serve the HTTP API there (loopback), instead of the configured address.")
def command(config: Path, policy: str | None, json_lines: bool, state: Path | None, once: bool, listen: str | None) -> None:
    """Runs one manager until Ctrl-C. Several may run on one state file; each host belongs to one of them at a time."""
    with plain_errors():
        loaded = load_config(config, policy)
        file = state or loaded.state_file
        store = SqliteStore(file)
        pools = make_pools(loaded)
        progress = Progress(patience_s=max(STANDS_STILL_S, 4 * loaded.policy.poll))
        listen = listen or (loaded.part.api.listen if loaded.part.api else None)
        api = make_api(loaded, listen, progress, lambda: SqliteStore(file)) if listen else None
        try:
            manager = make_manager(loaded, store, progress.counting(stdout_sink(json_lines)), pools)
            if api is not None:
                api.start()
                click.echo(f"the API listens at http://{api.address}; the token is in {loaded.token_file}", err=True)
            with _stop_signals() as stopped:
                manager.run_round()
                progress.round_done()
                if once:
                    manager.wait(loaded.policy.health_timeout + 1)
                    manager.run_round()
                while not once and not stopped:
                    manager.wait(manager.idle)
                    manager.run_round()
                    progress.round_done()
            manager.stop()
        finally:
            if api is not None:
                api.stop()
            pools.close()
            store.close()


@contextmanager
def _stop_signals() -> Iterator[list[int]]:
    seen: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        seen.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
