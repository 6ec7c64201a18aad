"""Defects to plant in the service, each of which somebody must find: the controls of the validators' zeros.

Rules
  1. A defect sits between the wire and the Flask app, as WSGI middleware; the product has no hook for it.
  2. It changes one thing. `found_by` says who must complain, and `at` restricts the service validator to the spoiled resource.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from flask import Flask

from emulator import Emulator, UnitSpec
from emulator.redfish.service.app import app_of
from profiles import load
from profiles.model import Tool
from tests.peers.redfish import checks
from tests.peers.redfish.served import Served, unguessable

PROFILE: Final = "dmtf-generic"
ROOT: Final = "/redfish/v1"
SYSTEM: Final = f"{ROOT}/Systems/437XR1138R2"
CHASSIS: Final = f"{ROOT}/Chassis/1U"
MANAGER: Final = f"{ROOT}/Managers/BMC"
SESSIONS: Final = f"{ROOT}/SessionService/Sessions"
ADMIN: Final = f"{ROOT}/AccountService/Accounts/admin"
ADMINISTRATOR: Final = f"{ROOT}/AccountService/Roles/Administrator"

Environ = dict[str, Any]


@dataclass
class Answer:
    """What the service answers, before the defect has had its way with it."""

    method: str
    path: str
    environ: Environ
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def say(self, value: object) -> None:
        self.body = json.dumps(value).encode()

    def drop(self, name: str) -> None:
        self.headers = [(key, value) for key, value in self.headers if key.lower() != name.lower()]

    def set(self, name: str, value: str) -> None:
        self.drop(name)
        self.headers.append((name, value))


@dataclass(frozen=True)
class Defect:
    name: str
    found_by: Tool | checks.Check
    answer: Callable[[Answer], None] = lambda answer: None
    request: Callable[[Environ], None] = lambda environ: None
    swallow: Callable[[Environ], bool] = lambda environ: False  # answered 204 without reaching the service
    at: str | None = None

    def __str__(self) -> str:
        return self.name


@dataclass
class Spoiled:
    """The WSGI application with a defect in front of it. Event streams pass untouched."""

    inner: Callable[..., Iterable[bytes]]
    defect: Defect
    counter: list[int] = field(default_factory=list)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self.defect.swallow(environ):
            start_response("204 No Content", [("Cache-Control", "no-cache"), ("OData-Version", "4.0")])
            return []
        self.defect.request(environ)
        told: list[Any] = []

        def remember(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> Callable[[bytes], object]:
            told[:] = [status, headers]
            return told.append

        body = self.inner(environ, remember)
        headers: list[tuple[str, str]] = told[1]
        if any(value.startswith("text/event-stream") for name, value in headers if name.lower() == "content-type"):
            start_response(*told)
            return body
        whole = b"".join(body)
        close = getattr(body, "close", None)
        if close is not None:
            close()
        answer = Answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], environ, int(told[0].split()[0]), list(headers), whole)
        self.defect.answer(answer)
        answer.set("Content-Length", str(len(answer.body)))
        start_response(f"{answer.status} Spoiled", answer.headers)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [answer.body]


@contextmanager
def spoiled(defect: Defect | None, journal: Path) -> Iterator[Served]:
    """A fresh BMC in this process, with the defect planted; None plants nothing."""

    def make(*args: Any, **named: Any) -> Flask:
        app = app_of(*args, **named)
        if defect is not None:
            app.wsgi_app = Spoiled(app.wsgi_app, defect)  # type: ignore[method-assign]
        return app

    password = unguessable()
    unit = UnitSpec(name="bmc", profile=load(PROFILE), password=password)
    with patch("emulator.frontends.app_of", make), Emulator([unit], journal_path=journal) as emulator:
        end = emulator.endpoints["bmc"]
        yield Served(PROFILE, end.redfish_url, end.username, password, end.systems[0].uri, end.ipmi_port, journal)


# -- how to spoil ------------------------------------------------------------------------------------------------------


def body_of(path: str, change: Callable[[dict[str, Any]], None]) -> Callable[[Answer], None]:
    def spoil(answer: Answer) -> None:
        if answer.method == "GET" and answer.path.rstrip("/") == path.rstrip("/") and answer.status == 200:
            whole = answer.json
            change(whole)
            answer.say(whole)

    return spoil


def value_at(path: str, *names: str, to: object) -> Callable[[Answer], None]:
    def change(whole: dict[str, Any]) -> None:
        place: Any = whole
        for name in names[:-1]:
            place = place[int(name)] if isinstance(place, list) else place[name]
        place[names[-1]] = to

    return body_of(path, change)


def without(path: str, name: str) -> Callable[[Answer], None]:
    return body_of(path, lambda whole: whole.pop(name))


def no_header(name: str, *, on: Callable[[Answer], bool] = lambda answer: True) -> Callable[[Answer], None]:
    def spoil(answer: Answer) -> None:
        if on(answer):
            answer.drop(name)

    return spoil


def status_405_becomes_404(answer: Answer) -> None:
    if answer.status == 405:
        answer.status = 404


def session_echoes_the_login(answer: Answer) -> None:
    if answer.method == "POST" and answer.path == SESSIONS and answer.status >= 400:
        sent = answer.environ["wsgi.input"].getvalue().decode()
        answer.say({"error": {"code": "Base.1.22.GeneralError", "message": sent, "@Message.ExtendedInfo": []}})


def kept_input(environ: Environ) -> None:
    """Keeps the request's body where it can be read twice."""
    if environ["REQUEST_METHOD"] == "POST":
        environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read())


def etag_by_the_read(answer: Answer) -> None:
    """A tag that counts reads, as one made from the clock would."""
    if answer.method == "GET" and answer.status == 200:
        etag_by_the_read.reads = getattr(etag_by_the_read, "reads", 0) + 1  # type: ignore[attr-defined]
        answer.set("ETag", f'"{etag_by_the_read.reads}"')  # type: ignore[attr-defined]


def bare_errors(answer: Answer) -> None:
    if answer.status >= 400:
        answer.say({"error": {"code": "Base.1.22.GeneralError", "message": "no"}})


def open_door(answer: Answer) -> None:
    if answer.status == 401 and answer.method == "GET":
        answer.status = 200
        answer.say({"@odata.id": answer.path, "@odata.type": "#Chassis.v1_0_0.Chassis", "Id": "x", "Name": "x"})


def html_for_bad_json(answer: Answer) -> None:
    if answer.status == 400:
        answer.status = 500
        answer.set("Content-Type", "text/html")
        answer.body = b"<h1>Internal Server Error</h1><pre>Traceback (most recent call last): ...</pre>"


def link_to_another_schema(answer: Answer) -> None:
    answer.headers = [
        (name, value.replace("ComputerSystem.v", "Chassis.v") if name == "Link" else value) for name, value in answer.headers
    ]


def second_winner() -> Callable[[Environ], None]:
    """Of the changes that carry a tag, the second loses it, and so goes through whatever the first has done."""
    seen: list[str] = []

    def spoil(environ: Environ) -> None:
        if environ["REQUEST_METHOD"] == "PATCH" and "HTTP_IF_MATCH" in environ:
            seen.append(environ["PATH_INFO"])
            if len(seen) % 4 == 2:
                del environ["HTTP_IF_MATCH"]

    return spoil


def no_query(environ: Environ) -> None:
    environ["QUERY_STRING"] = ""


def no_odata_version(environ: Environ) -> None:
    environ.pop("HTTP_ODATA_VERSION", None)


def is_(method: str, path: str) -> Callable[[Environ], bool]:
    return lambda environ: environ["REQUEST_METHOD"] == method and environ["PATH_INFO"].startswith(path)


def is_401(answer: Answer) -> bool:
    return answer.status == 401


# -- the list ----------------------------------------------------------------------------------------------------------

_S, _P = Tool.SERVICE, Tool.PROTOCOL
SERVICE_DEFECTS: Final = (
    Defect("PowerState is a number", _S, value_at(SYSTEM, "PowerState", to=1), at=SYSTEM),
    Defect("a link leads nowhere", _S, value_at(SYSTEM, "Links", "Chassis", to=[{"@odata.id": f"{ROOT}/Chassis/9U"}]), at=SYSTEM),
    Defect(
        "a type of a version that no schema has",
        _S,
        value_at(SYSTEM, "@odata.type", to="#ComputerSystem.v9_9_9.ComputerSystem"),
        at=SYSTEM,
    ),
    Defect("a Health that is no enumeration value", _S, value_at(CHASSIS, "Status", "Health", to="Fine"), at=CHASSIS),
    Defect("a required property is missing", _S, without(CHASSIS, "Name"), at=CHASSIS),
    Defect("a property that the schema does not have", _S, value_at(MANAGER, "Colour", to="red"), at=MANAGER),
    Defect("null where null is not allowed", _S, value_at(MANAGER, "Id", to=None), at=MANAGER),
    Defect("an @odata.id with a slash too many", _S, value_at(CHASSIS, "@odata.id", to=f"{CHASSIS}/"), at=CHASSIS),
    Defect("a password is shown", _S, value_at(ADMIN, "Password", to="secret"), at=ADMIN),
    Defect("a UUID that is none", _S, value_at(f"{ROOT}/", "UUID", to="1234"), at=f"{ROOT}/"),
)
PROTOCOL_DEFECTS: Final = (
    Defect("no OData-Version header", _P, no_header("OData-Version")),
    Defect("404 where 405 belongs", _P, status_405_becomes_404),
    Defect("401 without WWW-Authenticate", _P, no_header("WWW-Authenticate", on=is_401)),
    Defect("the refusal repeats the user name", _P, session_echoes_the_login, kept_input),
    Defect("resources are open to everybody", _P, open_door),
    Defect("a new session has no Location", _P, no_header("Location")),
    Defect("a wrong OData-Version is accepted", _P, request=no_odata_version),
    Defect("an unknown $query is ignored", _P, request=no_query),
    Defect("/redfish names another path", _P, value_at("/redfish", "v1", to="/redfish/v2/")),
    Defect("a predefined role lacks a privilege", _P, value_at(ADMINISTRATOR, "AssignedPrivileges", to=["Login"])),
)
OWN_DEFECTS: Final = (
    Defect("the Link header names another schema", checks.headers, link_to_another_schema),
    Defect("a tag that changes with every read", checks.etags, etag_by_the_read),
    Defect("a count that is not the number of members", checks.tree, value_at(f"{ROOT}/Chassis", "Members@odata.count", to=2)),
    Defect("two winners among four changes with one tag", checks.races, request=second_winner()),
    Defect("a deleted session goes on", checks.sessions, swallow=is_("DELETE", SESSIONS)),
    Defect("a reset that is answered and not done", checks.power, swallow=is_("POST", f"{SYSTEM}/Actions")),
    Defect("errors without ExtendedInfo", checks.errors, bare_errors),
    Defect("a traceback for bad JSON", checks.errors, html_for_bad_json),
)
