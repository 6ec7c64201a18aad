"""HTTP requests to one BMC, with strict time limits and without proxies, .netrc, retries or automatic redirects.

`AuthenticatedHttp` calls it. One thread uses one BmcHttp at a time. Times are seconds of the monotonic clock.

Rules
  1. A call ends at its deadline, also while connecting, during TLS, and if the server is silent or sends slowly.
  2. Credentials go only to the configured scheme, host and port: this module follows redirects itself and only within that
     origin, and `HttpConnection` verifies the certificate before it sends any HTTP.
  3. A redirect must lead to the same resource (another spelling of its path). A read that is answered by another resource
     would be a read of something else, and a power command would act on something else. The method stays (RFC 9110, 15.4).
  4. Nothing is sent twice. The transport and the fence procedure decide about another try.
"""

from __future__ import annotations

import base64
import json
import ssl
import time
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from fencer.outcome import Cause, Failure
from fencer.redact import Redactor
from fencer.target import Target
from fencer.transport.base import CallFailed
from fencer.transport.http_connection import DEFAULT_PORTS, HttpConnection, Origin, RawResponse, tls_context
from fencer.transport.redfish_bodies import same_resource
from fencer.transport.redfish_errors import Json

MAX_REDIRECTS = 3
PATH_CHARACTERS = "/%:@!$&'()*+,;=-._~"
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
    path: str
    json_error: str | None = None  # why the body is not JSON
    requests: int = 1
    ambiguous: bool = False  # the JSON has one key twice, with different values

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after(self) -> float | None:
        """Retry-After in seconds. A date is ignored, because the clocks of BMCs are often wrong."""
        word = self.headers.get("retry-after", "").strip()
        return float(word) if word.isascii() and word.isdigit() and len(word) < 10 else None


class DuplicateKey(ValueError):
    """A JSON object has one key twice, with different values: it says two things."""


class BmcHttp:
    """HTTP calls to one BMC."""

    def __init__(self, target: Target, connect: float, tls: ssl.SSLContext | None = None) -> None:
        """`connect` bounds one connect in seconds. `tls`: settings to share with another BmcHttp. Raises CallFailed."""
        self.base, origin = _base_of(target)
        self._redact = Redactor([target.password], target.user)
        self.tls = tls or (tls_context(target.verify_tls, target.ca_file) if origin.scheme == "https" else None)
        self._connection = HttpConnection(self.base, origin, self.tls, connect, target.fingerprint)
        self._origin = origin
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
            same = _origin(joined) == self._origin
            parts = urlsplit(joined)
        except ValueError as error:
            text = f"{self.base} gave an unusable URI ({self._redact(uri[:120])})"
            raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text)) from error
        if not same:
            text = f"{self.base} points to another host ({self._redact(joined[:120])}); nothing was sent there"
            raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text))
        path = quote(parts.path or "/", safe=PATH_CHARACTERS, errors="replace")
        return path + (f"?{quote(parts.query, safe=PATH_CHARACTERS + '?', errors='replace')}" if parts.query else "")

    def request(
        self,
        method: str,
        path: str,
        end: float,
        *,
        body: Json = None,
        headers: dict[str, str] | None = None,
        credentials: bool = True,
    ) -> HttpResponse:
        """Sends one request and follows redirects to other spellings of the same resource.

        Raises CallFailed if no complete response has arrived at `end`.
        """
        data = None if body is None else json.dumps(body).encode("utf-8", "surrogateescape")
        given = {**HEADERS, **({"Content-Type": "application/json"} if data is not None else {}), **(headers or {})}
        if credentials:
            given |= self.credentials
        asked = path
        for count in range(1, MAX_REDIRECTS + 2):
            try:
                raw = self._connection.exchange(method, path, given, data, end)
            except CallFailed as error:
                raise CallFailed(_redacted(error.failure, self._redact), final=error.final, sent=error.sent) from error
            location = raw.headers.get("location")
            if not location or not _is_followed(raw.status, method, location, asked):
                return _response(raw, path, count)
            path = self.path(location)
            if not same_resource(path, asked):
                text = f"{method} {self.base}{asked} was redirected to another resource ({self._redact(path[:120])})"
                raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text, code=f"HTTP {raw.status}"), contradicts=True)
        text = f"{method} {self.base}{asked} was redirected more than {MAX_REDIRECTS} times"
        raise CallFailed(Failure(cause=Cause.BAD_RESPONSE, text=text))

    def close_idle_connections(self) -> None:
        """Closes the connection, so that other clients can use a BMC that serves one connection at a time."""
        self._connection.close()

    def close(self) -> None:
        self._connection.close()


def left_until(end: float) -> float:
    """Seconds until `end`, at least 0."""
    return max(end - time.monotonic(), 0.0)


def _is_followed(status: int, method: str, location: str, asked: str) -> bool:
    """301 and 302 let a client make a GET of a POST, so another request is followed to its own resource alone, as it is."""
    return status in (307, 308) or (status in (301, 302) and (method == "GET" or same_resource(location, asked)))


def _redacted(failure: Failure, redact: Redactor) -> Failure:
    return Failure(cause=failure.cause, text=redact(failure.text), code=failure.code)


def _response(raw: RawResponse, path: str, requests: int) -> HttpResponse:
    try:
        parsed, json_error = _parse_json(raw)
    except DuplicateKey as error:
        return HttpResponse(raw.status, raw.headers, None, path, str(error), requests, ambiguous=True)
    return HttpResponse(raw.status, raw.headers, parsed, path, json_error, requests)


def _parse_json(raw: RawResponse) -> tuple[Json, str | None]:
    if raw.body_error:
        return None, raw.body_error
    if not raw.body.strip():
        return None, "an empty body"
    try:
        return json.loads(raw.body.decode("utf-8-sig"), object_pairs_hook=_object), None
    except DuplicateKey:
        raise
    except (ValueError, RecursionError) as error:
        return None, f"not JSON ({str(error)[:80]})"


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for key, value in pairs:
        if key in found and found[key] != value:
            raise DuplicateKey(f"JSON with {key[:40]!r} twice")
        found[key] = value
    return found


def _base_of(target: Target) -> tuple[str, Origin]:
    if target.url:
        try:
            origin = _origin(target.url)
        except ValueError:
            origin = Origin("", "", 0)
        if origin.scheme not in DEFAULT_PORTS or not origin.host:
            text = f"{target.url[:120]!r} is not an http or https URL"
            raise CallFailed(Failure(cause=Cause.CONFIG, text=text), final=True)
        return target.url.rstrip("/"), origin
    port = target.port or DEFAULT_PORTS["https"]
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"https://{host}" + (f":{port}" if port != DEFAULT_PORTS["https"] else ""), Origin("https", target.host.lower(), port)


def _origin(url: str) -> Origin:
    """Raises ValueError for an unusable URL."""
    parts = urlsplit(url)
    return Origin(parts.scheme, parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme, 0))
