"""Health probes (does the host answer?) and activity probes (does the host still write?).

`Manager` calls `run_probes` in the worker threads of the pool "probe". Times are seconds.

Rules
  1. A probe returns True, False, or None for unknown. None never counts as a dead host.
  2. If a host has several health or activity probes, one True is enough.
  3. Every probe ends within its time-out.
"""

from __future__ import annotations

import math
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from socket import create_connection

from fencer.ha.config import ExecProbe, FileProbe, HttpProbe, TcpProbe

AnyProbe = TcpProbe | HttpProbe | FileProbe | ExecProbe
UnixTime = Callable[[], float]

UNKNOWN_EXIT = 3
"""The result of an `exec` probe with this exit status, or that cannot be run, is unknown."""


def run_probes(
    probes: Sequence[AnyProbe], timeout: float, base: Path, unix_time: UnixTime = time.time, scale: float = 1.0
) -> bool | None:
    """Runs one round of probes. `timeout` is for the whole round; each probe gets an equal share of it."""
    share = timeout / max(len(probes), 1)
    answers = []
    for probe in probes:
        answers.append(run_probe(probe, share, base, unix_time, scale))
        if answers[-1]:
            return True
    return None if not answers or None in answers else False


def run_probe(probe: AnyProbe, timeout: float, base: Path, unix_time: UnixTime = time.time, scale: float = 1.0) -> bool | None:
    match probe:
        case TcpProbe():
            return _tcp(probe, timeout)
        case HttpProbe():
            return _http(probe, timeout)
        case FileProbe():
            return _file(base / probe.path, probe.max_age * scale, unix_time)
        case ExecProbe():
            return _exec(probe, timeout)


def _tcp(probe: TcpProbe, timeout: float) -> bool:
    try:
        create_connection((probe.host, probe.port), timeout).close()
    except OSError:
        return False
    return True


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())


def _http(probe: HttpProbe, timeout: float) -> bool:
    try:
        with _OPENER.open(probe.url, timeout=timeout) as answer:
            return bool(answer.status == probe.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code == probe.status
    except (TimeoutError, OSError, ValueError, EOFError):
        return False


def _file(path: Path, max_age: float, unix_time: UnixTime) -> bool | None:
    """Checks the age of a heartbeat file. Unknown if it cannot be read, because the storage may be broken."""
    try:
        changed = path.stat().st_mtime
    except FileNotFoundError:
        return False if path.parent.is_dir() else None
    except OSError:
        return None
    return unix_time() - changed <= max_age


def _exec(probe: ExecProbe, timeout: float) -> bool | None:
    try:
        done = subprocess.run(
            probe.argv, timeout=max(timeout, math.ulp(0.0)), stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    except OSError:
        return None
    return None if done.returncode == UNKNOWN_EXIT else done.returncode == 0
