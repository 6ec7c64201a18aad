"""One HTTP/1.1 connection to a BMC. Every wait on its socket ends at a deadline.

`BmcHttp` calls it; a connection is used by one thread at a time. Times are seconds of the monotonic clock.

Rules
  1. Each send and each receive waits only until `end`: a BMC that sends one byte per second cannot prolong an exchange, on a
     new connection or on one that was kept.
  2. The certificate is verified before any HTTP is sent.
  3. The body of a redirect is not read. Other bodies are read up to MAX_BODY_BYTES, also after decompression, and one exchange
     receives no more than MAX_EXCHANGE_BYTES in all, whatever its headers and chunks say.
  4. A connection is used again only if nothing has arrived on it since the last answer: neither an end nor bytes that could be
     taken for the next answer.
"""

from __future__ import annotations

import hashlib
import http.client
import io
import select
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fencer.outcome import Cause, Failure
from fencer.transport.base import CallFailed
from fencer.transport.limits import addresses

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_EXCHANGE_BYTES = MAX_BODY_BYTES + 1024 * 1024
MAX_INTERIM_ANSWERS = 10  # 102, 103 ... before the answer (RFC 9110, 15.2)
DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port of a BMC's HTTP service. `host` has no brackets."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class RawResponse:
    """An HTTP response before its JSON is parsed. `body_error` says why there is no complete body."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes
    body_error: str | None = None


class _BoundedSocket:
    """What http.client needs of a socket. Each operation ends at `end` with TimeoutError.

    `left` is how many bytes may still be received; more raise ValueError.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.end = 0.0
        self.left = 0

    def _limit(self) -> socket.socket:
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._connection

    def sendall(self, data: bytes) -> None:
        self._limit().sendall(data)

    def receive(self, buffer: WriteableBuffer) -> int:
        count = self._limit().recv_into(buffer)
        self.left -= count
        if self.left < 0:
            raise ValueError(f"more than {MAX_EXCHANGE_BYTES} bytes")
        return count

    def has_news(self) -> bool:
        """Whether bytes or the end of the connection have arrived that nobody has read."""
        if isinstance(self._connection, ssl.SSLSocket) and self._connection.pending():
            return True
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        return bool(poll.poll(0))

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self))

    def close(self) -> None:
        """http.client calls it where an answer ends with the connection, before that answer is read: `hang_up` closes it."""

    def hang_up(self) -> None:
        self._connection.close()


class _Reader(io.RawIOBase):
    def __init__(self, bounded: _BoundedSocket) -> None:
        super().__init__()
        self._bounded = bounded

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        return self._bounded.receive(buffer)


class HttpConnection:
    """Opens its connection on first use, keeps it where the BMC allows that, and opens a new one otherwise."""

    def __init__(
        self, base: str, origin: Origin, tls: ssl.SSLContext | None, connect: float, fingerprint: str | None = None
    ) -> None:
        """`base` is the URL of the origin in messages; `connect` bounds one TCP connect with its TLS handshake, in seconds.

        `fingerprint` is the SHA-256 of the only certificate that is accepted, in lower-case hexadecimal.
        """
        self._base = base
        self._origin = origin
        self._tls = tls
        self._connect = connect
        self._fingerprint = fingerprint
        self._http: http.client.HTTPConnection | None = None
        self._socket: _BoundedSocket | None = None

    def exchange(self, method: str, path: str, headers: Mapping[str, str], data: bytes | None, end: float) -> RawResponse:
        """Sends one request and reads its response. Raises CallFailed if there is no complete response by `end`."""
        began = time.monotonic()
        what = f"{method} {self._base}{path}"
        try:
            if self._socket is not None and self._socket.has_news():
                self.close()
            if self._http is None:
                self._open(what, end)
            return self._exchange(method, path, headers, data, end)
        except TimeoutError as error:
            sent = self._http is not None
            self.close()
            text = f"{what}: no complete answer within {max(end - began, 0):.1f} s"
            raise CallFailed(Failure(cause=Cause.TIMEOUT, text=text), sent=sent) from error
        except (http.client.HTTPException, OSError, ValueError, zlib.error) as error:
            sent = self._http is not None
            self.close()
            raise CallFailed(_failure(what, error, sent=sent), sent=sent) from error
        except CallFailed:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            self._socket.hang_up()
        self._http = self._socket = None

    def _open(self, what: str, end: float) -> None:
        now = time.monotonic()
        if now >= end:
            raise TimeoutError
        found = list(dict.fromkeys(addresses(self._origin.host, end - now)))
        end = min(end, time.monotonic() + self._connect)
        for count, (family, address) in enumerate(found, start=1):
            left = max(end - time.monotonic(), 0.01)
            connection = socket.socket(family, socket.SOCK_STREAM)
            try:
                connection.settimeout(left / (len(found) - count + 1))
                connection.connect((address, self._origin.port))
            except OSError as error:
                connection.close()
                if count < len(found):
                    continue
                text = f"{what}: no connection ({error.strerror or 'timed out'})"
                raise CallFailed(Failure(cause=Cause.UNREACHABLE, text=text)) from error
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._start_http(self._wrapped(connection, what, end))
            return

    def _wrapped(self, connection: socket.socket, what: str, end: float) -> socket.socket:
        if self._tls is None:
            return connection
        try:
            connection.settimeout(max(end - time.monotonic(), 0.01))
            wrapped = self._tls.wrap_socket(connection, server_hostname=self._origin.host.partition("%")[0])
        except ssl.SSLCertVerificationError as error:
            connection.close()
            text = f"{what}: TLS failed, nothing was sent ({error.verify_message or error.reason or 'not verified'})"
            raise CallFailed(Failure(cause=Cause.TLS, text=text), final=True) from error
        except (OSError, ValueError):
            connection.close()
            raise
        self._check_fingerprint(wrapped, what)
        return wrapped

    def _check_fingerprint(self, connection: ssl.SSLSocket, what: str) -> None:
        if self._fingerprint is None:
            return
        shown = hashlib.sha256(connection.getpeercert(binary_form=True) or b"").hexdigest()
        if shown != self._fingerprint:
            connection.close()
            text = f"{what}: TLS failed, nothing was sent (the certificate's SHA-256 is {shown}, expected {self._fingerprint})"
            raise CallFailed(Failure(cause=Cause.TLS, text=text), final=True)

    def _start_http(self, connection: socket.socket) -> None:
        self._socket = _BoundedSocket(connection)
        self._http = http.client.HTTPConnection(self._origin.host, self._origin.port)
        self._http.default_port = DEFAULT_PORTS[self._origin.scheme]
        self._http.auto_open = 0  # http.client would connect without a deadline
        self._http.sock = self._socket

    def _exchange(self, method: str, path: str, headers: Mapping[str, str], data: bytes | None, end: float) -> RawResponse:
        assert self._http is not None
        assert self._socket is not None
        self._socket.end, self._socket.left = end, MAX_EXCHANGE_BYTES
        self._http.request(method, path, body=data, headers=dict(headers))
        response = self._final_response(self._http.getresponse(), method)
        names = {name.lower(): value for name, value in response.getheaders()}
        if 300 <= response.status < 400:
            self.close()
            return RawResponse(response.status, names, b"")
        raw = response.read(MAX_BODY_BYTES + 1)
        complete = len(raw) <= MAX_BODY_BYTES and not response.length
        if response.will_close or not complete or response.status in (204, 304):  # these two may have a body that nobody reads
            self.close()
        if len(raw) > MAX_BODY_BYTES:
            return RawResponse(response.status, names, b"", f"more than {MAX_BODY_BYTES} bytes")
        if not complete:
            return RawResponse(response.status, names, b"", "a body that was cut")
        body, error = _decompressed(raw, names.get("content-encoding", ""))
        return RawResponse(response.status, names, body, error)

    def _final_response(self, response: http.client.HTTPResponse, method: str) -> http.client.HTTPResponse:
        """Returns the answer after interim ones, which http.client takes for answers (except 100)."""
        for _ in range(MAX_INTERIM_ANSWERS):
            if not 100 < response.status < 200:
                return response
            following = http.client.HTTPResponse(self._socket, method=method)  # type: ignore[arg-type]  # it only needs makefile
            following.fp, response.fp = response.fp, None  # type: ignore[assignment]  # else the first one closes it
            following.begin()
            following.will_close = True
            response = following
        raise http.client.HTTPException(f"more than {MAX_INTERIM_ANSWERS} interim answers")


def _decompressed(raw: bytes, encoding: str) -> tuple[bytes, str | None]:
    """Undoes gzip and deflate, which some BMCs use although the request does not offer them."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate") or not raw:
        return raw, None
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # 32: gzip or zlib, as the data say
    try:
        body = unpacker.decompress(raw, MAX_BODY_BYTES + 1)
    except zlib.error:
        unpacker = zlib.decompressobj(wbits=-zlib.MAX_WBITS)  # deflate without a head, as some servers send it
        body = unpacker.decompress(raw, MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return b"", f"more than {MAX_BODY_BYTES} bytes"
    return (body, None) if unpacker.eof else (b"", "a body that was cut")


def _failure(what: str, error: Exception, *, sent: bool) -> Failure:
    words = (str(error).strip() or type(error).__name__)[:160]
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        if not sent:
            return Failure(cause=Cause.TLS, text=f"{what}: TLS failed, nothing was sent ({words})")
        if "alert" in words.lower():  # with TLS 1.3 a BMC that wants a client's certificate says so only now
            return Failure(cause=Cause.TLS, text=f"{what}: TLS failed ({words})")
    if isinstance(error, OSError):  # http.client.RemoteDisconnected is one
        return Failure(cause=Cause.UNREACHABLE, text=f"{what}: the connection was dropped ({words})")
    return Failure(cause=Cause.BAD_RESPONSE, text=f"{what}: not a usable answer ({words})")


def tls_context(verify: bool, ca_file: str | None) -> ssl.SSLContext:
    """Returns the TLS settings of a BMC. Raises CallFailed if the CA file cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        if ca_file:
            context.load_verify_locations(cafile=ca_file)
        else:
            context.load_default_certs()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else "not PEM"
        words = "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be used ({reason})"
        raise CallFailed(Failure(cause=Cause.CONFIG, text=f"the CA file {ca_file} {words}"), final=True) from error
    return context
