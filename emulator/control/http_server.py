"""A small HTTP/1.1 server for the control listener: one thread per connection, and limits on everything that a client decides.

`ControlListener` makes one. It runs in threads of its own, never in the emulator's thread, so that a slow client waits for
itself. Times are in real seconds.

Rules
  1. At most MAX_CONNECTIONS at a time; one more is told 503 and closed.
  2. A request must have arrived as a whole REQUEST_S after its connection was ready for it, and an answer must be taken within
     ANSWER_S a piece.
  3. A head of more than MAX_HEAD_BYTES and a body of more than MAX_BODY_BYTES are refused before they are read.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Protocol

import h11

MAX_CONNECTIONS: Final = 32
MAX_HEAD_BYTES: Final = 16_384
MAX_BODY_BYTES: Final = 65_536
REQUEST_S: Final = 10.0
ANSWER_S: Final = 30.0
_RECEIVE_BYTES: Final = 65_536
_BUSY: Final = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_log = logging.getLogger("fencelab.control")


class AnswerStream(Protocol):
    """The pieces of an answer. `close` is called once, whatever has happened."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class HttpRequest(NamedTuple):
    """`path` and `query` are as the client wrote them; header names are in lower case, the last of several counts."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class ControlAnswer:
    """`stream`, where there is one, is sent piece by piece instead of `body`; an empty piece only shows that it still lives.
    `then` is called when the answer has been sent, or cannot be."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    stream: AnswerStream | None = None
    then: Callable[[], object] | None = None


@dataclass(slots=True)
class ServerCounts:
    """What `/metrics` shows. `answers` counts by HTTP status."""

    connections: int = 0
    refused: int = 0
    answers: dict[int, int] = field(default_factory=dict)


class _BadRequest(Exception):
    """The client's fault; `status` answers it, and the connection ends."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class ControlServer:
    """Serves `handler` on a listening socket until `close`. `refusal(status, sentence)` makes the answer to what is no
    request."""

    def __init__(
        self, sock: socket.socket, handler: Callable[[HttpRequest], ControlAnswer], refusal: Callable[[int, str], ControlAnswer]
    ) -> None:
        self._sock = sock
        self._handler = handler
        self._refusal = refusal
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closing = False
        self.counts = ServerCounts()
        self._thread = threading.Thread(target=self._accept_all, name="fencelab-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Ends every connection. Safe to call twice, from any thread."""
        with self._lock:
            self._closing = True
            connections = tuple(self._open)
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)  # wakes `accept`
        self._sock.close()
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        if self._thread is not threading.current_thread():
            self._thread.join()

    def _accept_all(self) -> None:
        while True:
            try:
                connection, _ = self._sock.accept()
            except OSError:
                if self._closing:
                    return
                time.sleep(0.1)  # no descriptor is left: the next one may be free soon
                continue
            with self._lock:
                room = not self._closing and len(self._open) < MAX_CONNECTIONS
                if room:
                    self._open.add(connection)
                    self.counts.connections = len(self._open)
                else:
                    self.counts.refused += 1
            if room:
                threading.Thread(target=self._serve, args=(connection,), name="fencelab-control-client", daemon=True).start()
            else:
                with contextlib.suppress(OSError):
                    connection.setblocking(False)
                    connection.send(_BUSY)
                connection.close()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with sock:
                self._converse(sock)
        except OSError:
            return  # the client has gone, or took too long
        except Exception as error:  # noqa: BLE001  a bug ends this connection and nothing else
            _log.error("the control listener failed: %s", error, exc_info=error)
        finally:
            with self._lock:
                self._open.discard(sock)
                self.counts.connections = len(self._open)

    def _converse(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD_BYTES)
        while not self._closing:
            try:
                request = _read(connection, sock)
            except _BadRequest as error:
                self._answer(connection, sock, self._refusal(error.status, str(error)), last=True)
                return
            if request is None:
                return
            self._answer(connection, sock, self._handler(request))
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()

    def _answer(self, connection: h11.Connection, sock: socket.socket, answer: ControlAnswer, *, last: bool = False) -> None:
        with self._lock:
            self.counts.answers[answer.status] = self.counts.answers.get(answer.status, 0) + 1
        if connection.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), *answer.headers]
        if answer.body or answer.stream is not None:
            headers.append(("Content-Type", answer.content_type))
        if answer.stream is None and answer.status != 204:
            headers.append(("Content-Length", str(len(answer.body))))
        if last:
            headers.append(("Connection", "close"))
        sock.settimeout(ANSWER_S)
        with contextlib.ExitStack() as stack:
            if answer.then is not None:
                stack.callback(answer.then)
            if answer.stream is not None:
                stack.callback(answer.stream.close)
            _send(connection, sock, h11.Response(status_code=answer.status, headers=headers))
            for piece in (answer.body,) if answer.stream is None else answer.stream:
                if piece or answer.stream is not None:
                    _send(connection, sock, h11.Data(data=piece or b"\n"))
            _send(connection, sock, h11.EndOfMessage())


def _read(connection: h11.Connection, sock: socket.socket) -> HttpRequest | None:
    """The next request; None: the client has closed. Raises _BadRequest, and OSError where it takes too long."""
    deadline = time.monotonic() + REQUEST_S
    head: h11.Request | None = None
    body = bytearray()
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            raise _BadRequest(error.error_status_hint, f"this is no request: {error}") from None
        if event is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                _send(connection, sock, h11.InformationalResponse(status_code=100, headers=[]))
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            sock.settimeout(left)
            connection.receive_data(sock.recv(_RECEIVE_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY_BYTES:
                raise _BadRequest(413, f"a body has at most {MAX_BODY_BYTES} bytes")
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            path, _, query = head.target.decode("latin-1").partition("?")
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers}
            return HttpRequest(head.method.decode("ascii"), path, query, headers, bytes(body))
        else:
            return None  # ConnectionClosed, or PAUSED behind an upgrade


def _send(connection: h11.Connection, sock: socket.socket, event: h11.Event) -> None:
    data = connection.send(event)
    if data:
        sock.sendall(data)
