"""One TCP port of one BMC: whose it is, how it treats new clients, and its open connections.

`emulator.wire.tcp` gives a port a listening socket of its own, `emulator.wire.shared_tcp` one socket to the ports of many BMCs.
Everything runs in the loop's thread.

Rules
  1. A port knows addresses and TLS, not protocols: it makes a `Connection` and asks its `Reception` for the receiver.
  2. `PortState` says how the port treats new clients. Connections that are open stay as they are.
  3. A fleet may have a hundred thousand ports, so common data is in the `Reception`, and data for connections is made on demand.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Collection
from enum import StrEnum
from functools import partial
from typing import Protocol

from emulator.wire.connection import Connection, Receiver
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Plan
from emulator.wire.reactor import Reactor, SocketWatch

ACCEPTS_PER_TURN = 64
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BREATHER = 0.1  # seconds without accepting after file descriptors ran out


class PortState(StrEnum):
    """How a BMC's port treats new clients."""

    OPEN = "open"
    REFUSED = "refused"
    SILENT = "silent"
    SATURATED = "saturated"


class Reception(Protocol):
    """Makes the receivers of new connections, for any number of ports."""

    @property
    def reactor(self) -> Reactor: ...
    @property
    def limits(self) -> ClientLimits: ...

    def greet(self, port: TcpPort, connection: Connection) -> Receiver:
        """The receiver of a new connection."""

    def intercept(self, port: TcpPort, peer: tuple[str, int]) -> Plan | None:
        """A plan to carry out before any TLS handshake, which follows if the plan leaves the connection open. None: no plan."""

    def context(self, port: TcpPort) -> ssl.SSLContext | None:
        """How to speak TLS to a new connection; None: plain text."""


NOBODY: frozenset[Connection] = frozenset()


class TcpPort:
    """A TCP port of the BMC `name`. Call all methods in the loop's thread, or before the loop runs."""

    __slots__ = ("_at_once", "_connections", "_reception", "address", "door", "name", "port", "tls")

    def __init__(
        self, reception: Reception, name: str, address: str, port: int, door: PortState, tls: ssl.SSLContext | None
    ) -> None:
        self.name = name
        self.address = address
        self.port = port
        self.tls = tls
        self.door = door
        self._at_once: int | None = None
        self._connections: set[Connection] | None = None  # while there are any
        self._reception = reception

    @property
    def connections(self) -> Collection[Connection]:
        """The open connections."""
        return self._connections or NOBODY

    def drop_connections(self) -> None:
        """Resets every open connection."""
        for connection in list(self.connections):
            connection.abort()

    def _met(self, sock: socket.socket, peer: tuple[str, int], waiting: int = 0) -> Connection | None:
        """The connection of a socket that was just accepted; None: there are too many, and it was reset."""
        limits = self._reception.limits
        connection = Connection(self._reception.reactor, sock, sock.getsockname()[:2], peer[:2], limits, self._gone)
        if len(self.connections) + waiting >= limits.max_connections:
            connection.abort()
            return None
        return connection

    def _serve(self, connection: Connection, plan: Plan | None = None) -> None:
        """Carries out the plan, or what the reception wants before any TLS handshake, and then begins to talk."""
        if self._connections is None:
            self._connections = set()
        self._connections.add(connection)
        try:
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
            self._place_free()

    def _place_free(self) -> None:
        """One of the connections that are served at a time has ended."""


def accept(watch: SocketWatch, reactor: Reactor, again: Callable[[], object]) -> tuple[socket.socket, tuple[str, int]] | None:
    """The next connection from the queue of a listening socket, and its peer; None: the queue is empty.

    Raises OSError where no descriptor is free; then nothing is accepted for a moment, and `again` is called after it.
    """
    try:
        sock, peer = watch.sock.accept()
    except (BlockingIOError, InterruptedError, ConnectionAbortedError):
        return None
    except OSError as error:
        if error.errno in _OUT_OF_DESCRIPTORS:
            # The queue stays readable: without a pause the loop would use all CPU time until a descriptor is free.
            watch.set(None, None)
            reactor.call_later(_BREATHER, again)
        raise
    return sock, peer
