"""A TLS proxy before one real BMC: passes requests and answers on as they are, and hands each exchange over.

`profile proxy` starts it and stops it from the main thread. Each client has a thread and a connection to the BMC of its own;
exchanges are handed over under a lock, one at a time.

Limits: `MAX_CLIENTS` clients at once, others are closed; a request of at most `MAX_REQUEST_BYTES`; of each body at most
`MAX_KEPT_BYTES` are looked at, longer ones pass through; a client that says nothing for `IDLE_S` seconds is closed.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from emulator.profile_tools.bmc_client import RealBmcAddress
from emulator.profile_tools.exchanges import RecordedExchange

MAX_CLIENTS: Final = 64
MAX_REQUEST_BYTES: Final = 8_000_000
MAX_KEPT_BYTES: Final = 1_000_000
IDLE_S: Final = 75.0
_HOP_BY_HOP: Final = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "host",
    }
)
_CHUNK_BYTES: Final = 65_536


class ProxyServer(ThreadingHTTPServer):
    """Raises OSError where the address cannot be used."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(
        self,
        listen: tuple[str, int],
        tls: ssl.SSLContext,
        bmc: RealBmcAddress,
        timeout_s: float,
        take: Callable[[RecordedExchange], None],
    ) -> None:
        self.address_family = socket.AF_INET6 if ":" in listen[0] else socket.AF_INET
        super().__init__(listen, _Client)
        self.tls = tls
        self.bmc = bmc
        self.timeout_s = timeout_s
        self.started = time.monotonic()
        self._take = take
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(MAX_CLIENTS)
        self._numbers = itertools.count(1)

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        """Gives a client its thread, if there is a place for one more."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, *_: object) -> None:
        """Clients break connections and handshakes; that is their business."""

    def number(self) -> int:
        return next(self._numbers)

    def now(self) -> float:
        return time.monotonic() - self.started

    def take(self, exchange: RecordedExchange) -> None:
        with self._lock:
            self._take(exchange)


class _Client(BaseHTTPRequestHandler):
    """The requests of one client, in a thread of their own."""

    protocol_version = "HTTP/1.1"
    timeout = IDLE_S
    server: ProxyServer

    def setup(self) -> None:
        self.request.settimeout(IDLE_S)
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        super().setup()
        self._number = self.server.number()
        self._upstream: http.client.HTTPConnection | None = None

    def finish(self) -> None:
        self._close_upstream()
        with contextlib.suppress(OSError):
            super().finish()
        with contextlib.suppress(OSError):
            self.request.close()

    def log_message(self, *_: object) -> None:
        """Nothing: each exchange has its record."""

    def _pass_on(self) -> None:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if "chunked" in (self.headers.get("Transfer-Encoding") or "").lower() or not 0 <= length <= MAX_REQUEST_BYTES:
            self.close_connection = True
            self.send_error(413 if length > MAX_REQUEST_BYTES else 411)
            return
        body = self.rfile.read(length) if length else b""
        started = self.server.now()
        try:
            response = self._ask(body)
        except (OSError, http.client.HTTPException) as error:
            self._close_upstream()
            self.close_connection = True
            self.send_error(502, f"the BMC does not answer: {type(error).__name__}")
            return
        kept = self._answer(response)
        self.server.take(
            RecordedExchange(
                client=self._number,
                method=self.command,
                path=self.path,
                started_s=started,
                ended_s=self.server.now(),
                status=response.status,
                request_headers={name.lower(): value for name, value in self.headers.items()},
                request=body if len(body) <= MAX_KEPT_BYTES else b"",
                headers={name.lower(): value for name, value in response.getheaders()},
                answer=kept,
            )
        )

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_OPTIONS = _pass_on  # noqa: N815 - the names that http.server wants

    def _ask(self, body: bytes) -> http.client.HTTPResponse:
        """Sends the request to the BMC: a GET again, once, where a kept connection turns out to be closed."""
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP_BY_HOP}
        was_open = self._upstream is not None
        try:
            return self._send(headers, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            if not was_open or self.command not in ("GET", "HEAD"):
                raise
        self._close_upstream()
        return self._send(headers, body)

    def _send(self, headers: dict[str, str], body: bytes) -> http.client.HTTPResponse:
        bmc = self.server.bmc
        if self._upstream is None:
            timeout = self.server.timeout_s
            self._upstream = (
                http.client.HTTPSConnection(bmc.host, bmc.port, timeout=timeout, context=bmc.context())
                if bmc.scheme == "https"
                else http.client.HTTPConnection(bmc.host, bmc.port, timeout=timeout)
            )
        self._upstream.request(self.command, self.path, body or None, headers)
        return self._upstream.getresponse()

    def _answer(self, response: http.client.HTTPResponse) -> bytes:
        """Passes an answer on as it comes. Returns its body, or nothing where that is larger than `MAX_KEPT_BYTES`."""
        self.send_response_only(response.status, response.reason)
        for name, value in response.getheaders():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        is_bare = self.command == "HEAD" or response.status in (204, 304) or response.status < 200
        is_chunked = not is_bare and response.getheader("Content-Length") is None
        if is_chunked and self.request_version == "HTTP/1.1":
            self.send_header("Transfer-Encoding", "chunked")
        elif is_chunked:
            self.close_connection = True
        self.end_headers()
        kept: list[bytes] = []
        size = 0
        while not is_bare and (chunk := response.read1(_CHUNK_BYTES)):
            size += len(chunk)
            if size <= MAX_KEPT_BYTES:
                kept.append(chunk)
            framed = is_chunked and self.request_version == "HTTP/1.1"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if framed else chunk)
            self.wfile.flush()
        if is_chunked and self.request_version == "HTTP/1.1":
            self.wfile.write(b"0\r\n\r\n")
        response.close()
        if response.will_close:
            self._close_upstream()
        return b"".join(kept) if size <= MAX_KEPT_BYTES else b""

    def _close_upstream(self) -> None:
        upstream, self._upstream = self._upstream, None
        if upstream is not None:
            upstream.close()
