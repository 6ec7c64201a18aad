"""The Flask application: a WSGI callable that serves all BMCs of a rack.

The wire's HTTP server calls it inline, in the emulator's thread. `environ["emulator.bmc"]` names the BMC of a request; without it
the `bmc` argument of `create_app` does, or the rack has only one BMC. The app has no thread and no clock of its own: each request
first runs the rack's due timers, so the app also works under any single-threaded WSGI server.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
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
from profiles.model import Profile

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

MAX_BODY: Final = 1 << 20
"""The largest request body in bytes; a larger one is answered with 413."""

EXCHANGE: Final = "emulator.exchange"
"""Key of the WSGI environment: the `Exchange` of a request that the wire hook has classified before the service gets it."""

LATE_S: Final = "emulator.late_s"
"""Key of the WSGI environment: by how many seconds the wire sends the answer later."""

PRESENCE: Final = "emulator.presence"
"""Key of the WSGI environment: how the BMC answers this request, if the wire hook has asked."""

_HEADERS: Final = {
    name: f"HTTP_{name.upper().replace('-', '_')}"
    for name in ("x-auth-token", "authorization", "accept", "odata-version", "if-match", "if-none-match", "cache-control", "host")
} | {"content-type": "CONTENT_TYPE"}


class RedfishFlask(Flask):
    """Flask without routes: the resource tree alone decides what exists."""

    def create_url_adapter(self, request: Request | None) -> None:
        return None


class PlainResponse(Response):
    """A response with the given headers and Content-Length, and no other headers."""

    default_mimetype = None

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        # Our headers are complete. Flask's own checks of them take 5 % of the time of an answer.
        if self.status_code in (204, 304):
            self.headers.remove("Content-Length")
        return self.headers


def create_app(
    rack: Rack,
    *,
    bmc: str | None = None,
    event_delivery: EventDelivery | None = None,
    keyring_of: Callable[[str], Keyring] | None = None,
) -> Flask:
    """The application. `event_delivery` None: events are journaled and not delivered. `keyring_of(name)` gives the certificate of
    a BMC; None: the BMCs have no TLS.

    Raises RackMisconfigured for a profile that this service cannot serve, NoSuchUnit for an unknown `bmc`.
    """
    services = Services(rack, event_delivery or NoEventDelivery(), keyring_of or (lambda name: StaticKeyring()))
    if bmc is not None:
        rack.unit(bmc)
    return app_of(services, bmc if bmc is not None else next(iter(rack.units)) if len(rack.units) == 1 else None)


def app_of(services: Services, default: str | None = None) -> Flask:
    """The application for services that a caller shares with other users. `default` is the BMC of a request that names none."""
    app = RedfishFlask("emulator.redfish", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY

    def service_for(environ: WSGIEnvironment) -> Service | None:
        name = environ.get("emulator.bmc", default)
        return services.of(name) if isinstance(name, str) else None

    def handle() -> Response:
        environ = flask_request.environ
        service = service_for(environ)
        if service is None:
            return _response(_no_bmc())
        answer = service.answer(incoming_of(environ, _body_reader()), environ.get(EXCHANGE), environ.get(PRESENCE))
        environ[LATE_S] = answer.late_s
        return _response(answer)

    def flask_error(error: HTTPException) -> Response:
        """The answer to an error of Flask, or to an exception in this service."""
        service = service_for(flask_request.environ)
        status = error.code or 500
        name = "InternalError" if status == 500 else "UnrecognizedRequestBody" if status == 400 else "GeneralError"
        return _response(_no_bmc() if service is None else service.refuse(RegistryError(status, name)))

    # Requests are answered before Flask routes them: its router would redirect some paths, and refuse others in HTML.
    app.before_request(handle)
    app.register_error_handler(HTTPException, flask_error)
    return app


class SharedTrees:
    """The tree and the error shapes of every profile with the same systems. They never change, so several racks may use them, in
    several threads."""

    def __init__(self, most: int | None = None) -> None:
        """`most` profiles are kept, those that were used last; None: all."""
        self._most = most
        self._lock = threading.Lock()
        self._profiles: dict[int, _ProfileTrees] = {}  # by id(); a profile is kept, so that no other gets the same

    def of(self, view: BmcView) -> tuple[Tree, ErrorShapes]:
        """Raises RackMisconfigured for a profile that this service cannot serve."""
        profile, systems = view.profile, view.system_ids()
        with self._lock:
            kept = self._profiles.pop(id(profile), None) or _ProfileTrees(profile, ErrorShapes(profile))
            self._profiles[id(profile)] = kept
            if systems not in kept.trees:
                kept.trees[systems] = Tree(profile, view.systems())
            while self._most is not None and len(self._profiles) > self._most:
                del self._profiles[next(iter(self._profiles))]
            return kept.trees[systems], kept.error_shapes


@dataclass(frozen=True, slots=True)
class _ProfileTrees:
    """`trees` by the ids of the systems."""

    profile: Profile
    error_shapes: ErrorShapes
    trees: dict[tuple[str, ...], Tree] = field(default_factory=dict)


class Services:
    """The Redfish services of a rack's BMCs. The first request to a BMC makes its service; BMCs of one profile share a tree."""

    def __init__(
        self,
        rack: Rack,
        event_delivery: EventDelivery,
        keyring_of: Callable[[str], Keyring],
        trees: SharedTrees | None = None,
    ) -> None:
        """`trees` may be those of another rack, which saves their making.

        Raises RackMisconfigured for a profile that this service cannot serve.
        """
        self._rack = rack
        self._event_delivery = event_delivery
        self._keyring_of = keyring_of
        self._trees = trees if trees is not None else SharedTrees()
        self._made: dict[str, Service] = {}
        self._earlier_events: Counter[str] = (
            Counter()
        )  # number of events of each BMC that has no service yet, so that event ids do not start again
        for name in rack.units:
            self._trees.of(BmcView(rack, name))
        rack.on_log(self._logged)
        rack.on_units(self._check, self._forget)

    def of(self, name: str) -> Service | None:
        """The service of a BMC; None if it is not in the rack."""
        service = self._made.get(name)
        if service is None and name in self._rack.units:
            first_event = 1 + self._earlier_events.pop(name, 0)
            view = RedfishBmc(self._rack, name, self._event_delivery, self._keyring_of(name), first_event)
            service = self._made[name] = Service(view, *self._trees.of(view))
        return service

    def _check(self, name: str) -> None:
        """A BMC has come into the rack. Raises RackMisconfigured as above."""
        self._trees.of(BmcView(self._rack, name))

    def _forget(self, name: str) -> None:
        """The BMC has left the rack: its streams end, and what was still to be sent is lost."""
        service = self._made.pop(name, None)
        if service is not None:
            service.end()

    def _logged(self, name: str, entry: LogEntry) -> None:
        service = self._made.get(name)
        if service is not None:
            service.logged(entry)
        else:
            self._earlier_events[name] += 1


def incoming_of(environ: WSGIEnvironment, read_body: Callable[[], bytes]) -> Incoming:
    """The request in a WSGI environment. `read_body` returns the same bytes at each call."""
    return Incoming(
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "").encode("latin-1", "replace").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        scheme=environ["wsgi.url_scheme"],
        headers={name: environ[key] for name, key in _HEADERS.items() if key in environ},
        address=environ.get("REMOTE_ADDR", ""),
        stream=environ.get("emulator.stream"),
        read_body=read_body,
    )


def _body_reader() -> Callable[[], bytes]:
    """A function that returns the body, the same bytes at each call. It raises RegistryError (413, 400)."""

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


def _no_bmc() -> HttpAnswer:
    text = "Several BMCs live here, and this server does not say which one is meant."
    error = {"code": "Base.1.0.GeneralError", "message": text, "@Message.ExtendedInfo": []}
    return HttpAnswer(404, (("Content-Type", JSON_TYPE),), json.dumps({"error": error}).encode())
