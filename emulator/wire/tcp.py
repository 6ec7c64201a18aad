"""Listening TCP sockets, one for each BMC, and the states in which a BMC's port does not answer properly.

`HttpServer` makes listeners; port faults change their `PortState`. Everything runs in the loop's thread.

Rules
  1. Connections that are open stay as they are when the state changes; only `drop_connections` and `close` end them.
  2. No other process can take the port of a BMC, whatever its state, unless it has SO_REUSEPORT and the same user while the port
     is refused. `shares`, for fleets on one device, takes SO_REUSEPORT too, and `emulator.wire.claims` keeps fleets from taking
     addresses of each other.

Theory
  Refused: nothing listens. Silent: TCP connects, and nothing is ever answered, not even TLS. Saturated: the kernel drops the SYN,
  so the client waits for its own connect time-out. Linux does that when the accept queue is full: the backlog is set to 0, and a
  connection of our own, which is not accepted, fills the one remaining place.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from dataclasses import dataclass
from functools import partial

from emulator.wire.ops import Hang
from emulator.wire.reactor import SocketWatch
from emulator.wire.tcp_port import ACCEPTS_PER_TURN, PortState, Reception, TcpPort, accept

_BACKLOG = 1024

_REASONS = {
    errno.EADDRINUSE: "something else listens there already",
    errno.EACCES: "ports below 1024 need a privilege that this process does not have",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}

WHOLE_DEVICE_TAKEN = (
    "something else has that port at an address of the device, and BMCs that share one socket need it at all of them"
)


class CannotBind(OSError):
    """A port cannot be opened: the fault of the configuration or of this machine."""

    def __init__(self, address: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {address} port {port}: {reason}")
        self.address = address
        self.port = port
        self.reason = reason


def bind(kind: socket.SocketKind, address: str, port: int, device: str | None = None, *, shares: bool = False) -> socket.socket:
    """A non-blocking socket that is bound to an address and, where one is given, to a device. Raises CannotBind.

    With `shares` other sockets of this user that share too may have the same port: one for all addresses, and some for one
    address each, to which the kernel gives what comes for that address.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:
            # Allows binding while old connections are in TIME_WAIT. Never for UDP: another process could take datagrams then.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shares:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.bind((address, port))
    except OverflowError:
        sock.close()
        raise CannotBind(address, port, "a port is a number from 0 to 65535") from None
    except OSError as error:
        sock.close()
        raise cannot_bind(address, port, error) from error
    sock.setblocking(False)
    return sock


def bind_shared(kind: socket.SocketKind, network: str, device: str, port: int, *, shares: bool) -> socket.socket:
    """A socket for all addresses of a device. Raises CannotBind, which names the network that it is for, and the device."""
    try:
        return bind(kind, "0.0.0.0", port, device, shares=shares)
    except CannotBind as error:
        cause = error.__cause__
        taken = isinstance(cause, OSError) and cause.errno == errno.EADDRINUSE
        raise CannotBind(f"{network} (device {device})", port, WHOLE_DEVICE_TAKEN if taken else error.reason) from cause


def cannot_bind(address: str, port: int, error: OSError) -> CannotBind:
    """The CannotBind for an error of the operating system, with its reason in words."""
    if isinstance(error, socket.gaierror):
        return CannotBind(address, port, "that is not an IP address")
    return CannotBind(address, port, _REASONS.get(error.errno or 0) or os.strerror(error.errno or 0).lower())


@dataclass(slots=True)
class _Filler:
    """Our own connection that fills the accept queue. `name` is its own address; `watch` is None once it is closed."""

    name: tuple[str, int]
    watch: SocketWatch | None


class Listener(TcpPort):
    """A TCP port of one BMC with a socket of its own."""

    __slots__ = ("_filler", "_shares", "_watch")

    def __init__(
        self,
        reception: Reception,
        name: str,
        address: str,
        port: int,
        *,
        tls: ssl.SSLContext | None = None,
        shares: bool = False,
    ) -> None:
        """Opens the port. 0 takes a free one; `port` says which. With `shares` see `bind`. Raises CannotBind."""
        super().__init__(reception, name, address, port, PortState.REFUSED, tls)
        self._shares = shares
        self._watch: SocketWatch | None = None
        self._filler: _Filler | None = None
        self.set_door(PortState.OPEN)

    def set_door(self, door: PortState) -> None:
        """Changes how the port treats new clients. Raises CannotBind."""
        if door is self.door:
            return
        if door is PortState.REFUSED:
            # Bound but not listening: the kernel refuses connections, and no other process can take the port.
            held = self._bound_beside()
            self._release()
            self._watch = self._reception.reactor.add(held)
            self.door = door
            return
        watch = self._listening()
        if self.door is PortState.SATURATED:
            self._relieve(watch)
        self.door = door
        if door is PortState.SATURATED:
            self._saturate(watch)
        else:
            watch.set(self._accept, None)

    def serve_at_once(self, most: int | None) -> None:
        """Serves at most so many connections at a time; None: no limit. More wait in the kernel: they connect and hear nothing.

        Those that are open stay.
        """
        if most != self._at_once:
            self._at_once = most
            self._place_free()

    def close(self) -> None:
        """Closes the port and resets all connections. May be called more than once."""
        self._release()
        self.door = PortState.REFUSED
        self.drop_connections()

    def _listening(self) -> SocketWatch:
        """Makes the socket listen, and returns it. Raises CannotBind."""
        if self._watch is None:
            self._watch = self._reception.reactor.add(bind(socket.SOCK_STREAM, self.address, self.port, shares=self._shares))
            self.port = self._watch.sock.getsockname()[1]
        if self.door is PortState.REFUSED:
            try:
                self._watch.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # for connections in TIME_WAIT
                self._watch.sock.listen(_BACKLOG)
            except OSError as error:
                self._release()
                raise cannot_bind(self.address, self.port, error) from error
        return self._watch

    def _bound_beside(self) -> socket.socket:
        """One more socket at this port, bound before the one that listens is closed, so that the port is never free.

        Both have SO_REUSEPORT for that moment alone. Beside a socket that does not listen, any that has SO_REUSEADDR could be
        bound, so the new one has that only when it is bound and when it listens. Raises CannotBind.
        """
        listening = self._watch.sock if self._watch is not None and not self._shares else None
        if listening is not None:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            held = bind(socket.SOCK_STREAM, self.address, self.port, shares=True)
        finally:
            if listening is not None:
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, self._shares)
        return held

    def _release(self) -> None:
        for watch in (self._filler.watch if self._filler is not None else None, self._watch):
            if watch is not None:
                watch.close()
        self._filler = self._watch = None

    # ---- a full accept queue ----------------------------------------------------------------------------------------

    def _saturate(self, watch: SocketWatch) -> None:
        self._accept()  # clients that are in the queue connected before the state changed
        watch.set(None, None)
        watch.sock.listen(0)
        filler = socket.socket(watch.sock.family, socket.SOCK_STREAM)
        filler.setblocking(False)
        target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.address, self.address)
        filler.connect_ex((target, self.port))
        self._filler = _Filler(filler.getsockname()[:2], self._reception.reactor.add(filler))

    def _relieve(self, watch: SocketWatch) -> None:
        watch.sock.listen(_BACKLOG)
        if self._filler is not None and self._filler.watch is not None:
            self._filler.watch.close()  # `_welcome` drops this connection when it comes out of the queue
            self._filler.watch = None

    # ---- accepting --------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        watch, reactor = self._watch, self._reception.reactor
        if watch is None:
            return
        for _ in range(ACCEPTS_PER_TURN):
            if self._at_once is not None and len(self.connections) >= self._at_once and self.door is PortState.OPEN:
                watch.set(None, None)  # until one of them has gone
                return
            accepted = accept(watch, reactor, self._place_free)
            if accepted is None:
                return
            reactor.guard(partial(self._welcome, *accepted))

    def _place_free(self) -> None:
        if self._watch is not None and self.door in (PortState.OPEN, PortState.SILENT):
            self._watch.set(self._accept, None)

    def _welcome(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        if self._filler is not None and peer[:2] == self._filler.name:
            self._filler = None
            sock.close()
            return
        connection = self._met(sock, peer)
        if connection is not None:
            self._serve(connection, (Hang(),) if self.door is PortState.SILENT else None)
