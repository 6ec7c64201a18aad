"""A running emulator with a control listener, in this process, and raw connections to it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from emulator import ControlClient, ControlListener, Emulator, HostSpec, UnitSpec
from profiles import load

PATIENCE = 20
"""Seconds for anything that a busy machine may delay."""


@dataclass
class ControlBed:
    emulator: Emulator
    listener: ControlListener
    client: ControlClient
    stopped: list[bool] = field(default_factory=list)
    sockets: list[socket.socket] = field(default_factory=list)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Status, headers in lower case, and the body as JSON where it is. `headers`: `None` as text leaves the default one
        out."""
        connection = http.client.HTTPConnection(self.listener.host, self.listener.port, timeout=PATIENCE)
        sent = {"Authorization": f"Bearer {self.listener.token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-").title(): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {name: value for name, value in sent.items() if value != "None"})
            answer = connection.getresponse()
            raw = answer.read()
            told = {name.lower(): value for name, value in answer.getheaders()}
            return (
                answer.status,
                told,
                json.loads(raw) if told.get("content-type") == "application/json" and raw else raw.decode(),
            )
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        sock = socket.create_connection((self.listener.host, self.listener.port), timeout=PATIENCE)
        self.sockets.append(sock)
        return sock


@contextmanager
def control_bed(monkeypatch: Any, runtime: object, *hosts: HostSpec, count: int = 1, **settings: Any) -> Iterator[ControlBed]:
    """BMCs node1, node2 ...; the instance file is in `runtime`."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    profile = load("dmtf-generic")
    units = [UnitSpec(name=f"node{n}", profile=profile, hosts=hosts or (HostSpec(),)) for n in range(1, count + 1)]
    stopped: list[bool] = []
    with (
        Emulator(units, tls=False, **settings) as emulator,
        ControlListener(emulator, name="bed", stop=lambda: stopped.append(True)) as listener,
    ):
        bed = ControlBed(
            emulator, listener, ControlClient(listener.host, listener.port, listener.token, timeout_s=PATIENCE), stopped
        )
        yield bed
        for sock in bed.sockets:
            sock.close()
