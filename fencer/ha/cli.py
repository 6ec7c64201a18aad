"""The command `fence-ha`: runs a manager, shows the hosts and the timeline, and takes requests of an operator.

Operator commands write a request to the state file and wait for the answer of the manager that owns the host.
"""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import click

from fencer.ha.assembly import make_manager, make_pools, open_store
from fencer.ha.config import POLICY_NAMES, Config, load_config
from fencer.ha.event_lines import as_json, as_text
from fencer.ha.event_output import to_stdout
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import RULES, TRANSITIONS, host_status
from fencer.ha.stopping import stop_signals
from fencer.ha.store import StoreError
from fencer.ha.yamlfile import ConfigError

CONFIG = click.argument("config", type=click.Path(dir_okay=False, path_type=Path))
STATE = click.option(
    "--state", type=click.Path(dir_okay=False, path_type=Path), help="State file, instead of the configured one."
)
JSON = click.option("--json", "json_lines", is_flag=True, help="JSON, one object per line.")
POLICY = click.option("--policy", type=click.Choice(POLICY_NAMES), help="Instead of the configured policy.")


class OperatorRefused(click.ClickException):
    """Prints one sentence to stderr; exit status 2."""

    exit_code = 2

    def show(self, file: object = None) -> None:
        click.echo(f"fence-ha: {self.format_message()}", err=True)


@contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except (ConfigError, StoreError) as error:
        raise OperatorRefused(str(error)) from error


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nExamples:\n  fence-ha sample > ha.yaml\n  fence-ha run ha.yaml --json\n  fence-ha status ha.yaml\n"
    "  fence-ha confirm ha.yaml node1 --fence-id node1-f1 --reason 'pulled both cords' --who alice",
)
def main() -> None:
    """Watches hosts, proves that a silent one is off before its VMs start elsewhere, and says what it knows."""


@main.command()
@CONFIG
@POLICY
@JSON
@STATE
@click.option("--once", is_flag=True, help="One round only: claim, look, decide; then end.")
def run(config: Path, policy: str | None, json_lines: bool, state: Path | None, once: bool) -> None:
    """Runs one manager until Ctrl-C. Several may run on one state file; each host belongs to one of them at a time."""
    with _plain_errors(), stop_signals() as stopped:
        loaded = load_config(config, policy)
        output = to_stdout(as_json if json_lines else as_text)
        store = open_store(state or loaded.state_file, stopped)
        if store is None:
            return
        pools = make_pools(loaded)
        try:
            manager = make_manager(loaded, store, output, pools)
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
            output.close(LAST_LINES_S)


LAST_LINES_S = 1.0
"""So long a manager that stops waits for the reader of its lines."""


@main.command()
@CONFIG
@JSON
@STATE
def status(config: Path, json_lines: bool, state: Path | None) -> None:
    """What is known of every host, and where every VM is."""
    with _opened(config, state) as (_, store):
        placements = store.placements()
        for name in store.hosts():
            record = store.load(name)
            fence = record.fence
            row = {
                "host": name, "state": str(record.state), "status": str(host_status(record.state)), "epoch": record.epoch,
                "owner": record.owner if record.lease_until > store.now() else None,
                "fence_id": fence.id if fence else record.released, "phase": str(fence.phase) if fence else None,
                "attempts": fence.attempts if fence else 0, "error": record.last_error.text if record.last_error else None,
                "vms": [vm for vm, at in placements.items() if at == name],
            }  # fmt: skip
            click.echo(json.dumps(row) if json_lines else _status_line(row))
        waiting = [vm for vm, at in placements.items() if at is None]
        if waiting and not json_lines:
            click.echo(f"VMs without a host: {', '.join(waiting)}")


def _status_line(row: dict[str, object]) -> str:
    parts = [f"{row['host']:<12} {row['state']:<11} {row['status']:<13}"]
    parts.append(f"owner {row['owner'] or 'none'}")
    if row["phase"]:
        parts.append(f"fence {row['fence_id']} {row['phase']}, {row['attempts']} failed attempts")
    if row["error"]:
        parts.append(f"last error: {row['error']}")
    vms = row["vms"]
    parts.append(f"VMs: {', '.join(vms) if isinstance(vms, list) and vms else 'none'}")
    return "; ".join(parts)


@main.command()
@CONFIG
@click.argument("host")
@STATE
@click.option("--wait", "seconds", default=10.0, show_default=True, help="Seconds to wait for the answer.")
def enable(config: Path, host: str, state: Path | None, seconds: float) -> None:
    """Puts HOST under HA; lets a host in again that was Down and answers."""
    _submit_request(config, state, host, "enable", {}, seconds)


@main.command()
@CONFIG
@click.argument("host")
@STATE
@click.option("--wait", "seconds", default=10.0, show_default=True, help="Seconds to wait for the answer.")
def disable(config: Path, host: str, state: Path | None, seconds: float) -> None:
    """Takes HOST out of HA. A fence that is open is cancelled; nothing of it is committed any more."""
    _submit_request(config, state, host, "disable", {}, seconds)


@main.command()
@CONFIG
@click.argument("host")
@click.option("--fence-id", required=True, help="The fence that is open (fence-ha status).")
@click.option("--reason", required=True, help="What you have seen: it goes into the timeline.")
@click.option("--who", default=getpass.getuser, show_default="your user name")
@STATE
@click.option("--wait", "seconds", default=30.0, show_default=True, help="Seconds to wait for the answer.")
def confirm(config: Path, host: str, fence_id: str, reason: str, who: str, state: Path | None, seconds: float) -> None:
    """Manual fence: you have seen that HOST is off, and sign for it. Refused while its BMC says On.

    Its VMs are started elsewhere on your word. If the host runs after all, they run twice.
    """
    _submit_request(config, state, host, "confirm", {"fence_id": fence_id, "who": who, "why": reason}, seconds)


def _submit_request(config: Path, state: Path | None, host: str, what: str, detail: dict[str, str], seconds: float) -> None:
    with _opened(config, state) as (_, store):
        if host not in store.hosts():
            raise OperatorRefused(f"no host is called {host}; there are {', '.join(store.hosts()) or 'none'}")
        if store.load(host).lease_until <= store.now():
            click.echo(f"no manager has {host} at the moment; the request is kept until one does", err=True)
        request = store.add_request(host, what, detail, store.now())
        end = time.monotonic() + seconds
        while (answer := store.operator_request(request)).ok is None:
            if time.monotonic() >= end:
                raise OperatorRefused(f"no answer within {seconds:g} s; the request stays in the queue")
            time.sleep(0.05)
        if not answer.ok:
            raise OperatorRefused(answer.answer or "refused")
        click.echo(answer.answer)


@main.command()
@CONFIG
@click.option("--host", help="Only this host.")
@JSON
@STATE
def timeline(config: Path, host: str | None, json_lines: bool, state: Path | None) -> None:
    """Every state change, alert, VM start, power command and power read that is kept."""
    with _opened(config, state) as (_, store):
        for event in store.timeline(host):
            click.echo(as_json(event) if json_lines else as_text(event))


@contextmanager
def _opened(config: Path, state: Path | None) -> Iterator[tuple[Config, SqliteStore]]:
    with _plain_errors():
        loaded = load_config(config)
        file = state or loaded.state_file
        if not file.exists():
            raise OperatorRefused(f"{file} does not exist: no manager has run with this configuration yet")
        store = SqliteStore(file)
        try:
            yield loaded, store
        finally:
            store.close()


@main.command("explain-transitions")
@JSON
def explain_transitions(json_lines: bool) -> None:
    """The whole table of states and events, with what is narrowed (R) and added (+)."""
    for row in TRANSITIONS:
        why = RULES.get(row.rule) or RULES.get(row.origin) or ""
        if json_lines:
            fields = {
                "from": row.source,
                "event": row.event,
                "to": row.target,
                "origin": row.origin,
                "rule": row.rule,
                "why": why,
            }
            click.echo(json.dumps({key: str(value) for key, value in fields.items()}))
        else:
            mark = row.rule or (row.origin if row.origin != "cloudstack" else "")
            when = f" [{row.when}]" if row.when else ""
            click.echo(f"{row.source:<11} {row.event:<38} -> {row.target:<11} {mark:<3} {why}{when}".rstrip())


@main.command()
def sample() -> None:
    """A configuration with every key and a comment for each."""
    sys.stdout.write(resources.files("fencer.ha").joinpath("sample.yaml").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
