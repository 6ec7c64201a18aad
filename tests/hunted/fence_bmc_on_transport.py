"""fence_bmc on a virtual clock and network: the whole agent, with its sockets and clock replaced.

Replaced are `time` in the modules of `fencer`, the socket of IPMI, and how `HttpConnection` opens a connection and carries one
exchange. Everything above that is the agent's own: what it does with an error, when it tries again, what it says. Each exchange
has a connection of its own here; the agent would keep one.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from fencer import agent, run  # noqa: F401  (run is imported so that its clock is replaced)
from fencer.transport import channels, http_connection, ipmi, ipmi_session, redfish  # noqa: F401
from fencer.transport.http_connection import HttpConnection, RawResponse

PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "redfish": {"ip": "host", "ipport": "port", "ssl_insecure": "insecure", "systems_uri": "system_uri", "identity": "uuid"},
    "ipmi": {"ip": "ipmi_host", "ipport": "ipmi_port"},
}


class Clock:
    """Stands in for the module `time`."""

    CLOCK_BOOTTIME = 0

    def __init__(self, clock: Any) -> None:
        self.monotonic, self.sleep = clock.now, clock.sleep

    def clock_gettime(self, which: int) -> float:
        return 0.0  # the age of this process is no age of the agent


class Datagrams:
    """Stands in for the module `socket` and for one connected UDP socket: what is sent goes with the next look for an answer."""

    SOCK_DGRAM, SOCK_STREAM, AF_INET, AF_INET6 = socket.SOCK_DGRAM, socket.SOCK_STREAM, socket.AF_INET, socket.AF_INET6

    def __init__(self, transport: Any) -> None:
        self.transport = transport
        self.waiting = b""
        self.timeout: float | None = None
        self.address = ("", 0)

    def socket(self, family: int, kind: int) -> Datagrams:
        return Datagrams(self.transport)

    def connect(self, address: tuple[str, int]) -> None:
        self.address = address

    def settimeout(self, seconds: float | None) -> None:
        self.timeout = seconds

    def send(self, data: bytes) -> None:
        self.flush()
        self.waiting = data

    def recv(self, size: int) -> bytes:
        data, self.waiting = self.waiting, b""
        answer: bytes = self.transport.datagram(data, self.timeout, address=self.address)
        return answer

    def close(self) -> None:
        self.flush()

    def flush(self) -> None:
        data, self.waiting = self.waiting, b""
        if data:
            with contextlib.suppress(TimeoutError):
                self.transport.datagram(data, 0, address=self.address)


def put_on(transport: Any, clock: Any) -> None:
    """Replaces clock, sockets and connections in everything of `fencer` that is imported by now."""
    stands_in = Clock(clock)
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] == "fencer" and hasattr(module, "time"):
            module.time = stands_in  # type: ignore[attr-defined]

    def opened(self: HttpConnection, what: str, end: float) -> None:
        self._http = self._socket = SimpleNamespace(has_news=lambda: False, hang_up=lambda: None)  # type: ignore[assignment]

    def exchanged(
        self: HttpConnection, method: str, path: str, headers: Mapping[str, str], data: bytes | None, end: float
    ) -> RawResponse:
        url = f"{self._origin.scheme}://{self._origin.host}:{self._origin.port}{path}"
        answer = transport.http(method, url, dict(headers), data, max(end - clock.now(), 0.01))
        self.close()
        return RawResponse(answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.body)

    HttpConnection._open, HttpConnection._exchange = opened, exchanged  # type: ignore[method-assign]
    ipmi_session.socket = Datagrams(transport)  # type: ignore[attr-defined]


def fence(action: str, bmc: Mapping[str, str], *, transport: Any, clock: Any) -> None:
    """One run of the agent; ends with its exit status."""
    put_on(transport, clock)
    given = {name: bmc[key] for name, key in PARAMETERS[bmc["protocol"]].items()}
    given |= {"action": action, "protocol": bmc["protocol"], "username": bmc["user"], "password": bmc["password"]}
    given |= {"deadline": "14", "stonith_status_sleep": "0.5"}
    lines = "".join(f"{name}={value}\n" for name, value in given.items() if value)
    agent.read_stdin = lines.encode
    sys.exit(agent.main([]))
