"""Listening TCP sockets, and the states in which a BMC's port does not answer properly.

`HttpServer` makes listeners; port faults change their `PortState`. Everything runs in the loop's thread.

Rules
  1. A listener knows addresses and TLS, not protocols: it makes a `Connection` and asks its `Reception` for the receiver.
  2. `PortState` says how the port treats new clients. Connections that are open stay as they are; only `drop_connections` and
     `close` end them.
  3. A fleet may have ten thousand listeners, so common data is in the `Reception`, and data for connections is made on demand.

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
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

from emulator.wire.connection import Connection, Receiver
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Hang, Plan
from emulator.wire.reactor import Reactor, SocketWatch

_BACKLOG = 1024
_ACCEPTS_PER_TURN = 64
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BREATHER = 0.1  # seconds without accepting after file descriptors ran out

_REASONS = {
    errno.EADDRINUSE: "something else listens there already",
    errno.EACCES: "ports below 1024 need a privilege that this process does not have",
    errno.EADDRNOTAVAIL: "this machine does not have that address",
}


class CannotBind(OSError):
    """A port cannot be opened: the fault of the configuration or of this machine."""

    def __init__(self, address: str, port: int, reason: str) -> None:
        super().__init__(f"cannot listen on {address} port {port}: {reason}")
        self.address = address
        self.port = port
        self.reason = reason


class PortState(StrEnum):
    """How a listener's port treats new clients."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    SATURATED = "saturated"


def bind(kind: socket.SocketKind, address: str, port: int, device: str | None = None) -> socket.socket:
    """A non-blocking socket that is bound to an address and, where one is given, to a device. Raises CannotBind."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:
            # Allows binding while old connections are in TIME_WAIT. Never for UDP: another process could take datagrams then.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
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


def cannot_bind(address: str, port: int, error: OSError) -> CannotBind:
    """The CannotBind for an error of the operating system, with its reason in words."""
    if isinstance(error, socket.gaierror):
        return CannotBind(address, port, "that is not an IP address")
    return CannotBind(address, port, _REASONS.get(error.errno or 0) or os.strerror(error.errno or 0).lower())


class Reception(Protocol):
    """Makes the receivers of new connections, for any number of listeners."""

    @property
    def reactor(self) -> Reactor: ...
    @property
    def limits(self) -> ClientLimits: ...

    def greet(self, listener: Listener, connection: Connection) -> Receiver:
        """The receiver of a new connection."""

    def intercept(self, listener: Listener, peer: tuple[str, int]) -> Plan | None:
        """A plan to carry out before any TLS handshake, which follows if the plan leaves the connection open. None: no plan."""

    def context(self, listener: Listener) -> ssl.SSLContext | None:
        """How to speak TLS to a new connection; None: plain text."""


NOBODY: frozenset[Connection] = frozenset()


@dataclass(slots=True)
class _Filler:
    """Our own connection that fills the accept queue. `name` is its own address; `watch` is None once it is closed."""

    name: tuple[str, int]
    watch: SocketWatch | None


class Listener:
    """A TCP port of one BMC, whose name it has. Call all methods in the loop's thread, or before the loop runs."""

    __slots__ = (
        *("name", "address", "port", "tls", "door"),
        *("_at_once", "_connections", "_reception", "_watch", "_filler"),
    )

    def __init__(self, reception: Reception, name: str, address: str, port: int, *, tls: ssl.SSLContext | None = None) -> None:
        """Opens the port. 0 takes a free one; `port` says which. Raises CannotBind."""
        self.name = name
        self.address = address
        self.port = port
        self.tls = tls
        self.door = PortState.REFUSED
        self._at_once: int | None = None
        self._connections: set[Connection] | None = None  # while there are any
        self._reception = reception
        self._watch: SocketWatch | None = None
        self._filler: _Filler | None = None
        self.set_door(PortState.OPEN)

    def set_door(self, door: PortState) -> None:
        """Changes how the port treats new clients. Raises CannotBind."""
        if door is self.door:
            return
        if door is PortState.REFUSED:
            self._release()
            # Bound but not listening: the kernel refuses connections, and no other process can take the port.
            self._watch = self._reception.reactor.add(bind(socket.SOCK_STREAM, self.address, self.port))
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
            self._accept_again()

    @property
    def connections(self) -> Collection[Connection]:
        """The open connections."""
        return self._connections or NOBODY

    def drop_connections(self) -> None:
        """Resets every open connection."""
        for connection in list(self.connections):
            connection.abort()

    def close(self) -> None:
        """Closes the port and resets all connections. May be called more than once."""
        self._release()
        self.door = PortState.REFUSED
        self.drop_connections()

    def _listening(self) -> SocketWatch:
        """Makes the socket listen, and returns it. Raises CannotBind."""
        if self._watch is None:
            self._watch = self._reception.reactor.add(bind(socket.SOCK_STREAM, self.address, self.port))
            self.port = self._watch.sock.getsockname()[1]
        if self.door is PortState.REFUSED:
            try:
                self._watch.sock.listen(_BACKLOG)
            except OSError as error:
                self._release()
                raise cannot_bind(self.address, self.port, error) from error
        return self._watch

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
        watch = self._watch
        if watch is None:
            return
        for _ in range(_ACCEPTS_PER_TURN):
            if self._at_once is not None and len(self.connections) >= self._at_once and self.door is PortState.OPEN:
                watch.set(None, None)  # until one of them has gone
                return
            try:
                sock, peer = watch.sock.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno not in _OUT_OF_DESCRIPTORS:
                    raise
                # The queue stays readable: without a pause the loop would use all CPU time until a descriptor is free.
                watch.set(None, None)
                self._reception.reactor.call_later(_BREATHER, self._accept_again)
                raise
            self._reception.reactor.guard(partial(self._welcome, sock, peer))

    def _accept_again(self) -> None:
        if self._watch is not None and self.door in (PortState.OPEN, PortState.SILENT):
            self._watch.set(self._accept, None)

    def _welcome(self, sock: socket.socket, peer: tuple[str, int]) -> None:
        if self._filler is not None and peer[:2] == self._filler.name:
            self._filler = None
            sock.close()
            return
        limits = self._reception.limits
        connection = Connection(self._reception.reactor, sock, sock.getsockname()[:2], peer[:2], limits, self._gone)
        if len(self.connections) >= limits.max_connections:
            connection.abort()
            return
        if self._connections is None:
            self._connections = set()
        self._connections.add(connection)
        try:
            plan: Plan | None = (Hang(),) if self.door is PortState.SILENT else None
            if plan is None:
                plan = self._reception.intercept(self, connection.peer)
            if plan is None:
                self._introduce(connection)
            else:
                connection.pause()  # what the client sends meanwhile waits in the kernel
                connection.play(plan, partial(self._introduce, connection))
        except BaseException:
            connection.abort()
            raise

    def _introduce(self, connection: Connection) -> None:
        context = self._reception.context(self)
        if context is not None:
            connection.start_tls(context)
        else:
            connection.deadline(self._reception.limits.idle_s)
        connection.receiver = self._reception.greet(self, connection)
        connection.resume()

    def _gone(self, connection: Connection) -> None:
        if self._connections is not None:
            self._connections.discard(connection)
            self._connections = self._connections or None
        if self._at_once is not None:
            self._accept_again()
