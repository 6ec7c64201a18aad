"""Asks every BMC of a configuration once whether its host could be fenced now, for `fence-ha check`.

It sends no power command. All hosts are checked in parallel threads; each check is bounded by three times `request_timeout`.

Exit status: 0 all hosts can be fenced, 1 at least one cannot, 2 the configuration is wrong.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import click

from fencer.device_check import DeviceCheck
from fencer.ha import level_calls, proof, same_machine
from fencer.ha.assembly import make_bmcs
from fencer.ha.bmc import BmcClient
from fencer.ha.config import Config, HostPart
from fencer.ha.level_calls import Clients, client_key
from fencer.ha.record import OWN_BMC, HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.outcome import Cause, Failure, Reading

MAX_THREADS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class HostCheck:
    """The result for one host. `failure`: why it could not be fenced now, or None."""

    host: str
    failure: Failure | None
    reading: Reading | None = None
    warnings: tuple[str, ...] = ()

    def fields(self) -> dict[str, object]:
        failure, reading = self.failure, self.reading
        return {
            "host": self.host,
            "ok": failure is None,
            "power": reading.word if reading else None,
            "identity": dict(reading.shown) if reading else {},
            "reason": str(failure.cause) if failure else None,
            "text": failure.text if failure else None,
            "warnings": list(self.warnings),
        }

    def line(self) -> str:
        word = (self.reading.word or "null") if self.reading else "-"
        text = self.failure.text if self.failure else "; ".join(self.warnings)
        return f"{self.host:<16} {'FAIL' if self.failure else 'ok':<5} {word:<12} {text}".rstrip()


def check_hosts(config: Config, records: Mapping[str, HostRecord], now: float) -> list[HostCheck]:
    """Checks all hosts of the configuration. `records` are the stored ones, where there are any: their pins count."""
    bmcs = make_bmcs(config)
    with ThreadPoolExecutor(min(MAX_THREADS, len(config.part.hosts))) as pool:
        jobs = {
            host.name: pool.submit(_check, records.get(host.name), _clients(config, host, bmcs), config, now)
            for host in config.part.hosts
        }
        results = {name: _judged(name, records.get(name), job.result()) for name, job in jobs.items()}
    same = same_machine.groups({name: result.reading.shown for name, result in results.items() if result.reading})
    return [
        HostCheck(
            host=name,
            failure=result.failure or (_same(name, same[name]) if name in same else None),
            reading=result.reading,
            warnings=result.warnings,
        )
        for name, result in results.items()
    ]


def _clients(config: Config, host: HostPart, bmcs: Mapping[str, BmcClient]) -> Clients:
    names = dict.fromkeys((OWN_BMC, *(name for level in config.levels(host) for name in level)))
    return [(name, bmcs[client_key(host.name, name)]) for name in names]


def _check(record: HostRecord | None, clients: Clients, config: Config, now: float) -> DeviceCheck:
    for device, _ in clients:
        if record is not None and not proof.login_allowed(record, config.policy, now, (device,)):
            name, wait = "the BMC" if device == OWN_BMC else device, config.policy.auth_poll
            text = f"{name} of {record.host} refused a log-in less than {wait:g} s ago; it is not asked again yet"
            return DeviceCheck(outcome=None, failure=Failure(cause=Cause.AUTH, text=text))
    return level_calls.check(clients, config.policy.request_timeout)[0]


def _judged(name: str, record: HostRecord | None, check: DeviceCheck) -> HostCheck:
    reading = check.outcome.readings[-1] if check.outcome and check.outcome.readings else None
    judged = proof.judged(record, reading) if record is not None and reading is not None else None
    failure = check.failure or (judged if isinstance(judged, Failure) else None)
    return HostCheck(host=name, failure=failure, reading=reading, warnings=check.warnings)


def _same(name: str, others: tuple[str, ...]) -> Failure:
    text = f"the BMC of {name} shows the same machine as the BMC of {', '.join(others)}"
    return Failure(cause=Cause.PRECONDITION, text=text)


def run_check(config: Config, state_file: Path, json_lines: bool) -> int:
    """Prints one line per host and returns the exit status. Raises StoreError if there is a state file and it is unusable."""
    records: dict[str, HostRecord] = {}
    now = time.time()
    if state_file.exists():
        store = SqliteStore(state_file)
        try:
            now = store.now()
            records = {host: store.load(host) for host in store.hosts()}
        finally:
            store.close()
    results = check_hosts(config, records, now)
    for result in results:
        click.echo(json.dumps(result.fields()) if json_lines else result.line())
    return 1 if any(result.failure for result in results) else 0
