"""What the commands of `fence-ha` share: arguments, options, errors of one sentence, the opened store, requests to a manager.

The modules of `fencer.ha.commands` use it, in the main thread.
"""

from __future__ import annotations

import getpass
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fencer.ha.api.server import CannotListen
from fencer.ha.api.token import BadToken
from fencer.ha.config import POLICY_NAMES, Config, load_config
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.store import StoreError
from fencer.ha.views import UnknownHost
from fencer.ha.vm_turn import CLUSTER
from fencer.ha.yamlfile import ConfigError

CONFIG = click.argument("config", type=click.Path(dir_okay=False, path_type=Path))
HOST = click.argument("host")
STATE = click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="State file, instead of the configured one."
)
JSON = click.option("--json", "json_lines", is_flag=True, help="JSON, one object per line.")
POLICY = click.option("--policy", type=click.Choice(POLICY_NAMES), help="Instead of the configured policy.")
WHO = click.option("--who", default=getpass.getuser, show_default="your user name")


def _not_empty(context: click.Context, option: click.Parameter, value: str) -> str:
    if not value.strip():
        raise click.BadParameter("must say something", context, option)
    return value


REASON = click.option(
    "--reason", required=True, callback=_not_empty, help="What you have seen or done: it goes into the timeline."
)
WAIT = click.option("--wait", "seconds", default=10.0, show_default=True, help="Seconds to wait for the answer.")


class OperatorRefused(click.ClickException):
    """Prints one sentence to stderr; exit status 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"fence-ha: {self.format_message()}", err=True)


@contextmanager
def plain_errors() -> Iterator[None]:
    try:
        yield
    except (ConfigError, StoreError, CannotListen, BadToken, UnknownHost) as error:
        raise OperatorRefused(str(error)) from error


@contextmanager
def opened(config: Path, state: Path | None) -> Iterator[tuple[Config, SqliteStore]]:
    """Loads the configuration and opens its store. Raises OperatorRefused if no manager has made the state file yet."""
    with plain_errors():
        loaded = load_config(config)
        file = state or loaded.state_file
        if not file.exists():
            raise OperatorRefused(f"{file} does not exist: no manager has run with this configuration yet")
        store = SqliteStore(file)
        try:
            yield loaded, store
        finally:
            store.close()


def submit_request(
    config: Path, state: Path | None, host: str, what: str, detail: dict[str, str], seconds: float, *, withdraw: bool = False
) -> None:
    """Writes an operator's request to the store, and waits at most `seconds` for the answer of the manager that owns `host`.

    `withdraw`: a request without an answer is taken back, and never granted.
    """
    with opened(config, state) as (_, store):
        if host not in store.hosts():
            raise OperatorRefused(f"no host is called {host}; there are {', '.join(store.hosts()) or 'none'}")
        if store.load(host).lease_until <= store.now():
            click.echo(f"no manager has {host} at the moment; the request is kept until one does", err=True)
        _wait_for_answer(store, host, what, detail, seconds, withdraw=withdraw)


def submit_vm_request(config: Path, state: Path | None, what: str, detail: dict[str, str], seconds: float) -> None:
    """The same for a request about a VM, which any manager answers."""
    with opened(config, state) as (_, store):
        _wait_for_answer(store, CLUSTER, what, detail, seconds, withdraw=False)


def _wait_for_answer(store: SqliteStore, host: str, what: str, detail: dict[str, str], seconds: float, *, withdraw: bool) -> None:
    request = store.add_request(host, what, detail, store.now())
    end = time.monotonic() + seconds
    while (answer := store.operator_request(request)).ok is None:
        if time.monotonic() >= end and withdraw:
            if store.withdraw_request(request):
                raise OperatorRefused(f"no answer within {seconds:g} s; the request is withdrawn")
        elif time.monotonic() >= end:
            raise OperatorRefused(f"no answer within {seconds:g} s; the request stays in the queue")
        time.sleep(0.05)
    if not answer.ok:
        raise OperatorRefused(answer.answer or "refused")
    click.echo(answer.answer)
