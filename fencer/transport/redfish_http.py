"""HTTP requests to one BMC, with strict time limits and without proxies, .netrc, retries or automatic redirects.

`AuthenticatedHttp` calls it from one thread; times are seconds.

Rules
  1. A call ends within its time-out, also while connecting, during TLS, and if the server is silent or sends slowly.
  2. Credentials go only to the configured scheme, host and port: this module follows redirects itself and only within that
     origin, ignores proxies and .netrc, and verifies the certificate before it sends any HTTP.
  3. Nothing is sent twice. urllib3's retries are off; the fence procedure decides about another try.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError

from fencer.outcome import Cause, Failure
from fencer.redact import Redactor
from fencer.target import Target
from fencer.transport.base import CallFailed
from fencer.transport.limits import CallDeadline, addresses
from fencer.transport.redfish_errors import Json

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection  # exists for type checkers only

MAX_BODY_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 3
HEADERS = {
    "Accept": "application/json",
    "OData-Version": "4.0",
    "Cache-Control": "no-cache",
    "User-Agent": "fence_bmc",
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete HTTP response. `body` is the parsed JSON, or None if there is none; `json_error` says why."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: Json
    path: str  # after redirects
    json_error: str | None = None  # why the body is not JSON
    requests: int = 1

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Retry-After in seconds. A date is ignored, because the clocks of BMCs are often wrong."""
        word = self.headers.get("retry-after", "")
        return float(word) if word.isascii() and word.isdigit() else None


@dataclass(slots=True)
class _Call:
    """The deadline of the current call, for the connections that it opens."""

    deadline: CallDeadline | None = field(default=None)


class _Adapter(HTTPAdapter):
    def __init__(self, call: _Call) -> None:
        self._classes = _pool_classes(call)
        super().__init__(max_retries=urllib3.Retry(0, read=False))

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
        self.poolmanager.pool_classes_by_scheme = self._classes


def _pool_classes(call: _Call) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            if call.deadline is not None:
                call.deadline.watch(connection)
            return connection

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            if call.deadline is not None:
                call.deadline.watch(connection)
            return connection

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

        def _validate_conn(self, conn: BaseHTTPConnection) -> None:
            # As in urllib3, without the warning about a verification that the user switched off.
            if conn.is_closed:
                conn.connect()

    return {"http": PlainPool, "https": SecurePool}


class BmcHttp:
    """HTTP calls to one BMC."""

    def __init__(self, target: Target, connect: float) -> None:
        self.base = _base_url(target)
        self._target = target
        self._connect = connect
        self._call = _Call()
        self._redact = Redactor([target.password], target.user)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers.update(HEADERS)
        self._verify = _tls_verification(target)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._call))
        pair = f"{target.user}:{target.password}".encode("utf-8", "surrogateescape")
        self._basic = "Basic " + base64.b64encode(pair).decode("ascii")
        self.token: str | None = None

    @property
    def credentials(self) -> dict[str, str]:
        return {"X-Auth-Token": self.token} if self.token else {"Authorization": self._basic}

    def path(self, uri: str) -> str:
        """Returns the path of a URI from the BMC. Raises CallFailed if it leads to another scheme, host or port."""
        try:
            joined = urljoin(self.base + "/", uri)
            same = _origin(joined) == _origin(self.base)
        except ValueError as error:
            text = f"{self.base} gave an unusable URI ({self._redact(uri[:120])})"
            raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text)) from error
        if not same:
            text = f"{self.base} points to another host ({self._redact(joined[:120])}); nothing was sent there"
            raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text))
        parts = urlsplit(joined)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def request(
        self,
        method: str,
        path: str,
        timeout: float,
        *,
        body: Json = None,
        headers: dict[str, str] | None = None,
        credentials: bool = True,
    ) -> HttpResponse:
        """Sends one request and follows redirects within the same origin.

        Raises CallFailed if no complete response arrives within `timeout` seconds.
        """
        end = time.monotonic() + timeout
        data = None if body is None else json.dumps(body).encode("utf-8", "surrogateescape")
        given = dict(headers or {})
        if data is not None:
            given["Content-Type"] = "application/json"
        if credentials:
            given |= self.credentials
        for count in range(1, MAX_REDIRECTS + 2):
            answer = self._send_once(method, path, data, given, end - time.monotonic())
            location = answer.headers.get("location")
            follow = answer.status in (307, 308) or (answer.status in (301, 302) and method == "GET")
            if not follow or not location:
                return HttpResponse(
                    answer.status, answer.headers, answer.body, answer.path, answer.json_error, requests=count
                )  # fmt: skip
            path = self.path(location)
        text = f"{method} {path} was redirected more than {MAX_REDIRECTS} times"
        raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text))

    def _send_once(self, method: str, path: str, data: bytes | None, headers: dict[str, str], timeout: float) -> HttpResponse:
        what = f"{method} {self.base}{path}"
        if timeout <= 0:
            raise CallFailed(Failure(cause=Cause.TIMEOUT, text=f"{what}: no time left"))
        end = time.monotonic() + timeout
        found = addresses(urlsplit(self.base).hostname or "", timeout)
        left = max(end - time.monotonic(), 0.05)
        connect = min(self._connect, left) / len({address for _, address in found})
        with CallDeadline(left) as deadline:
            self._call.deadline = deadline
            try:
                with self._session.request(
                    method,
                    self.base + path,
                    data=data,
                    headers=headers,
                    timeout=(connect, left),
                    allow_redirects=False,
                    verify=self._verify,
                    stream=True,
                ) as response:
                    raw = response.raw.read(MAX_BODY_BYTES + 1, decode_content=True)
                    names = {name.lower(): value for name, value in response.headers.items()}
                    parsed, json_error = _parse_json(raw)
                    return HttpResponse(response.status_code, names, parsed, path, json_error)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise CallFailed(self._failure(what, timeout, deadline.passed, error)) from error
            finally:
                self._call.deadline = None

    def _failure(self, what: str, timeout: float, deadline_passed: bool, error: Exception) -> Failure:
        chain = list(_error_chain(error))
        words = self._redact(str(chain[-1]).strip() or type(chain[-1]).__name__)[:160]

        def any_is(*kinds: type[BaseException]) -> bool:
            return any(isinstance(link, kinds) for link in chain)

        if deadline_passed:
            return Failure(cause=Cause.TIMEOUT, text=f"{what}: no complete answer within {timeout:.1f} s")
        if any_is(requests.ConnectTimeout, NewConnectionError, NameResolutionError):
            return Failure(cause=Cause.UNREACHABLE, text=f"{what}: no connection ({words})")
        if any_is(ssl.SSLError) and not any_is(TimeoutError):
            return Failure(cause=Cause.TLS, text=f"{what}: TLS failed, nothing was sent ({words})")
        if any_is(requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError):
            return Failure(cause=Cause.TIMEOUT, text=f"{what}: no complete answer within {timeout:.1f} s")
        if any_is(requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader):
            return Failure(cause=Cause.CONFIG, text=f"{what}: not a usable address ({words})")
        if any_is(ConnectionError, requests.ConnectionError):
            return Failure(cause=Cause.UNREACHABLE, text=f"{what}: the connection was dropped ({words})")
        return Failure(cause=Cause.BAD_RESPONSE, text=f"{what}: not a usable answer ({words})")

    def close_idle_connections(self) -> None:
        """Closes idle connections, so that other clients can use a BMC that serves one connection at a time."""
        for adapter in self._session.adapters.values():
            adapter.close()

    def close(self) -> None:
        self._session.close()


def _error_chain(error: BaseException) -> list[BaseException]:
    """Returns the error and its causes, outermost first."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        link = queue.pop(0)
        if isinstance(link, BaseException) and link not in found:
            found.append(link)
            queue += [getattr(link, "reason", None), *link.args, link.__cause__, link.__context__]
    return found


def _parse_json(raw: bytes) -> tuple[Json, str | None]:
    if len(raw) > MAX_BODY_BYTES:
        return None, f"more than {MAX_BODY_BYTES} bytes"
    if not raw.strip():
        return None, "an empty body"
    try:
        return json.loads(raw.decode("utf-8")), None
    except (ValueError, RecursionError) as error:
        return None, f"not JSON ({str(error)[:80]})"


def _base_url(target: Target) -> str:
    if target.url:
        try:
            scheme, host, _ = _origin(target.url)
        except ValueError:
            scheme, host = "", None
        if scheme not in ("http", "https") or not host:
            raise CallFailed(Failure(cause=Cause.CONFIG, text=f"{target.url[:120]!r} is not an http or https URL"))
        return target.url.rstrip("/")
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"https://{host}" + (f":{target.port}" if target.port and target.port != 443 else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _tls_verification(target: Target) -> bool | str:
    """Returns the user's CA file, or the system's CA store. Raises CallFailed if the file does not exist."""
    if not target.verify_tls:
        return False
    if target.ca_file:
        if not Path(target.ca_file).is_file():
            raise CallFailed(Failure(cause=Cause.CONFIG, text=f"the CA file {target.ca_file} does not exist"))
        return target.ca_file
    system = ssl.get_default_verify_paths()
    return system.cafile or system.capath or True
