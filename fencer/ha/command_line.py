"""What the commands of `fence-ha` share: arguments, options, errors of one sentence, the opened store, requests to a manager.

The modules of `fencer.ha.commands` use it, in the main thread.
"""

from __future__ import annotations

import getpass
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path

import click

from fencer.ha.api.server import CannotListen
from fencer.ha.api.token import BadToken
from fencer.ha.config import POLICY_NAMES, Config, load_config
from fencer.ha.config_file import ConfigError
from fencer.ha.operations import BadRequest, OperationScope, OperatorAction, action_of, check_name, checked
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.store import StoreError
from fencer.ha.views import UnknownHost, require_host

CONFIG = click.argument("config", type=click.Path(dir_okay=False, path_type=Path))
HOST = click.argument("host")
STATE = click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="State file, instead of the configured one."
)
JSON = click.option("--json", "json_lines", is_flag=True, help="JSON, one object per line.")
POLICY = click.option("--policy", type=click.Choice(POLICY_NAMES), help="Instead of the configured policy.")
REASON = click.option("--reason", required=True, help="What you have seen or done: it goes into the timeline. Not empty.")
WHO = click.option("--who", default=getpass.getuser, show_default="your user name", help="Who signs for it.")


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


def say(answer: str, json_lines: bool) -> None:
    """Prints what a command has done: a sentence, or {"answer": SENTENCE}."""
    click.echo(json.dumps({"answer": answer}) if json_lines else answer)


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


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """How a command that asks a manager for something waits and prints: `--state`, `--wait`, `--json`."""

    state: Path | None
    seconds: float
    json_lines: bool


def answer_options(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Adds `--state`, `--wait` and `--json` to the command of an action, which gets them as `options: AnswerOptions`."""
    default = action_of(what).wait_s
    wait = click.option("--wait", "seconds", default=default, show_default=True, help="Seconds to wait for the answer.")

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def with_options(*args: object, state: Path | None, seconds: float, json_lines: bool, **more: object) -> None:
            command(*args, options=AnswerOptions(state, seconds, json_lines), **more)

        return JSON(STATE(wait(with_options)))

    return decorate


def submit(config: Path, name: str, what: str, detail: Mapping[str, str], options: AnswerOptions) -> None:
    """Asks a manager for the action `what` on the host or VM `name`, and waits for its answer.

    Raises OperatorRefused: nothing is known of the name, the manager refuses, or it does not answer in time.
    """
    action = action_of(what)
    try:
        check_name(action, name)
        host, checked_detail = action.request(name, checked(action, detail))
    except BadRequest as error:
        raise OperatorRefused(str(error)) from error
    with opened(config, options.state) as (loaded, store):
        if action.scope is OperationScope.HOST:
            require_host(loaded, store, name)
            if store.load(name).lease_until <= store.now():
                click.echo(f"no manager has {name} at the moment; the request is kept until one does", err=True)
        _wait_for_answer(store, store.add_request(host, what, checked_detail, store.now()), action, options)


def _wait_for_answer(store: SqliteStore, request: int, action: OperatorAction, options: AnswerOptions) -> None:
    end = time.monotonic() + options.seconds
    while (answer := store.operator_request(request)).ok is None:
        if time.monotonic() >= end and action.withdrawn:
            if store.withdraw_request(request):
                raise OperatorRefused(f"no answer within {options.seconds:g} s; the request is withdrawn")
        elif time.monotonic() >= end:
            raise OperatorRefused(f"no answer within {options.seconds:g} s; the request stays in the queue")
        time.sleep(0.05)
    if not answer.ok:
        raise OperatorRefused(answer.answer or "refused")
    click.echo(json.dumps({"request": request, "answer": answer.answer}) if options.json_lines else answer.answer)
