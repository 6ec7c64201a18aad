"""What the front ends need of a network: a loop with timers, TCP ports that speak HTTP, UDP ports.

`SocketNetwork` gives it on real sockets, `emulator.wire.virtual_network` on a virtual clock without any. The front ends know only
the protocols of this module.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Collection, Mapping
from typing import Protocol, TypeVar
from wsgiref.types import WSGIApplication

from emulator.core.clock import Instant
from emulator.wire.http import HttpServer
from emulator.wire.reactor import Reactor
from emulator.wire.site import HttpHooks
from emulator.wire.tcp import bind
from emulator.wire.tcp_port import PortState
from emulator.wire.udp import OnDatagram, SocketAddress, UdpEndpoint

T = TypeVar("T")


class Loop(Protocol):
    """Timers and calls of an emulator. Instants and delays are in seconds on its clock."""

    def now(self) -> Instant: ...
    def call_later(self, seconds: float, callback: Callable[[], object]) -> object: ...
    def drive(self, next_due: Callable[[], Instant | None], advance: Callable[[Instant], object]) -> None: ...
    def post(self, callback: Callable[[], object]) -> None: ...
    def call(self, function: Callable[[], T]) -> T: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...


class OpenConnection(Protocol):
    def release(self, holder: str) -> None:
        """A fault holds nothing back any more."""


class HttpPort(Protocol):
    """One TCP port of a BMC."""

    address: str
    port: int
    tls: ssl.SSLContext | None

    @property
    def connections(self) -> Collection[OpenConnection]: ...
    def set_door(self, door: PortState) -> None: ...
    def serve_at_once(self, most: int | None) -> None: ...
    def drop_connections(self) -> None: ...


class HttpPorts(Protocol):
    """All ports of one WSGI application, by the name of their BMC."""

    @property
    def listeners(self) -> Mapping[str, HttpPort]: ...
    def listen(
        self, name: str, address: str, port: int, *, tls: ssl.SSLContext | None = None, app: WSGIApplication | None = None
    ) -> HttpPort: ...
    def shut(self, name: str) -> None: ...
    def close(self) -> None: ...


class DatagramPort(Protocol):
    @property
    def port(self) -> int: ...
    def send(self, data: bytes, peer: SocketAddress, local: SocketAddress | None = None) -> None: ...
    def close(self) -> None: ...


class WireNetwork(Protocol):
    """Opens ports. Port 0 takes a free one. All methods raise CannotBind."""

    def http(self, app: WSGIApplication, hooks: HttpHooks | None = None) -> HttpPorts: ...
    def udp(self, address: str, port: int, on_datagram: OnDatagram) -> DatagramPort: ...
    def hold(self, address: str) -> tuple[int, int]:
        """A TCP and a UDP port that nobody else gets and where nothing listens, until `close`."""

    def close(self) -> None: ...


class SocketNetwork:
    """Sockets of this machine, served by a reactor."""

    def __init__(self, reactor: Reactor) -> None:
        self.reactor = reactor
        self._held: list[socket.socket] = []

    def http(self, app: WSGIApplication, hooks: HttpHooks | None = None) -> HttpServer:
        return HttpServer(self.reactor, app, hooks=hooks)

    def udp(self, address: str, port: int, on_datagram: OnDatagram) -> UdpEndpoint:
        return UdpEndpoint(self.reactor, address, port, on_datagram)

    def hold(self, address: str) -> tuple[int, int]:
        # Bound and never listening: connects are refused.
        tcp, udp = bind(socket.SOCK_STREAM, address, 0), bind(socket.SOCK_DGRAM, address, 0)
        self._held += [tcp, udp]
        return tcp.getsockname()[1], udp.getsockname()[1]

    def close(self) -> None:
        for held in self._held:
            held.close()
