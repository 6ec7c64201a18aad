"""One listening TCP socket for many BMCs, each of which has an address of its own on one device.

`fleet_sockets` makes it for a fleet that is too large for a socket per BMC. Everything runs in the loop's thread.

Rules
  1. The local address of an accepted connection says which BMC was meant. Where no BMC has it, the connection is reset.
  2. The port of a BMC has the methods and the states of a `Listener`, as far as one socket can do that: see below.

Theory
  Refused: the kernel has accepted the connection before this process sees it. So the client connects and is reset before anything
  is answered (its connect may fail with that reset already); a `Listener` refuses the connect itself.
  Saturated: a packet filter drops the SYN, as a full queue does. It holds a limited number of ranges of addresses. Whoever gets
  through connects and waits; it is served if the port opens in time.
  Few served at a time: more connections are accepted and wait here, and not in the kernel.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from functools import partial
from ipaddress import IPv4Address

from emulator.wire.connection import Connection
from emulator.wire.ops import Hang, Wait
from emulator.wire.reactor import Reactor
from emulator.wire.syn_filter import MAX_RANGES, AddressRanges, attach
from emulator.wire.tcp import WHOLE_DEVICE_TAKEN, CannotBind, bind_shared
from emulator.wire.tcp_port import ACCEPTS_PER_TURN, PortState, Reception, TcpPort, accept

_BACKLOG = 4096
_WAITS = "waits for its turn"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SharedListener:
    """The socket, bound to a device. `port` says which port it has."""

    def __init__(self, reactor: Reactor, network: str, device: str, port: int, *, shares: bool = False) -> None:
        """Port 0 takes a free one. With `shares` see `bind`. Raises CannotBind, which names `network` and device."""
        sock = bind_shared(socket.SOCK_STREAM, network, device, port, shares=shares)
        try:
            sock.listen(_BACKLOG)
        except OSError as error:
            sock.close()
            raise CannotBind(f"{network} (device {device})", port, WHOLE_DEVICE_TAKEN) from error
        self.port: int = sock.getsockname()[1]
        self._reactor = reactor
        self._ports: dict[str, SharedPort] = {}
        self._shut_out = AddressRanges()
        self._watch = reactor.add(sock, self._accept)
        self._closed = False

    def open(self, reception: Reception, name: str, address: str, tls: ssl.SSLContext | None) -> SharedPort:
        """The port of one more BMC."""
        port = self._ports[address] = SharedPort(self, reception, name, address, tls)
        return port

    def forget(self, port: SharedPort) -> None:
        """The address has no BMC any more."""
        if self._ports.get(port.address) is port:
            del self._ports[port.address]
            self.let_in(port.address)

    def shut_out(self, address: str) -> None:
        """Drops new connections to an address, as far as there is room; those that wait in the queue are served first."""
        self._accept()
        self._shut_out.add(int(IPv4Address(address)))
        self._set_filter()

    def let_in(self, address: str) -> None:
        self._shut_out.discard(int(IPv4Address(address)))
        self._set_filter()

    def close(self) -> None:
        """Closes the socket. The ports are closed one by one before. May be called more than once."""
        if not self._closed:
            self._closed = True
            self._watch.close()

    def _set_filter(self) -> None:
        if not self._closed:
            attach(self._watch.sock, self._shut_out.widest(MAX_RANGES))

    def _accept(self) -> None:
        for _ in range(0 if self._closed else ACCEPTS_PER_TURN):
            accepted = accept(self._watch, self._reactor, self._accept_again)
            if accepted is None:
                return
            self._reactor.guard(partial(self._hand_over, *accepted))

    def _accept_again(self) -> None:
        if not self._closed:
            self._watch.set(self._accept, None)

    def _hand_over(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        port = self._ports.get(sock.getsockname()[0])
        if port is None or port.door is PortState.REFUSED:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            sock.close()
        else:
            port.welcome(sock, peer)


class SharedPort(TcpPort):
    """The port of one BMC on the socket of all."""

    __slots__ = ("_listener", "_waiting")

    def __init__(
        self, listener: SharedListener, reception: Reception, name: str, address: str, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(reception, name, address, listener.port, PortState.OPEN, tls)
        self._listener = listener
        self._waiting: deque[Connection] | None = None  # while there are any

    @property
    def waiting(self) -> int:
        """How many connections are accepted and wait for their turn."""
        return len(self._waiting or ())

    def set_door(self, door: PortState) -> None:
        """Changes how the port treats new clients."""
        if door is self.door:
            return
        if door is PortState.SATURATED:
            self._listener.shut_out(self.address)
        elif self.door is PortState.SATURATED:
            self._listener.let_in(self.address)
        self.door = door
        if door is PortState.REFUSED:
            self._drop_waiting()
        self._place_free()

    def serve_at_once(self, most: int | None) -> None:
        """Serves at most so many connections at a time; None: no limit. More connect, wait, and hear nothing."""
        self._at_once = most
        self._place_free()

    def welcome(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        """Takes a connection that was accepted for this port."""
        connection = self._met(sock, peer, waiting=self.waiting)
        if connection is None:
            return
        if self.door is PortState.SILENT:
            self._serve(connection, (Hang(),))
        elif self._may_serve():
            self._serve(connection)
        else:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append(connection)
            connection.pause()
            connection.play((Wait(self._reception.limits.idle_s, _WAITS),), partial(self._waited, connection))

    def close(self) -> None:
        """Closes the port and resets all connections. May be called more than once."""
        self._listener.forget(self)
        self.door = PortState.REFUSED
        self._drop_waiting()
        self.drop_connections()

    def _may_serve(self) -> bool:
        return self.door is PortState.OPEN and (self._at_once is None or len(self.connections) < self._at_once)

    def _place_free(self) -> None:
        while self._waiting and self._may_serve():
            connection = self._waiting.popleft()
            self._reception.reactor.guard(partial(connection.release, _WAITS))
        self._waiting = self._waiting or None

    def _waited(self, connection: Connection) -> None:
        if self._waiting is not None and connection in self._waiting:
            connection.abort()  # it has waited for too long
        else:
            self._serve(connection)

    def _drop_waiting(self) -> None:
        for connection in tuple(self._waiting or ()):
            connection.abort()

    def _gone(self, connection: Connection) -> None:
        if self._waiting is not None and connection in self._waiting:
            self._waiting.remove(connection)
            self._waiting = self._waiting or None
        super()._gone(connection)
