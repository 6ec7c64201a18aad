"""Redfish over `http.client`: one connection, basic authentication, and an end to every request.

`capture` and `probe` use it in the main thread. A request ends after `timeout_s` seconds whatever the BMC does, because a timer
in a thread of its own closes the connection then. The password goes to this one service: no redirect leads elsewhere.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote, urljoin, urlsplit

from emulator.profile_tools.json_values import JsonObject
from emulator.profile_tools.walk import NoAnswer

MAX_BODY_BYTES: Final = 8_000_000
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_MOST_REDIRECTS: Final = 5
_CHUNK_BYTES: Final = 65_536
_URI_SIGNS: Final = "/?#%[]@!$&'()*+,;=:~"
"""Signs that stand in a URI as they are (RFC 3986); BMCs write links with blanks and accents."""


class BadAddress(Exception):
    """The URL of a BMC cannot be used; `str()` is one sentence."""


class NotTrusted(Exception):
    """The certificate of the BMC is signed by nobody who is known; `str()` is one sentence."""


@dataclass(frozen=True, slots=True)
class RealAnswer:
    """Names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RealBmcAddress:
    """Where a Redfish service is, and whom to trust: the machine's own authorities, those in `cacert`, or anybody."""

    scheme: str
    host: str
    port: int
    cacert: Path | None = None
    insecure: bool = False

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    def context(self) -> ssl.SSLContext:
        """For connections to it. Raises BadAddress for a file of certificates that cannot be read."""
        try:
            context = ssl.create_default_context(cafile=self.cacert)
        except (OSError, ssl.SSLError) as error:
            raise BadAddress(f"{self.cacert}: no certificates can be read from it: {error}") from None
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        return context


def bmc_address(url: str, *, cacert: Path | None = None, insecure: bool = False) -> RealBmcAddress:
    """The address in a URL. Raises BadAddress, without showing a password that stands in it."""
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError as error:
        raise BadAddress(f"not a URL: {error}") from None
    if split.username is not None or split.password is not None:
        raise BadAddress("the URL must hold no user name or password: others can see the command line; use --user and a file")
    if split.scheme not in ("http", "https") or not split.hostname:
        raise BadAddress(f"{url!r}: not a URL such as https://192.0.2.7")
    if split.path.rstrip("/") not in ("", "/redfish", "/redfish/v1") or split.query or split.fragment:
        raise BadAddress(f"{url!r}: give the address of the BMC alone, such as {split.scheme}://{split.netloc}")
    default = 443 if split.scheme == "https" else 80
    return RealBmcAddress(scheme=split.scheme, host=split.hostname, port=port or default, cacert=cacert, insecure=insecure)


@dataclass(slots=True)
class RealBmcClient:
    """Requests to one service. Closes its connection at the end of `with`."""

    address: RealBmcAddress
    user: str | None
    password: str | None = field(repr=False)
    timeout_s: float = 30.0
    _connection: http.client.HTTPConnection | None = field(default=None, init=False, repr=False)

    def __enter__(self) -> RealBmcClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def get(self, path: str) -> RealAnswer:
        """GET, with up to five redirects inside the same service. Raises NoAnswer and NotTrusted."""
        for _ in range(_MOST_REDIRECTS):
            answer = self.request("GET", path)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or target is None:
                return answer
            there = urlsplit(urljoin(f"{self.address.origin}{path}", target))
            if (there.scheme, there.hostname, there.port or self._port(there.scheme)) != (
                self.address.scheme,
                self.address.host,
                self.address.port,
            ):
                raise NoAnswer("it redirects to another service, which is not followed")
            path = f"{there.path}?{there.query}" if there.query else there.path
        raise NoAnswer(f"more than {_MOST_REDIRECTS} redirects")

    def post(self, path: str, body: JsonObject) -> RealAnswer:
        """POST of a JSON object. It is sent once, never again. Raises NoAnswer and NotTrusted."""
        return self.request("POST", path, json.dumps(body).encode())

    def request(self, method: str, path: str, body: bytes | None = None) -> RealAnswer:
        """One request; a GET is sent again once where a kept connection turns out to be closed."""
        was_open = self._connection is not None
        try:
            return self._once(method, path, body)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            if not was_open or method != "GET":
                raise NoAnswer(_said(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise self._refusal(error) from None
        try:
            return self._once(method, path, body)
        except (OSError, http.client.HTTPException) as error:
            raise self._refusal(error) from None

    @staticmethod
    def _port(scheme: str) -> int:
        return 443 if scheme == "https" else 80

    def _refusal(self, error: Exception) -> Exception:
        if isinstance(error, ssl.SSLCertVerificationError):
            return NotTrusted(
                f"{self.address.origin}: its certificate is not trusted ({error.verify_message}): "
                "name its authority with --cacert FILE, or give --insecure"
            )
        return NoAnswer(_said(error))

    def _once(self, method: str, path: str, body: bytes | None) -> RealAnswer:
        connection = self._open()
        is_over = threading.Event()

        def end() -> None:
            is_over.set()
            _shut(connection)

        timer = threading.Timer(self.timeout_s, end)
        timer.daemon = True
        timer.start()
        try:
            connection.request(method, quote(path, safe=_URI_SIGNS), body, self._headers(body))
            response = connection.getresponse()
            read = self._limited(response)
        except BaseException as error:
            self._close()
            if is_over.is_set() and isinstance(error, OSError | http.client.HTTPException | ValueError | AttributeError):
                raise TimeoutError(f"no whole answer within {self.timeout_s:g} s") from None
            raise
        finally:
            timer.cancel()
        if is_over.is_set():
            self._close()
            raise TimeoutError(f"no whole answer within {self.timeout_s:g} s")
        if response.will_close:
            self._close()
        return RealAnswer(response.status, {name.lower(): value for name, value in response.getheaders()}, read)

    def _open(self) -> http.client.HTTPConnection:
        if self._connection is None:
            if self.address.scheme == "https":
                self._connection = http.client.HTTPSConnection(
                    self.address.host, self.address.port, timeout=self.timeout_s, context=self.address.context()
                )
            else:
                self._connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=self.timeout_s)
        return self._connection

    def _headers(self, body: bytes | None) -> dict[str, str]:
        headers = {"Accept": "application/json", "OData-Version": "4.0"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if self.user is not None:
            words = f"{self.user}:{self.password or ''}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(words).decode()}"
        return headers

    def _limited(self, response: http.client.HTTPResponse) -> bytes:
        read: list[bytes] = []
        total, received = response.length or 0, 0  # as announced, and as counted
        while total <= MAX_BODY_BYTES and (chunk := response.read(_CHUNK_BYTES)):
            read.append(chunk)
            received += len(chunk)
            total = max(total, received)
        if total > MAX_BODY_BYTES:
            raise OSError(f"the body is larger than {MAX_BODY_BYTES // 1_000_000} MB")
        if response.length:
            raise http.client.IncompleteRead(b"", response.length)
        return b"".join(read)

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


def _shut(connection: http.client.HTTPConnection) -> None:
    """Ends a connection that another thread waits on."""
    opened: socket.socket | None = connection.sock
    if opened is not None:
        with contextlib.suppress(OSError):
            opened.shutdown(socket.SHUT_RDWR)


def _said(error: Exception) -> str:
    match error:
        case TimeoutError():
            return str(error) or "timed out"
        case http.client.IncompleteRead():
            return "the answer ends too early"
        case http.client.RemoteDisconnected():
            return "the connection was closed without an answer"
        case OSError():
            return error.strerror.lower() if error.strerror else str(error) or type(error).__name__
        case _:
            return f"not an HTTP answer ({type(error).__name__})"
