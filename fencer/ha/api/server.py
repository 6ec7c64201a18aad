"""A small HTTP/1.0 server whose clients cannot hold anything: connections, bytes and time of each are bounded.

`fence-ha run` calls `ApiServer.start` and `stop` in the main thread; requests are handled in one thread for each connection.
Times are seconds.

Rules
  1. At most 16 connections at once (`ApiLimits`); more are closed as they come. One request for each connection.
  2. A request has 5 s to arrive and 32 KiB for head and body together; an answer has 5 s to be taken. Then the connection is
     closed, however slowly its client sends or reads.
  3. It listens on a loopback address only.

Theory
  The standard library's server is enough for one page of routes, and the package `fencer` must not need Flask. Werkzeug's server
  has none of these limits: with it the same code would be needed below it.
"""

from __future__ import annotations

import io
import ipaddress
import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Final

LOOK_S: Final = 0.5
"""How often connections that are over their time are looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiLimits:
    """What a client may take: connections at once over all clients, bytes of one request, seconds to send it and to take its
    answer."""

    connections: int = 16
    request_bytes: int = 32_768
    read_s: float = 5.0
    write_s: float = 5.0


class CannotListen(Exception):
    """The address cannot be used; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRequest:
    """`body` is empty for a request without one. `token` is what the client sent as a bearer token, or empty."""

    method: str
    path: str
    query: str
    body: bytes
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiReply:
    status: int
    content: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)


def json_reply(status: int, value: object, **headers: str) -> ApiReply:
    return ApiReply(status=status, content=(json.dumps(value) + "\n").encode(), headers=headers)


Answer = Callable[[ApiRequest], ApiReply]


@dataclass(frozen=True, slots=True)
class ListenAddress:
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str) -> ListenAddress:
    """Reads `127.0.0.1:8100` or `[::1]:8100`. Raises CannotListen for other forms and for addresses that are not loopback."""
    host, _, port = text.rpartition(":")
    host = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host)
        number = int(port)
    except ValueError:
        raise CannotListen(f"{text!r} is no address: write 127.0.0.1:PORT or [::1]:PORT") from None
    if not address.is_loopback:
        raise CannotListen(f"{text} is not a loopback address: the API has no TLS; put a proxy with TLS before it")
    if not 0 <= number < 65536:
        raise CannotListen(f"{text}: the port must be 0 to 65535")
    return ListenAddress(str(address), number)


class _Bounded(io.RawIOBase):
    """Reads from a connection until `most` bytes have come; then it is at its end."""

    def __init__(self, connection: socket.socket, most: int) -> None:
        self._connection, self._left = connection, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        with memoryview(buffer) as view:
            count = self._connection.recv_into(view[: self._left]) if self._left else 0
        self._left -= count
        return count


class _Handler(BaseHTTPRequestHandler):
    """One connection. `server` is the ApiServer's."""

    protocol_version = "HTTP/1.0"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.connection.settimeout(self.server.limits.read_s)
        self.rfile = io.BufferedReader(_Bounded(self.connection, self.server.limits.request_bytes))

    def _handle(self) -> None:
        length, limits = self.headers.get("Content-Length", "0"), self.server.limits
        if "Transfer-Encoding" in self.headers:
            return self._send(json_reply(411, {"error": "send Content-Length, not Transfer-Encoding"}))
        if not length.isdecimal():
            return self._send(json_reply(400, {"error": "Content-Length must be a number"}))
        if int(length[:9]) > limits.request_bytes or len(length) > 9:
            return self._send(json_reply(413, {"error": f"a request may have {limits.request_bytes} bytes"}))
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            return self._send(json_reply(400, {"error": "the body ended before its Content-Length"}))
        self.server.extend(self.connection, self.server.longest_answer_s + limits.write_s)
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        path, _, query = self.path.partition("?")
        return self._send(
            self.server.answer(
                ApiRequest(
                    method=self.command, path=path, query=query, body=body, token=token.strip() if scheme == "Bearer" else ""
                )
            )
        )

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _handle  # noqa: N815

    def _send(self, reply: ApiReply) -> None:
        self.server.extend(self.connection, self.server.limits.write_s)
        self.connection.settimeout(self.server.limits.write_s)
        self.send_response(reply.status)
        for name, value in {"Content-Type": reply.content_type, "Cache-Control": "no-store", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        self.request_version = self.protocol_version  # a request that is none has none, and still gets a status line
        with suppress(OSError):
            self._send(json_reply(code, {"error": message or "bad request"}))

    def version_string(self) -> str:
        return "fence-ha"

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Server(ThreadingMixIn, TCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 16

    def __init__(self, address: ListenAddress, answer: Answer, longest_answer_s: float, limits: ApiLimits) -> None:
        self.limits = limits
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.answer, self.longest_answer_s = answer, longest_answer_s
        self._ends: dict[socket.socket, float] = {}
        self._lock = threading.Lock()
        super().__init__((address.host, address.port), _Handler)

    def process_request(self, request: socket.socket, client_address: object) -> None:  # type: ignore[override]
        with self._lock:
            if len(self._ends) < self.limits.connections:
                self._ends[request] = time.monotonic() + self.limits.read_s
                super().process_request(request, client_address)
                return
        self.shutdown_request(request)

    def extend(self, connection: socket.socket, seconds: float) -> None:
        """The connection may go on for so long from now."""
        with self._lock:
            if connection in self._ends:
                self._ends[connection] = time.monotonic() + seconds

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        with self._lock:
            self._ends.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Ends connections that are over their time. `serve_forever` calls it every `LOOK_S`."""
        now = time.monotonic()
        with self._lock:
            late = [connection for connection, end in self._ends.items() if end < now]
        for connection in late:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away, or was ended; nothing is left to be told to it."""


class ApiServer:
    """Serves `answer`, which is called in many threads and must return within `longest_answer_s`. `stopped` is called at the end.

    Raises CannotListen when it is made.
    """

    def __init__(
        self,
        address: ListenAddress,
        answer: Answer,
        longest_answer_s: float,
        stopped: Callable[[], None] = lambda: None,
        limits: ApiLimits | None = None,
    ) -> None:
        self._stopped = stopped
        try:
            self._server = _Server(address, answer, longest_answer_s, limits or ApiLimits())
        except OSError as error:
            raise CannotListen(f"the API cannot listen at {address}: {error.strerror}") from error
        self.address = ListenAddress(address.host, int(self._server.server_address[1]))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(LOOK_S,), name="api", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Stops listening; connections that are open are ended with the process."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
        self._stopped()
