"""Ports without sockets: what listens where, on a virtual clock.

The front ends open ports here as they would on `SocketNetwork`; `virtual_client` connects to them. One thread. Addresses are only
names: nothing of this machine's network is touched.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import ssl
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from wsgiref.types import WSGIApplication

from emulator.wire.limits import ClientLimits
from emulator.wire.session import HttpSession
from emulator.wire.site import HttpHooks, NoHooks, Site, redfish_error
from emulator.wire.tcp import CannotBind
from emulator.wire.tcp_port import PortState
from emulator.wire.udp import OnDatagram, SocketAddress
from emulator.wire.virtual_connection import VirtualConnection
from emulator.wire.virtual_loop import VirtualLoop

FIRST_FREE_PORT = 40_000
LOCALHOST = "localhost"


_log = logging.getLogger("fencelab.wire")


def _report(error: Exception) -> None:
    _log.error("the application failed: %s", error, exc_info=error)


@dataclass(frozen=True, slots=True)
class _Served:
    """What all ports of one application share."""

    app: WSGIApplication
    hooks: HttpHooks
    limits: ClientLimits


class VirtualPort:
    """A TCP port of one BMC, whose name it has."""

    def __init__(
        self, loop: VirtualLoop, served: _Served, name: str, address: str, port: int, tls: ssl.SSLContext | None
    ) -> None:
        self.name = name
        self.address = address
        self.port = port
        self.tls = tls
        self.door = PortState.OPEN
        self._loop = loop
        self._served = served
        self._connections: set[VirtualConnection] = set()
        self._waiting: list[VirtualConnection] = []  # connected, and not served yet
        self._at_once: int | None = None

    @property
    def connections(self) -> Collection[VirtualConnection]:
        return (*self._connections, *self._waiting)

    def serve_at_once(self, most: int | None) -> None:
        """Serves at most so many connections at a time; None: no limit. More connect and hear nothing until one of them ends."""
        self._at_once = most
        self._serve()

    def set_door(self, door: PortState) -> None:
        """Changes how the port treats new clients."""
        self.door = door

    def drop_connections(self) -> None:
        """Resets every open connection."""
        for connection in self.connections:
            connection.abort()

    def connect(self, peer: SocketAddress) -> VirtualConnection | None:
        """A new connection; None where the SYN is lost. Raises ConnectionRefusedError."""
        if self.door is PortState.REFUSED:
            raise refused()
        if self.door is PortState.SATURATED:
            return None
        served = self._served
        connection = VirtualConnection(self._loop, (self.address, self.port), peer, served.limits, self._gone)
        self._waiting.append(connection)
        self._serve()
        return connection

    def _serve(self) -> None:
        while self._waiting and (self._at_once is None or len(self._connections) < self._at_once):
            connection = self._waiting.pop(0)
            self._connections.add(connection)
            plan = self._served.hooks.connected(self.name, connection.peer)
            connection.play(plan or (), partial(self._introduce, connection))

    def _gone(self, connection: VirtualConnection) -> None:
        self._connections.discard(connection)
        if connection in self._waiting:
            self._waiting.remove(connection)
        self._serve()

    def _introduce(self, connection: VirtualConnection) -> None:
        served = self._served
        context = served.hooks.handshake(self.name, self.tls)
        connection.secure = context is not None
        environ = {"emulator.bmc": self.name}
        site = Site(self.name, served.app, environ, served.hooks, served.limits, redfish_error, _report)
        connection.introduce(HttpSession(connection, site), context)


class VirtualHttpPorts:
    """All ports of one WSGI application."""

    def __init__(self, network: VirtualNetwork, served: _Served) -> None:
        self._network = network
        self._served = served
        self.listeners: dict[str, VirtualPort] = {}

    def listen(
        self, name: str, address: str, port: int, *, tls: ssl.SSLContext | None = None, app: WSGIApplication | None = None
    ) -> VirtualPort:
        """Opens a port; `app` replaces the one of all. Raises CannotBind; ValueError for a name in use."""
        if name in self.listeners:
            raise ValueError(f"there is a listener {name!r} already")
        served = self._served if app is None else _Served(app, self._served.hooks, self._served.limits)
        opened = VirtualPort(self._network.loop, served, name, address, self._network.take(address, port), tls)
        self.listeners[name] = self._network.tcp[address, opened.port] = opened
        return opened

    def shut(self, name: str) -> None:
        """Closes one port and resets its connections. Does nothing where there is none."""
        port = self.listeners.pop(name, None)
        if port is not None:
            self._network.tcp.pop((port.address, port.port), None)
            port.drop_connections()

    def close(self) -> None:
        for name in tuple(self.listeners):
            self.shut(name)


class VirtualDatagramPort:
    """A UDP port of one BMC, and what has arrived for its client."""

    def __init__(self, network: VirtualNetwork, address: str, port: int, on_datagram: OnDatagram) -> None:
        self.address = address
        self.port = port
        self._network = network
        self._on_datagram = on_datagram

    def send(self, data: bytes, peer: SocketAddress, local: SocketAddress | None = None) -> None:
        """A datagram of the BMC; it arrives at once."""
        self._network.arrived.setdefault((self.address, self.port), []).append(data)

    def receive(self, data: bytes, peer: SocketAddress) -> None:
        """A datagram of the client."""
        self._on_datagram(data, peer, (self.address, self.port))

    def close(self) -> None:
        self._network.udp_ports.pop((self.address, self.port), None)


class VirtualNetwork:
    """The `WireNetwork` of a socketless emulator: addresses and what listens at them."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.tcp: dict[SocketAddress, VirtualPort] = {}
        self.udp_ports: dict[SocketAddress, VirtualDatagramPort] = {}
        self.arrived: dict[SocketAddress, list[bytes]] = {}
        """Datagrams that a BMC has sent to the client and that nobody has read yet, by the BMC's address."""
        self._next_free = FIRST_FREE_PORT
        self.addresses: set[str] = set()
        """Where there is a BMC, listening or not."""

    def http(self, app: WSGIApplication, hooks: HttpHooks | None = None) -> VirtualHttpPorts:
        return VirtualHttpPorts(self, _Served(app, hooks or NoHooks(), ClientLimits()))

    def udp(self, address: str, port: int, on_datagram: OnDatagram) -> VirtualDatagramPort:
        self.addresses.add(address)
        port = port or self._free()
        if (address, port) in self.udp_ports:
            raise CannotBind(address, port, "something else listens there already")
        opened = self.udp_ports[address, port] = VirtualDatagramPort(self, address, port, on_datagram)
        return opened

    def hold(self, address: str) -> tuple[int, int]:
        self.addresses.add(address)
        return self._free(), self._free()

    def close(self) -> None:
        self.tcp.clear()
        self.udp_ports.clear()

    def take(self, address: str, port: int) -> int:
        """The number of a TCP port that is to be opened. Raises CannotBind."""
        self.addresses.add(address)
        port = port or self._free()
        if (address, port) in self.tcp:
            raise CannotBind(address, port, "something else listens there already")
        return port

    def at(self, host: str, port: int) -> VirtualPort | None:
        """What listens there, or would; None where nothing does. `localhost` is a name for all addresses.

        Raises what a socket raises for a host that is not there.
        """
        if host == LOCALHOST:
            return next((opened for (_, number), opened in self.tcp.items() if number == port), None)
        self.look_up(host)
        return self.tcp.get((host, port))

    def look_up(self, host: str) -> None:
        """Raises gaierror for a name that nobody knows, OSError for an address where no BMC is."""
        if host in self.addresses or host == LOCALHOST:
            return
        try:
            ipaddress.ip_address(host)
        except ValueError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    def _free(self) -> int:
        self._next_free += 1
        return self._next_free - 1


def refused() -> ConnectionRefusedError:
    return ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
