"""A process of the suite that plays scenarios of in-process fencers, one after the other; each run in a child of its own.

`workers` starts it and speaks to it over two pipes (`messages`). One thread.

Rules
  1. A fencer is called in a child only, so what it changes and leaves open ends with that run. Its module is imported here, once.
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
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from conformance.adapters import process_table
from conformance.adapters.base import CannotStart, Invocation
from conformance.adapters.python_transport import PythonTransportAdapter
from conformance.in_process.messages import SIZE_BYTES, outcome_line, rest_line, unpacked
from conformance.leaks import look_around
from conformance.outcome import FencerOutcome
from conformance.play_scenario import LOOPBACK, Play, Played, planned, play
from emulator import (
    Emulator,
    EmulatorError,
    Event,
    OutOfTime,
    Place,
    Reusable,
    SocketlessEmulator,
    UnitSpec,
    reusable,
    virtual_address,
)

Tell = Callable[[str], object]
"""Takes one line of `messages`."""
ONE_LINE: Final = {ord("\n"): " ", ord("\r"): " "}
PR_SET_PDEATHSIG: Final = 1
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


def main(requests: int, reports: int) -> None:
    """Plays what comes in until the pipe ends."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the suite's affair: it closes the pipe
    time.sleep = _refused_sleep
    sys.addaudithook(_refuse_sockets)
    warm: set[tuple[str, int]] = set()
    reused = reusable()
    searched: set[Path] = set()
    while (size := _read(requests, SIZE_BYTES)) and (data := _read(requests, int.from_bytes(size))):
        what = unpacked(data)
        was_warm = _warm_up(what, reused, warm)
        _import_fencer(what)
        if (folder := what.definition.folder) not in searched:
            searched.add(folder)
            look_around(folder)
        if not was_warm:
            gc.collect()
            gc.freeze()  # else a collection in a child would touch, and so copy, every page of what is shared
        child = os.fork()
        if child == 0:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            os.close(requests)
            _run_child(what, reused, reports)
        status, hung_up = _watch(child, requests, BEYOND_S + len(what.steps) * what.definition.cap)
        leftover = _end_leftovers()
        if hung_up:
            return
        _write(reports, f"D {json.dumps({'status': status, 'leftover': leftover})}")


# -- the child -----------------------------------------------------------------------------------------------------------------


def _run_child(what: Play, reused: Reusable, reports: int) -> None:
    """Never returns."""
    code = 1
    try:
        os.setsid()
        tell = partial(_write, reports)
        try:
            tell(rest_line(play_here(what, reused, tell)))
            code = 0
        except CannotStart as why:
            tell(f"X start {why}")
        except (OSError, EmulatorError) as error:
            tell(f"X suite {error}")
        except Exception as error:  # noqa: BLE001 - becomes the cell's ERROR
            tell(f"X suite {type(error).__name__}: {error}")
    finally:
        os._exit(code)


def play_here(what: Play, reused: Reusable, tell: Tell) -> Played:
    """Plays a scenario in this process and thread; `tell` gets the lines `E` and `O` meanwhile."""
    way = what.definition.ways[what.protocol]
    assert isinstance(way, PythonTransportAdapter)
    started: list[_ToldEmulator] = []

    def start(
        units: Sequence[UnitSpec], *, seed: int, places: Mapping[str, Place], refuse: frozenset[str], latency: bool
    ) -> Emulator:
        own = {  # ports of their own tell BMCs apart that are called by one name
            unit.name: Place(listen=virtual_address(n)) if places[unit.name].listen == LOOPBACK else places[unit.name]
            for n, unit in enumerate(units)
        }
        started.append(_ToldEmulator(units, seed=seed, places=own, refuse=refuse, latency=latency, reused=reused))
        started[-1].tell = tell
        return started[-1]

    telling = _TellingAdapter(
        folder=way.folder, built_in=way.built_in, function=way.function, functions=way.functions, params=way.params,
        stage=lambda: started[-1], tell=tell,
    )  # fmt: skip
    ways = {**what.definition.ways, what.protocol: telling}
    steps = tuple(replace(step, together=0) for step in what.steps)  # one thread: one after the other
    return play(replace(what, steps=steps, definition=replace(what.definition, ways=ways)), threading.Event(), start)


class _ToldEmulator(SocketlessEmulator):
    """Tells every event, so that the journal is not lost with this process."""

    tell: Tell

    def __enter__(self) -> SocketlessEmulator:
        super().__enter__()
        for event in self.journal:
            self._tell(event)
        self.journal.subscribe(self._tell)
        return self

    def _tell(self, event: Event) -> None:
        self.tell(f"E {event.to_json()}")


@dataclass(frozen=True, kw_only=True)
class _TellingAdapter(PythonTransportAdapter):
    tell: Tell

    def run(self, invocation: Invocation) -> FencerOutcome:
        outcome = super().run(invocation)
        self.tell(outcome_line(outcome))
        return outcome


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
    if (folder := str(way.folder)) not in sys.path:
        sys.path.insert(0, folder)
    for target in {way.function, *way.functions.values()} - {""}:
        with contextlib.suppress(BaseException):
            importlib.import_module(target.partition(":")[0])


def _watch(child: int, requests: int, cap_s: float) -> tuple[int, bool]:
    """Waits for the end of the child, which is killed at the cap or when the suite hangs up: (its exit code, hung up)."""
    descriptor = os.pidfd_open(child)
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    poller.register(requests, 0)  # a hang-up is told without being asked for
    ready = [number for number, _ in poller.poll(cap_s * 1000)]
    if descriptor not in ready:
        os.kill(child, signal.SIGKILL)
    os.close(descriptor)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), requests in ready


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


# -- pipes ---------------------------------------------------------------------------------------------------------------------


def _read(descriptor: int, size: int) -> bytes:
    """So many bytes; empty where the pipe ends before."""
    pieces: list[bytes] = []
    while size > 0:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            return b""
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def _write(descriptor: int, line: str) -> None:
    data = memoryview(f"{line.translate(ONE_LINE)}\n".encode(errors="replace"))
    while data:
        data = data[os.write(descriptor, data) :]
