"""Calls a WSGI application: makes the environment of a request, and collects the answer.

`HttpSession` calls it in the loop's thread, and the application runs there too, so it must not block.

A mistake of the application raises `ApplicationError`. Requests that are not valid HTTP never get here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from types import TracebackType
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

Write = Callable[[bytes], object]
ExcInfo = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

MAX_ANSWER = 64 * 1024 * 1024
"""Bytes. An application that yields more is an error: it may never end. `Stream` is for answers without an end."""

_CGI_NAMES = {b"content-type": "CONTENT_TYPE", b"content-length": "CONTENT_LENGTH"}


class ApplicationError(RuntimeError):
    """The application's fault: it broke a rule of WSGI or HTTP. The client gets a 500."""


@dataclass(frozen=True, slots=True)
class WsgiAnswer:
    """What the application answered."""

    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


def split_target(target: bytes) -> tuple[str, str] | None:
    """PATH_INFO and QUERY_STRING of a request target; None if it is not a path, a URL or `*`."""
    if target[:1] != b"/":
        scheme, mark, rest = target.partition(b"://")
        if mark and scheme.lower() in (b"http", b"https"):
            _host, slash, path = rest.partition(b"/")
            target = b"/" + path if slash else b"/"
        elif target != b"*":
            return None
    path, _mark, query = target.partition(b"?")
    if b"%" in path:
        path = unquote_to_bytes(path)
    return path.decode("latin-1"), query.decode("latin-1")


def environ_of(
    method: str,
    path: str,
    query: str,
    version: str,
    headers: Iterable[tuple[bytes, bytes]],
    body: bytes,
    base: Mapping[str, object],
) -> dict[str, object]:
    """The environment of one request. `base` is `connection_environ` of its connection. Header names are in lower case."""
    environ = dict(base)
    environ["REQUEST_METHOD"] = method
    environ["PATH_INFO"] = path
    environ["QUERY_STRING"] = query
    environ["SERVER_PROTOCOL"] = f"HTTP/{version}"
    environ["wsgi.input"] = BytesIO(body)
    for name, value in headers:
        if b"_" in name or name == b"transfer-encoding":
            continue  # X_Y must not be read as X-Y; the body is complete here, so its transfer coding does not matter
        key = _CGI_NAMES.get(name) or "HTTP_" + name.decode("ascii").upper().replace("-", "_")
        text = value.decode("latin-1")
        earlier = environ.get(key)
        environ[key] = text if earlier is None else f"{earlier}{'; ' if name == b'cookie' else ','}{text}"
    if body or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def connection_environ(
    local: tuple[str, int], peer: tuple[str, int], secure: bool, extra: Mapping[str, object]
) -> dict[str, object]:
    """The part of the environment that all requests of a connection share."""
    return {
        "SCRIPT_NAME": "",
        "SERVER_NAME": local[0],
        "SERVER_PORT": str(local[1]),
        "REMOTE_ADDR": peer[0],
        "REMOTE_PORT": str(peer[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https" if secure else "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
        **extra,
    }


def call(app: WSGIApplication, environ: dict[str, object]) -> WsgiAnswer:
    """Runs the application and reads its whole answer. Raises ApplicationError, and whatever the application raises."""
    started: list[tuple[str, list[tuple[str, str]]]] = []
    pieces: list[bytes] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: ExcInfo | None = None, /) -> Write:
        if started and exc_info is None:
            raise ApplicationError("the application called start_response twice")
        started[:] = [(status, headers)]
        return pieces.append

    result = app(environ, start_response)
    size = 0
    try:
        for piece in result:
            size += len(piece)
            if size > MAX_ANSWER:
                raise ApplicationError(f"the application's answer has no end: more than {MAX_ANSWER} bytes")
            pieces.append(piece)
    finally:
        close = getattr(result, "close", None)
        if close is not None:
            close()
    if not started:
        raise ApplicationError("the application never called start_response")
    status, headers = started[0]
    code, _space, reason = status.partition(" ")
    if not (code.isdecimal() and 200 <= int(code) <= 599):
        raise ApplicationError(f"the application's status is not one: {status!r}")
    return WsgiAnswer(
        int(code),
        reason.encode("latin-1"),
        [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        b"".join(pieces) if len(pieces) != 1 else pieces[0],
    )
