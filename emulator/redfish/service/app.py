"""The Flask application: an ordinary WSGI callable for all BMCs of a rack.

Which BMC a request is for comes from `environ["emulator.bmc"]` (our own wire puts it there), else from the `bmc` argument, else
it is the only one. The app keeps no thread and no clock: under any single-threaded server the rack catches up with each request.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from flask import Flask, Request, Response
from flask import request as flask_request
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from emulator.core.bmc.eventlog import LogEntry
from emulator.core.bmc.view import BmcView
from emulator.core.rack import Rack
from emulator.redfish.certificates.keyring import Keyring, StaticKeyring
from emulator.redfish.events.subscriptions import EventDelivery, NoEventDelivery
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import JSON_TYPE, HttpAnswer, Incoming, RegistryError
from emulator.redfish.service.error_shapes import ErrorShapes
from emulator.redfish.service.service import Service
from emulator.redfish.service.tree import Tree

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY: Final = 1 << 20
"""Octets of a request body; a larger one is 413."""

EXCHANGE: Final = "emulator.exchange"
"""Key of the environment: the `Exchange` of a request that somebody has classified before the service."""

_HEADERS: Final = {
    name: f"HTTP_{name.upper().replace('-', '_')}"
    for name in ("x-auth-token", "authorization", "accept", "odata-version", "if-match", "if-none-match")
} | {"content-type": "CONTENT_TYPE"}


class Unrouted(Flask):
    """The tree alone decides what exists, so no time is spent on Flask's own map of routes."""

    def create_url_adapter(self, request: Request | None) -> None:
        return None


class PlainResponse(Response):
    """Carries the headers that it is given, with the length of the body, and no others."""

    default_mimetype = None

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        # Ours are ready to go out; what Flask would look up, copy and mend for each answer is a twentieth of its time.
        if self.status_code in (204, 304):
            self.headers.remove("Content-Length")
        return self.headers


def create_app(
    rack: Rack,
    *,
    bmc: str | None = None,
    courier: EventDelivery | None = None,
    keyring_of: Callable[[str], Keyring] | None = None,
) -> Flask:
    """`courier` carries events to subscribers (None: they are journaled and go nowhere); `keyring_of(name)` holds the certificate
    of a BMC (None: they have no TLS). Raises RackMisconfigured where a profile asks for what this service cannot do, NoSuchUnit
    for an unknown `bmc`.
    """
    services = Services(rack, courier or NoEventDelivery(), keyring_of or (lambda name: StaticKeyring()))
    if bmc is not None:
        rack.unit(bmc)
    return app_of(services, bmc if bmc is not None else next(iter(rack.units)) if len(rack.units) == 1 else None)


def app_of(services: Services, default: str | None = None) -> Flask:
    """The application for services that somebody else asks too; `default` is the BMC of a request that names none."""
    app = Unrouted("emulator.redfish", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY

    def here() -> Service | None:
        name = flask_request.environ.get("emulator.bmc", default)
        return services.of(name) if isinstance(name, str) else None

    def handle() -> Response:
        service = here()
        if service is None:
            return _response(_nobody())
        environ = flask_request.environ
        return _response(service.answer(incoming_of(environ, _body_reader()), environ.get(EXCHANGE)))

    def broken(error: HTTPException) -> Response:
        """What Flask itself refuses, or what went wrong in here."""
        service = here()
        status = error.code or 500
        name = "InternalError" if status == 500 else "UnrecognizedRequestBody" if status == 400 else "GeneralError"
        return _response(_nobody() if service is None else service.refuse(RegistryError(status, name)))

    # Before routing rather than by a route: the tree alone decides what exists, for every method and for paths that Flask's own
    # router would redirect or refuse in HTML.
    app.before_request(handle)
    app.register_error_handler(HTTPException, broken)
    return app


class Services:
    """The Redfish services of a rack's BMCs. One is made with its first request; those of one profile share a tree."""

    def __init__(self, rack: Rack, courier: EventDelivery, keyring_of: Callable[[str], Keyring]) -> None:
        """Raises RackMisconfigured where a profile asks for what this service cannot do."""
        self._rack = rack
        self._courier = courier
        self._keyring_of = keyring_of
        self._trees: dict[tuple[int, tuple[str, ...]], Tree] = {}
        self._wordings: dict[int, ErrorShapes] = {}
        self._made: dict[str, Service] = {}
        self._unheard: Counter[str] = Counter()  # events of BMCs without a service: nobody has subscribed, their ids count on
        for name in rack.units:
            self._shared(BmcView(rack, name))
        rack.on_log(self._logged)

    def of(self, name: str) -> Service | None:
        """None for a BMC that is not in the rack."""
        service = self._made.get(name)
        if service is None and name in self._rack.units:
            first_event = 1 + self._unheard.pop(name, 0)
            view = RedfishBmc(self._rack, name, self._courier, self._keyring_of(name), first_event)
            service = self._made[name] = Service(view, *self._shared(view))
        return service

    def _shared(self, view: BmcView) -> tuple[Tree, ErrorShapes]:
        """BMCs of one profile with as many systems share these."""
        profile = view.profile
        key = (id(profile), view.system_ids())
        if key not in self._trees:
            self._trees[key] = Tree(profile, view.systems())
        if id(profile) not in self._wordings:
            self._wordings[id(profile)] = ErrorShapes(profile)
        return self._trees[key], self._wordings[id(profile)]

    def _logged(self, name: str, entry: LogEntry) -> None:
        service = self._made.get(name)
        if service is not None:
            service.logged(entry)
        else:
            self._unheard[name] += 1


def incoming_of(environ: WSGIEnvironment, read_body: Callable[[], bytes]) -> Incoming:
    """The request of a WSGI environment. `read_body` gives the same octets every time."""
    return Incoming(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        headers={name: environ[key] for name, key in _HEADERS.items() if key in environ},
        address=environ.get("REMOTE_ADDR", ""),
        stream=environ.get("emulator.stream"),
        read_body=read_body,
    )


def _body_reader() -> Callable[[], bytes]:
    """Reads once, gives the same octets every time. Raises Refusal (413, 400)."""

    def read() -> bytes:
        try:
            return flask_request.get_data()
        except RequestEntityTooLarge:
            raise RegistryError(413, "PayloadTooLarge") from None
        except HTTPException:
            raise RegistryError(400, "UnrecognizedRequestBody") from None

    return read


def _response(answer: HttpAnswer) -> Response:
    return PlainResponse(answer.body, answer.status, list(answer.headers))


def _nobody() -> HttpAnswer:
    text = "Several BMCs live here, and this server does not say which one is meant."
    error = {"code": "Base.1.0.GeneralError", "message": text, "@Message.ExtendedInfo": []}
    return HttpAnswer(404, (("Content-Type", JSON_TYPE),), json.dumps({"error": error}).encode())
