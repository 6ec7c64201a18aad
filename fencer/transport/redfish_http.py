"""One HTTP call on a BMC, with nothing that a browser would do for us.

Rules
  1. A call ends within its time-out: connect, TLS, a silent server and one that drips are all cut.
  2. Credentials go to the configured scheme, host and port, and nowhere else: redirects are followed by hand, proxies
     and .netrc are ignored, a certificate is verified before a byte of HTTP leaves.
  3. Nothing is sent twice. urllib3's retries are off; the procedure decides about another try.
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
from fencer.transport.base import Unread
from fencer.transport.limits import Wall, addresses
from fencer.transport.redfish_words import Json

if TYPE_CHECKING:
    from urllib3._base_connection import BaseHTTPConnection  # exists for type checkers only

MOST_BYTES = 8 * 1024 * 1024
MOST_REDIRECTS = 3
HEADERS = {
    "Accept": "application/json",
    "OData-Version": "4.0",
    "Cache-Control": "no-cache",
    "User-Agent": "fence_bmc",
}


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """A complete HTTP answer. `body` is None where there was none."""

    status: int
    headers: dict[str, str]  # names in lower case
    body: Json
    path: str  # after redirects
    garbled: str | None = None  # why the body is not JSON
    requests: int = 1

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Seconds; a date, which BMCs with a wrong clock send, is not honoured."""
        word = self.headers.get("retry-after", "")
        return float(word) if word.isascii() and word.isdigit() else None


@dataclass(slots=True)
class _Call:
    """What the connections of the current call must know."""

    wall: Wall | None = field(default=None)


class _Adapter(HTTPAdapter):
    def __init__(self, call: _Call) -> None:
        self._classes = _pools(call)
        super().__init__(max_retries=urllib3.Retry(0, read=False))

    def init_poolmanager(self, *args: object, **kwargs: object) -> None:
        super().init_poolmanager(*args, **kwargs)  # type: ignore[arg-type]
        self.poolmanager.pool_classes_by_scheme = self._classes


def _pools(call: _Call) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            if call.wall is not None:
                call.wall.hold(connection)
            return connection

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            if call.wall is not None:
                call.wall.hold(connection)
            return connection

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

        def _validate_conn(self, conn: BaseHTTPConnection) -> None:
            # As urllib3's own, less its warning about a verification that the user switched off.
            if conn.is_closed:
                conn.connect()

    return {"http": PlainPool, "https": SecurePool}


class BmcHttp:
    """HTTP calls to one BMC."""

    def __init__(self, target: Target, connect: float) -> None:
        self.base = _base(target)
        self._target = target
        self._connect = connect
        self._call = _Call()
        self._hide = Redactor([target.password], target.user)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers.clear()
        self._session.headers.update(HEADERS)
        self._verify = _verification(target)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(self._call))
        pair = f"{target.user}:{target.password}".encode("utf-8", "surrogateescape")
        self._basic = "Basic " + base64.b64encode(pair).decode("ascii")
        self.token: str | None = None

    @property
    def credentials(self) -> dict[str, str]:
        return {"X-Auth-Token": self.token} if self.token else {"Authorization": self._basic}

    def path(self, uri: str) -> str:
        """The path of a URI that the BMC gave. Raises Unread for one that leads to another host."""
        try:
            joined = urljoin(self.base + "/", uri)
            same = _origin(joined) == _origin(self.base)
        except ValueError as error:
            text = f"{self.base} gave an unusable URI ({self._hide(uri[:120])})"
            raise Unread(Failure(cause=Cause.BAD_RESPONSE, text=text)) from error
        if not same:
            text = f"{self.base} points to another host ({self._hide(joined[:120])}); nothing was sent there"
            raise Unread(Failure(cause=Cause.BAD_RESPONSE, text=text))
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
        """One call, with redirects within the same origin. Raises Unread if there is no complete answer in time."""
        end = time.monotonic() + timeout
        data = None if body is None else json.dumps(body).encode("utf-8", "surrogateescape")
        given = dict(headers or {})
        if data is not None:
            given["Content-Type"] = "application/json"
        if credentials:
            given |= self.credentials
        for count in range(1, MOST_REDIRECTS + 2):
            answer = self._once(method, path, data, given, end - time.monotonic())
            location = answer.headers.get("location")
            follow = answer.status in (307, 308) or (answer.status in (301, 302) and method == "GET")
            if not follow or not location:
                return HttpResponse(
                    answer.status, answer.headers, answer.body, answer.path, answer.garbled, requests=count
                )  # fmt: skip
            path = self.path(location)
        text = f"{method} {path} was redirected more than {MOST_REDIRECTS} times"
        raise Unread(Failure(cause=Cause.BAD_RESPONSE, text=text))

    def _once(self, method: str, path: str, data: bytes | None, headers: dict[str, str], timeout: float) -> HttpResponse:
        what = f"{method} {self.base}{path}"
        if timeout <= 0:
            raise Unread(Failure(cause=Cause.TIMEOUT, text=f"{what}: no time left"))
        end = time.monotonic() + timeout
        found = addresses(urlsplit(self.base).hostname or "", timeout)
        left = max(end - time.monotonic(), 0.05)
        connect = min(self._connect, left) / len({address for _, address in found})
        with Wall(left) as wall:
            self._call.wall = wall
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
                    raw = response.raw.read(MOST_BYTES + 1, decode_content=True)
                    names = {name.lower(): value for name, value in response.headers.items()}
                    parsed, garbled = _json(raw)
                    return HttpResponse(response.status_code, names, parsed, path, garbled)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise Unread(self._failure(what, timeout, wall.fell, error)) from error
            finally:
                self._call.wall = None

    def _failure(self, what: str, timeout: float, fell: bool, error: Exception) -> Failure:
        chain = list(_chain(error))
        words = self._hide(str(chain[-1]).strip() or type(chain[-1]).__name__)[:160]

        def any_is(*kinds: type[BaseException]) -> bool:
            return any(isinstance(link, kinds) for link in chain)

        if fell:
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

    def rest(self) -> None:
        """Closes idle connections: a BMC that serves one at a time is not kept from others between two reads."""
        for adapter in self._session.adapters.values():
            adapter.close()

    def close(self) -> None:
        self._session.close()


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it was made from, outermost first."""
    found: list[BaseException] = []
    queue: list[object] = [error]
    while queue:
        link = queue.pop(0)
        if isinstance(link, BaseException) and link not in found:
            found.append(link)
            queue += [getattr(link, "reason", None), *link.args, link.__cause__, link.__context__]
    return found


def _json(raw: bytes) -> tuple[Json, str | None]:
    if len(raw) > MOST_BYTES:
        return None, f"more than {MOST_BYTES} bytes"
    if not raw.strip():
        return None, "an empty body"
    try:
        return json.loads(raw.decode("utf-8")), None
    except (ValueError, RecursionError) as error:
        return None, f"not JSON ({str(error)[:80]})"


def _base(target: Target) -> str:
    if target.url:
        try:
            scheme, host, _ = _origin(target.url)
        except ValueError:
            scheme, host = "", None
        if scheme not in ("http", "https") or not host:
            raise Unread(Failure(cause=Cause.CONFIG, text=f"{target.url[:120]!r} is not an http or https URL"))
        return target.url.rstrip("/")
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"https://{host}" + (f":{target.port}" if target.port and target.port != 443 else "")


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


def _verification(target: Target) -> bool | str:
    """The CA file of the user, else the system's store, as fence_redfish has it. Raises Unread for a missing file."""
    if not target.verify_tls:
        return False
    if target.ca_file:
        if not Path(target.ca_file).is_file():
            raise Unread(Failure(cause=Cause.CONFIG, text=f"the CA file {target.ca_file} does not exist"))
        return target.ca_file
    system = ssl.get_default_verify_paths()
    return system.cafile or system.capath or True
