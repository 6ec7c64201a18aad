"""What a listener serves, and where faults may take hold of an exchange."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from wsgiref.types import WSGIApplication, WSGIEnvironment

from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Plan

ProtocolError = Callable[[int, str], tuple[Sequence[tuple[str, str]], bytes]]
"""Status and sentence to headers and body, for answers that are not the application's."""

_GENERAL_ERROR = "Base.1.0.GeneralError"


class HttpHooks(Protocol):
    """What a fault may do to an exchange. Called in the loop's thread; must not block.

    `environ` is the WSGI environment that the application gets, the same object in both calls of one exchange. Its `wsgi.input`
    is a BytesIO with the whole body, which `ClientLimits` bounds: read it with `getvalue()`, so that the application still can.
    """

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        """A plan to play before the handshake. The handshake follows only if the plan leaves the connection open."""

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        """A plan instead of calling the application: the request is not executed."""

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        """What is sent in place of `plan`: the request has been executed."""


class NoHooks:
    """Changes nothing; to inherit from."""

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        return None

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        return None

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        return plan


def redfish_error(status: int, text: str) -> tuple[Sequence[tuple[str, str]], bytes]:
    """A Redfish error body; `/redfish/v1` clients can show it like any other refusal."""
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
    """What a listener serves."""

    name: str
    app: WSGIApplication
    environ: Mapping[str, object]
    hooks: HttpHooks
    limits: ClientLimits
    protocol_error: ProtocolError
    on_error: Callable[[Exception], object]
