"""Starts and stops VMs on hosts, by a command or over HTTP.

`Restarts` calls an executor in the worker threads of the pool "vm". Timeouts are seconds.

Rules
  1. Each start has a key. The receiver must treat a second start with the same key as done: if a manager ends before it has
     stored the result, the next manager repeats the start with the same key on the same host.
  2. A failure says whether it is certain that nothing was started. Only then may another host be tried.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


class StartFailed(Exception):
    """A start or stop failed. `nothing_started`: it is certain that no VM was started, so another host may be tried."""

    def __init__(self, text: str, *, nothing_started: bool) -> None:
        super().__init__(text)
        self.nothing_started = nothing_started


class VmExecutor(Protocol):
    def start(self, vm: str, host: str, key: str, timeout: float) -> None:
        """Returns once the VM runs on `host`. Raises StartFailed."""
        ...

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        """Returns once the VM does not run on `host`. Raises StartFailed."""
        ...


NOT_STARTED_EXIT = 75
"""EX_TEMPFAIL: exit status of a start command that has certainly started nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecVmExecutor:
    """Runs a command after replacing `{vm}`, `{host}` and `{key}` in its arguments. Exit status 0: success."""

    start_argv: Sequence[str]
    stop_argv: Sequence[str]
    cwd: Path

    def start(self, vm: str, host: str, key: str, timeout: float) -> None:
        self._run(self.start_argv, vm, host, key, timeout)

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        self._run(self.stop_argv, vm, host, key, timeout)

    def _run(self, argv: Sequence[str], vm: str, host: str, key: str, timeout: float) -> None:
        words = [word.replace("{vm}", vm).replace("{host}", host).replace("{key}", key) for word in argv]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpVmExecutor:
    """POSTs {"vm", "key"} to <agent>/vms/start or /stop. 2xx: done. 4xx: refused, nothing started. Otherwise: unknown."""

    agents: dict[str, str]
    token: str | None = field(default=None, repr=False)

    def start(self, vm: str, host: str, key: str, timeout: float) -> None:
        self._post("start", vm, host, key, timeout)

    def stop(self, vm: str, host: str, key: str, timeout: float) -> None:
        self._post("stop", vm, host, key, timeout)

    def _post(self, what: str, vm: str, host: str, key: str, timeout: float) -> None:
        url = f"{self.agents[host].rstrip('/')}/vms/{what}"
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        request = urllib.request.Request(url, json.dumps({"vm": vm, "key": key}).encode(), headers, method="POST")
        try:
            with _OPENER.open(request, timeout=timeout):
                return
        except urllib.error.HTTPError as error:
            with error:
                refused = 400 <= error.code < 500
                raise StartFailed(f"{url} answered HTTP {error.code}", nothing_started=refused) from error
        except urllib.error.URLError as error:
            refused = isinstance(error.reason, ConnectionRefusedError)
            raise StartFailed(f"{url}: {error.reason}", nothing_started=refused) from error
        except OSError as error:
            raise StartFailed(f"{url}: {error}", nothing_started=False) from error


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
