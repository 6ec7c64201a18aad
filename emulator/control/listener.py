"""Opens the control listener of a running emulator, and says where it is in a file that only its user can read.

    with Emulator(units) as emulator, ControlListener(emulator, name="rack") as control:
        print(control.url)          # and control.token

Whoever runs the emulator makes it, in any thread but the emulator's. Its clients are served in threads of their own.

Rules
  1. It never listens where a BMC does, nor inside the network of a fleet.
  2. It opens after the BMCs, so that a free port that it takes is none of theirs.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final

from emulator import Emulator
from emulator.control.api import ControlApi
from emulator.control.http_server import ControlServer
from emulator.control.instance_files import FolderRefused, InstanceFile, birth_of, remove, write
from emulator.control.routes import problem

LOOPBACKS: Final = ("127.0.0.1", "::1")
TOKEN_BYTES: Final = 32


class ControlCannotListen(Exception):
    """The listener must not or cannot be where it was asked to be. One sentence."""


class ControlListener:
    """A context manager. `url` and `token` are what a client needs; `api.ready` is what /readyz tells."""

    def __init__(
        self, emulator: Emulator, *, name: str, host: str | None = None, port: int = 0, stop: Callable[[], object] = lambda: None
    ) -> None:
        """`host` None: 127.0.0.1, or ::1 where a fleet has that. `port` 0: a free one. `stop` is called for `bmc-emulator stop`.

        Opens at once. Raises ControlCannotListen where it must not or cannot listen, FolderRefused where its file cannot be
        written.
        """
        self._emulator = emulator
        self.host, self._sock = _open(emulator, host, port)
        self.port: int = self._sock.getsockname()[1]
        self.token = secrets.token_urlsafe(TOKEN_BYTES)
        self.api = ControlApi(emulator, name=name, token=self.token, stop=stop)
        instance = InstanceFile(
            name=name,
            pid=os.getpid(),
            born=birth_of(os.getpid()) or 0,
            host=_reachable(self.host),
            port=self.port,
            token=self.token,
        )
        self._server: ControlServer | None = None
        try:
            self._file: Path | None = write(instance)
        except FolderRefused:
            self._sock.close()
            raise
        self._server = ControlServer(self._sock, self.api.answer, lambda status, sentence: problem(status, sentence))
        self.api.counts = self._server.counts

    @property
    def url(self) -> str:
        host = _reachable(self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def __enter__(self) -> ControlListener:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Removes the file and ends every connection; safe to call twice."""
        if self._file is not None:
            remove(self._file)
            self._file = None
        self.api.reader.close()
        if self._server is not None:
            self._server.close()
            self._server = None


def _open(emulator: Emulator, host: str | None, port: int) -> tuple[str, socket.socket]:
    choices = LOOPBACKS if host is None else (host,)
    refusal = ""
    for choice in choices:
        refusal = _taken(emulator, choice, port)
        if refusal:
            continue
        try:
            return choice, _listening(choice, port)
        except OSError as error:
            refusal = f"cannot listen on {choice} port {port}: {(error.strerror or str(error)).lower()}"
    raise ControlCannotListen(refusal)


def _taken(emulator: Emulator, host: str, port: int) -> str:
    """Why the listener must not be there; empty: it may."""
    network = emulator.fleet_network
    if network is not None and (ipaddress.ip_address(host) in network or host == "0.0.0.0"):
        return f"{host} is inside {network}, where the BMCs are: choose another address, or --no-control"
    if port and network is None:
        for endpoint in emulator.endpoints.values():
            same = endpoint.host == host or host in ("0.0.0.0", "::")
            if same and port in (endpoint.redfish_port, endpoint.ipmi_port, endpoint.http_port):
                return f"{host} port {port} belongs to the BMC {endpoint.name}"
    return ""


def _listening(host: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, port))
        sock.listen(32)
    except OSError:
        sock.close()
        raise
    return sock


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
