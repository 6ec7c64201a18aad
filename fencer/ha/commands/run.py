"""`fence-ha run`: runs one manager until it is told to stop."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from fencer.ha.api.assembly import make_api
from fencer.ha.api.progress import Progress
from fencer.ha.assembly import make_manager, make_pools, open_store
from fencer.ha.command_line import CONFIG, JSON, POLICY, STATE, plain_errors
from fencer.ha.config import load_config
from fencer.ha.config_checks import missing_here
from fencer.ha.config_file import ConfigError
from fencer.ha.event_lines import as_json, as_text
from fencer.ha.event_output import to_stdout
from fencer.ha.stopping import stop_signals

STANDS_STILL_S: Final = 10.0
"""After so many seconds without a round, at least, the API says that the loop stands still."""

LAST_LINES_S: Final = 1.0
"""So long a manager that stops waits for the reader of its lines."""


@click.command(
    "run",
    epilog="\b\nExamples:\n  fence-ha run ha.yaml\n  fence-ha run ha.yaml --json --listen 127.0.0.1:8100\n"
    "  fence-ha run ha.yaml --policy cloudstack-4.22",
)
@CONFIG
@POLICY
@JSON
@STATE
@click.option("--once", is_flag=True, help="One round only: claim, look, decide; then end.")
@click.option("--listen", metavar="ADDRESS:PORT", help="Serve the HTTP API there (loopback), instead of the configured address.")
def command(config: Path, policy: str | None, json_lines: bool, state: Path | None, once: bool, listen: str | None) -> None:
    """Runs one manager until Ctrl-C. Several may run on one state file; each host belongs to one of them at a time."""
    with plain_errors(), stop_signals() as stopped:
        loaded = load_config(config, policy)
        if lacks := missing_here(loaded):
            raise ConfigError(lacks)
        file = state or loaded.state_file
        progress = Progress(patience_s=max(STANDS_STILL_S, 4 * loaded.policy.poll))
        listen = listen or (loaded.part.api.listen if loaded.part.api else None)
        api = make_api(loaded, listen, progress, file) if listen else None
        output = to_stdout(as_json if json_lines else as_text)
        store = open_store(file, stopped)
        if store is None:
            return
        pools = make_pools(loaded)
        try:
            manager = make_manager(loaded, store, progress.counting(output), pools)
            if api is not None:
                api.start()
                click.echo(f"fence-ha: the API listens at http://{api.address}; its token is in {loaded.token_file}", err=True)
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
            output.close(LAST_LINES_S)
