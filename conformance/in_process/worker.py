"""A process of the suite that plays scenarios of in-process fencers, one after the other, in children of its own (`player`).

`workers` starts it and speaks to it over pipes (`messages`). One thread.

Rules
  1. A fencer is called in a child only: what it changes and leaves open ends with that child. Its module is imported here.
  2. The child is killed at the cap on the wall clock, and when the suite closes its pipe; what it has started ends with it.
  3. Everything that takes long is loaded and made here, before the child is there: resource trees, certificates, libraries, and
     the listings of directories in which passwords will be searched for.
  4. One worker serves one fencer.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import gc
import http.client
import importlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Final

from conformance.adapters import process_table
from conformance.adapters.python_transport import PythonTransportAdapter
from conformance.in_process.messages import SIZE_BYTES, unpacked
from conformance.in_process.player import Player, may_follow, read_all, started, write_all, write_line
from conformance.leaks import look_around
from conformance.play_scenario import Play, planned
from emulator import EmulatorError, OutOfTime, Reusable, SocketlessEmulator, reusable

PR_SET_CHILD_SUBREAPER: Final = 36
BEYOND_S: Final = 2.0
"""Wall-clock seconds that a run has besides the caps of its asks: for the BMCs, and for looking at what became of them."""
WARM_UP_S: Final = 60.0
"""Virtual seconds that the BMCs have for the requests of `_ask_everything`."""
AUTH_CAPABILITIES: Final = bytes.fromhex("0600ff07 00000000000000000009 2018c8810038 8e04b5")
"""IPMI 1.5 outside of a session: Get Channel Authentication Capabilities."""
_sleep: Final = time.sleep
GRACE_S: Final = 0.05
"""How long what a fencer has started may take to end after it."""


def main(requests: int, reports: int, ended: int) -> None:
    """Plays what comes in until the pipe ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the suite's affair: it closes the pipe
    time.sleep = _refused_sleep
    sys.addaudithook(_refuse_sockets)
    warm: set[tuple[str, int]] = set()
    reused = reusable()
    searched: set[Path] = set()
    player: Player | None = None
    while (size := read_all(requests, SIZE_BYTES)) and (data := read_all(requests, int.from_bytes(size))):
        what = unpacked(data)
        is_new = not _warm_up(what, reused, warm)
        _import_fencer(what)
        if (folder := what.definition.folder) not in searched:
            searched.add(folder)
            look_around(folder)
        if is_new:
            gc.collect()
            gc.freeze()  # else a collection in a child would touch, and so copy, every page of what is shared
        if player is not None and (is_new or not may_follow(what)):
            player.end()
            player = None
        if player is None:
            player = started(what, reused, (requests, ended), reports)
        else:
            player.tell(data)
        status, hung_up = player.wait(requests, BEYOND_S + len(what.steps) * what.definition.cap)
        if status is None and process_table.descendants(os.getpid()) != (player.pid,):
            player.end()
            status = 0
        leftover: tuple[str, ...] = ()
        if status is not None:
            player = None
            leftover = _end_leftovers()
        if hung_up:
            return
        write_line(reports, f"D {json.dumps({'status': status or 0, 'leftover': leftover})}")
        write_all(ended, b".")


def _refused_sleep(seconds: object, /) -> None:
    raise RuntimeError("a fencer with a clock waits with clock.sleep: time.sleep would stop the BMCs as well")


def _refuse_sockets(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], tuple):
        raise RuntimeError("a fencer with a transport reaches BMCs through transport.http and transport.datagram only")


# -- the worker ----------------------------------------------------------------------------------------------------------------


def _warm_up(what: Play, reused: Reusable, warm: set[tuple[str, int]]) -> bool:
    """Makes what every run with this profile needs, once; whether it was there."""
    units = planned(what.scenario, what.profile, "not a password").units
    key = what.profile.digest, max((len(unit.hosts) for unit in units), default=0)
    was_warm = key in warm
    if not was_warm:
        emulator = SocketlessEmulator(units, reused=reused)
        with contextlib.suppress(EmulatorError), emulator:
            _ask_everything(emulator)
            warm.add(key)
    return was_warm


def _ask_everything(emulator: SocketlessEmulator) -> None:
    """One request of each kind to each BMC, so that what is made at the first one is there. No fencer has a part in it."""
    for name, endpoint in emulator.endpoints.items():
        transport, _ = emulator.client(name, limit_s=WARM_UP_S)
        word = base64.b64encode(f"{endpoint.username}:{endpoint.password}".encode()).decode()
        headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
        actions = (f"{system.uri}/Actions/ComputerSystem.Reset" for system in endpoint.systems)
        asked = [("GET", "/redfish/v1/", b""), *(("GET", system.uri, b"") for system in endpoint.systems)]
        for method, path, body in (*asked, *(("POST", action, b"{}") for action in actions)):
            with contextlib.suppress(OSError, http.client.HTTPException, OutOfTime):
                transport.http(method, f"{endpoint.redfish_url}{path}", headers, body or None, WARM_UP_S)
        with contextlib.suppress(OSError, OutOfTime):
            transport.datagram(AUTH_CAPABILITIES, WARM_UP_S)


def _import_fencer(what: Play) -> None:
    """Imports its modules as every run would; what goes wrong is said there, where it is tried again."""
    way = what.definition.ways[what.protocol]
    if not isinstance(way, PythonTransportAdapter):
        return
    if sys.path[:1] != [folder := str(way.folder)]:  # before all else: a script's folder may hold a module of the same name
        sys.path.insert(0, folder)
    for target in {way.function, *way.functions.values()} - {""}:
        with contextlib.suppress(BaseException):
            importlib.import_module(target.partition(":")[0])


def _end_leftovers() -> tuple[str, ...]:
    """Names of what a run has left; it is ended."""
    until = time.monotonic() + GRACE_S
    while (left := process_table.descendants(os.getpid())) and time.monotonic() < until:
        _sleep(GRACE_S / 10)
        _reap()
    names = tuple(sorted(filter(None, map(process_table.name, left))))
    while left := process_table.descendants(os.getpid()):
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _reap()
    return names


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
