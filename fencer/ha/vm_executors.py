"""Starts, stops and lists VMs on hosts, by a command or over HTTP.

`Restarts` calls an executor in the worker threads of the pools "vm" (starts), "stop" and "agent" (lists). Timeouts are seconds.

Rules
  1. Each start has a key. The receiver must treat a second start with the same key as done, and a start whose key was
     given to a stop as refused: if a manager ends before it has stored the result, the next manager repeats the start.
  2. A failure says whether it is certain that this try started nothing.
  3. A start names the boot of the host that it is meant for, if it is known. A host that has booted again must refuse it.
"""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

MAX_LIST_BYTES = 4 * 1024 * 1024


class StartFailed(Exception):
    """A start or stop failed. `nothing_started`: it is certain that this try started no VM."""

    def __init__(self, text: str, *, nothing_started: bool) -> None:
        super().__init__(text)
        self.nothing_started = nothing_started


class ListFailed(Exception):
    """The agent of a host cannot be asked for its VMs, or its answer is not a list. Nobody knows what runs there."""


@dataclass(frozen=True, slots=True)
class AgentReport:
    """What an agent says: the id of the host's boot, and all VMs that run there."""

    boot: str
    vms: frozenset[str]


class VmExecutor(Protocol):
    def start(self, vm: str, host: str, key: str, boot: str | None, timeout: float) -> None:
        """Returns once the VM runs on `host`. Raises StartFailed."""
        ...

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        """Returns once the VM does not run on `host` and no start with `key` can run it there. Raises StartFailed."""
        ...

    @property
    def lists(self) -> bool:
        """True if `running` can be asked."""
        ...

    @property
    def names_boot(self) -> bool:
        """True if a start tells the host for which of its boots it is meant (rule 3)."""
        ...

    def running(self, host: str, timeout: float) -> AgentReport:
        """Returns what runs on `host`. Raises ListFailed."""
        ...


NOT_STARTED_EXIT = 75
"""EX_TEMPFAIL: exit status of a start command that has certainly started nothing."""


def parse_report(text: bytes, source: str) -> AgentReport:
    """Parses {"boot": TEXT, "vms": [NAME, ...]}. Raises ListFailed for anything else."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ListFailed(f"{source}: not JSON") from error
    boot, vms = (raw.get("boot"), raw.get("vms")) if isinstance(raw, dict) else (None, None)
    if not isinstance(boot, str) or not boot or not isinstance(vms, list) or not all(isinstance(vm, str) for vm in vms):
        raise ListFailed(f'{source}: not {{"boot": TEXT, "vms": [NAME, ...]}}')
    return AgentReport(boot, frozenset(vms))


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecVmExecutor:
    """Runs a command after replacing `{vm}`, `{host}`, `{key}` and `{boot}` in its arguments. Exit status 0: success."""

    start_argv: Sequence[str]
    stop_argv: Sequence[str]
    cwd: Path
    list_argv: Sequence[str] = ()

    @property
    def lists(self) -> bool:
        return bool(self.list_argv)

    @property
    def names_boot(self) -> bool:
        return any("{boot}" in word for word in self.start_argv)

    def start(self, vm: str, host: str, key: str, boot: str | None, timeout: float) -> None:
        self._run(self.start_argv, {"vm": vm, "host": host, "key": key, "boot": boot or ""}, timeout)

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        self._run(self.stop_argv, {"vm": vm, "host": host, "key": key}, timeout)

    def running(self, host: str, timeout: float) -> AgentReport:
        words = _filled(self.list_argv, {"host": host})
        try:
            done = subprocess.run(
                words, cwd=self.cwd, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        except (subprocess.TimeoutExpired, OSError) as error:
            raise ListFailed(f"{words[0]}: {error}") from error
        if done.returncode != 0:
            raise ListFailed(f"{words[0]} ended with {done.returncode}")
        return parse_report(done.stdout, words[0])

    def _run(self, argv: Sequence[str], values: Mapping[str, str], timeout: float) -> None:
        words = _filled(argv, values)
        try:
            # Output is discarded: a VM process that the command starts may inherit a pipe, and the call would wait for its end.
            done = subprocess.run(
                words, cwd=self.cwd, timeout=timeout, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise StartFailed(f"{words[0]} did not end within {timeout:g} s", nothing_started=False) from error
        except OSError as error:
            raise StartFailed(f"{words[0]} cannot be run: {error.strerror}", nothing_started=True) from error
        if done.returncode != 0:
            raise StartFailed(f"{words[0]} ended with {done.returncode}", nothing_started=done.returncode == NOT_STARTED_EXIT)


def _filled(argv: Sequence[str], values: Mapping[str, str]) -> list[str]:
    words = list(argv)
    for name, value in values.items():
        words = [word.replace(f"{{{name}}}", value) for word in words]
    return words


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpVmExecutor:
    """POSTs {"vm", "key", "boot"} to <agent>/vms/start or /stop, and GETs <agent>/vms.

    2xx: done. 4xx, or no connection: this try started nothing. Otherwise: unknown.
    """

    agents: Mapping[str, str]
    token: str | None = field(default=None, repr=False)

    @property
    def lists(self) -> bool:
        return True

    @property
    def names_boot(self) -> bool:
        return True

    def start(self, vm: str, host: str, key: str, boot: str | None, timeout: float) -> None:
        body = {"vm": vm, "key": key, **({"boot": boot} if boot else {})}
        self._post(f"{self.agents[host].rstrip('/')}/vms/start", body, timeout)

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        self._post(f"{self.agents[host].rstrip('/')}/vms/stop", {"vm": vm, "key": key}, timeout)

    def running(self, host: str, timeout: float) -> AgentReport:
        url = f"{self.agents[host].rstrip('/')}/vms"
        connection = _connection(url, timeout)
        try:
            connection.request("GET", urlsplit(url).path, headers=self._headers())
            answer = connection.getresponse()
            body = answer.read(MAX_LIST_BYTES + 1)
        except (OSError, http.client.HTTPException) as error:
            raise ListFailed(f"{url}: {error}") from error
        finally:
            connection.close()
        if answer.status != 200 or len(body) > MAX_LIST_BYTES:
            raise ListFailed(f"{url} answered HTTP {answer.status} and {len(body)} bytes")
        return parse_report(body, url)

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _post(self, url: str, body: Mapping[str, str], timeout: float) -> None:
        connection = _connection(url, timeout)
        try:
            try:
                connection.connect()
            except OSError as error:
                raise StartFailed(f"{url}: {error}", nothing_started=True) from error
            try:
                headers = {"Content-Type": "application/json", **self._headers()}
                connection.request("POST", urlsplit(url).path, json.dumps(body).encode(), headers)
                status = connection.getresponse().status
            except (OSError, http.client.HTTPException) as error:
                text = str(error) or type(error).__name__
                raise StartFailed(f"{url}: {text}", nothing_started=False) from error
        finally:
            connection.close()
        if not 200 <= status < 300:
            raise StartFailed(f"{url} answered HTTP {status}", nothing_started=400 <= status < 500)


def _connection(url: str, timeout: float) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    if parts.scheme == "https":
        return http.client.HTTPSConnection(parts.netloc, timeout=timeout, context=ssl.create_default_context())
    return http.client.HTTPConnection(parts.netloc, timeout=timeout)
