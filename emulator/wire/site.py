"""What an HTTP listener serves (`Site`), and the hooks by which wire faults change an exchange (`HttpHooks`).

`HttpServer` makes a `Site` per connection; `HttpSession` and `Listener` call its hooks, in the loop's thread.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from emulator.wire.limits import ClientLimits, RequestMemory
from emulator.wire.ops import Plan

ProtocolError = Callable[[int, str], tuple[Sequence[tuple[str, str]], bytes]]
"""Makes headers and body from a status and a sentence, for errors that the application does not answer itself."""

_GENERAL_ERROR = "Base.1.0.GeneralError"


class HttpHooks(Protocol):
    """Called at the points where a fault may change an exchange. Called in the loop's thread; must not block.

    `environ` is the WSGI environment that the application gets, the same object in both calls of one exchange. Its `wsgi.input`
    is a BytesIO with the whole body, which `ClientLimits` bounds: read it with `getvalue()`, so that the application still can.
    """

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        """A plan to carry out before the TLS handshake, which follows only if the plan leaves the connection open."""

    def handshake(self, listener_name: str, usual: ssl.SSLContext | None) -> ssl.SSLContext | None:
        """How to speak TLS to a new connection: `usual` is what the listener does, None is no TLS."""

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        """A plan to carry out instead of calling the application. None: call it."""

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        """The plan to carry out in place of `plan`, the answer of the application."""


class NoHooks:
    """Hooks that change nothing; a base class for hooks that need some methods only."""

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        return None

    def handshake(self, listener_name: str, usual: ssl.SSLContext | None) -> ssl.SSLContext | None:
        return usual

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        return None

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        return plan


def redfish_error(status: int, text: str) -> tuple[Sequence[tuple[str, str]], bytes]:
    """Headers and body of a Redfish error (DSP0266), so that Redfish clients can show it."""
    body = {
        "error": {
            "code": _GENERAL_ERROR,
            "message": text,
            "@Message.ExtendedInfo": [{"MessageId": _GENERAL_ERROR, "Message": text, "Severity": "Critical"}],
        }
    }
    return (("Content-Type", "application/json"),), json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Site:
    """What one listener serves. `name` is its BMC's name, `on_error` gets exceptions of the application."""

    name: str
    app: WSGIApplication
    environ: Mapping[str, object]
    hooks: HttpHooks
    limits: ClientLimits
    protocol_error: ProtocolError
    on_error: Callable[[Exception], object]
    memory: RequestMemory = field(default_factory=RequestMemory)
