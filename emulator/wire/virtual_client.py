"""The client's side of virtual connections: HTTP exchanges and datagrams that end at their time-out on the virtual clock.

`emulator.transport` calls it for an in-process fencer, in the emulator's one thread.

Rules
  1. HTTP is read by the standard library's `http.client`, so that its errors are those of a real client.
  2. An exchange is a connection of its own. Its time-out counts from the connect to the last byte of the answer.
  3. TLS is checked by OpenSSL, by a handshake in memory, wherever it could fail: where the client verifies, and where a fault has
     changed how the port speaks TLS. Elsewhere it is left out.
  4. An exchange takes `ROUND_TRIP_S` at least, so that a client that polls without a pause comes to an end too.
"""

from __future__ import annotations

import errno
import http.client
import io
import ssl
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from emulator.core.clock import Instant
from emulator.wire.udp import SocketAddress
from emulator.wire.virtual_connection import VirtualConnection
from emulator.wire.virtual_network import VirtualNetwork, refused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ROUND_TRIP_S: Final = 0.004
"""Virtual seconds from a request to its answer, on the network alone."""
SYN_AGAIN_S: Final = (1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 127.0)
"""When Linux repeats a SYN that was lost, in seconds after the first."""
CLIENT: Final[SocketAddress] = ("198.19.255.254", 50_000)
Moment = Callable[[Instant], Instant]


class VirtualClient:
    """Exchanges with whatever listens on a virtual network."""

    def __init__(self, network: VirtualNetwork, bounded: Moment, check: Callable[[], None]) -> None:
        """`bounded(instant)` is the instant, or an earlier one beyond which the client may not wait; `check()` raises if that is
        over."""
        self._network = network
        self._loop = network.loop
        self._bounded = bounded
        self._check = check

    def exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, timeout_s: float, ca_file: str | None
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        """One request and its whole answer: status, headers, body.

        Raises ValueError for a URL that is none, and what a socket, `ssl` and `http.client` raise.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http or https URL: {url!r}")
        address = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        until = self._loop.now() + timeout_s
        connection = self._connect(address, until)
        try:
            self._wait(until, lambda: connection.is_introduced or connection.is_over)
            self._pass(until, ROUND_TRIP_S / 2)
            if parts.scheme == "https":
                self._handshake(connection, address[0], ca_file, until)
            wire = _Wire(self, connection, until)
            spoken = _Http(address[0], address[1], wire)
            target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            spoken.request(method, target, body, {"Connection": "close", **headers})
            self._pass(until, ROUND_TRIP_S / 2)
            response = spoken.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.client_closes()

    def datagram(self, data: bytes, address: SocketAddress, timeout_s: float) -> bytes:
        """Sends a datagram, unless it is empty, and waits for the next one from there. Raises TimeoutError."""
        until = self._loop.now() + timeout_s
        self._check()
        self._network.look_up(address[0])
        arrived = self._network.arrived.setdefault(address, [])
        port = self._network.udp_ports.get(address)
        if data and port is not None:
            port.receive(data, CLIENT)
        self._pass(until, ROUND_TRIP_S)
        self._wait(until, lambda: bool(arrived))
        return arrived.pop(0)

    # ---- waiting -----------------------------------------------------------------------------------------------------

    def _wait(self, until: Instant, done: Callable[[], bool]) -> None:
        """Raises TimeoutError at `until`."""
        if not self._loop.run_until(self._bounded(until), done):
            self._check()
            raise TimeoutError("timed out")

    def _pass(self, until: Instant, seconds: float) -> None:
        """So many seconds pass. Raises TimeoutError."""
        then = self._loop.now() + seconds
        self._loop.run_until(self._bounded(min(then, until)))
        self._check()
        if then > until:
            raise TimeoutError("timed out")

    def read(self, connection: VirtualConnection, size: int, until: Instant) -> bytes:
        """What has arrived, at most `size` bytes; empty at the end. Raises TimeoutError, ConnectionResetError."""
        self._wait(until, lambda: bool(connection.inbox) or connection.is_over)
        data = bytes(connection.inbox[:size])
        del connection.inbox[:size]
        if not data and connection.was_reset:
            raise reset()
        return data

    # ---- connecting --------------------------------------------------------------------------------------------------

    def _connect(self, address: SocketAddress, until: Instant) -> VirtualConnection:
        self._check()
        began = self._loop.now()
        for again_s in SYN_AGAIN_S:
            port = self._network.at(*address)
            if port is None:
                raise refused()
            connection = port.connect(CLIENT)
            if connection is not None:
                return connection
            self._pass(until, began + again_s - self._loop.now())
        raise TimeoutError(errno.ETIMEDOUT, "Connection timed out")

    def _handshake(self, connection: VirtualConnection, host: str, ca_file: str | None, until: Instant) -> None:
        """Raises ssl.SSLError, ssl.SSLCertVerificationError, and what a broken connection raises."""
        port = self._network.tcp.get(connection.local)
        if ca_file is None and connection.context is not None and port is not None and connection.context is port.tls:
            connection.handshake_is_over()
            return
        context = ssl.create_default_context(cafile=ca_file)
        if ca_file is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_hostname=host)
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                connection.client_sends(outgoing.read())
                data = self.read(connection, 65536, until)
                incoming.write(data) if data else incoming.write_eof()
            except ssl.SSLError:
                connection.client_sends(outgoing.read())  # the alert
                raise
            else:
                connection.client_sends(outgoing.read())
                connection.handshake_is_over()
                return


class _Answer(io.RawIOBase):
    """The bytes of an answer, as they arrive."""

    def __init__(self, client: VirtualClient, connection: VirtualConnection, until: Instant) -> None:
        self._client, self._connection, self._until = client, connection, until

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer)
        data = self._client.read(self._connection, len(view), self._until)
        view[: len(data)] = data
        return len(data)


class _Wire:
    """As much of a socket as `http.client` uses."""

    def __init__(self, client: VirtualClient, connection: VirtualConnection, until: Instant) -> None:
        self._client, self._connection, self._until = client, connection, until

    def sendall(self, data: bytes) -> None:
        if self._connection.was_reset:
            raise reset()
        self._connection.client_sends(bytes(data))

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Answer(self._client, self._connection, self._until))

    def close(self) -> None:
        """The response reads on after its connection has been closed."""


class _Http(http.client.HTTPConnection):
    """Speaks over a connection that there is already."""

    def __init__(self, host: str, port: int, wire: _Wire) -> None:
        super().__init__(host, port)
        self.sock = wire


def reset() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")
