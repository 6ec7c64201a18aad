"""`fence-ha run`: runs one manager until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from fencer.ha.assembly import make_manager, make_pools
from fencer.ha.command_line import CONFIG, JSON, POLICY, STATE, plain_errors
from fencer.ha.config import load_config
from fencer.ha.event_lines import stdout_sink
from fencer.ha.store import SqliteStore


@click.command("run")
@CONFIG
@POLICY
@JSON
@STATE
@click.option("--once", is_flag=True, help="One round only: claim, look, decide; then end.")
def command(config: Path, policy: str | None, json_lines: bool, state: Path | None, once: bool) -> None:
    """Runs one manager until Ctrl-C. Several may run on one state file; each host belongs to one of them at a time."""
    with plain_errors():
        loaded = load_config(config, policy)
        store = SqliteStore(state or loaded.state_file)
        pools = make_pools(loaded)
        try:
            manager = make_manager(loaded, store, stdout_sink(json_lines), pools)
            with _stop_signals() as stopped:
                manager.run_round()
                if once:
                    manager.wait(loaded.policy.health_timeout + 1)
                    manager.run_round()
                while not once and not stopped:
                    manager.wait(manager.idle)
                    manager.run_round()
            manager.stop()
        finally:
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
