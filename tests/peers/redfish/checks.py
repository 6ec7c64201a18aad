"""What the validators do not look at, or not closely: our own checks, as an outsider over TLS would make them.

Each check takes a running service and returns complaints; no complaint means that it is as it should be.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import requests

from tests.peers.redfish.served import Served

Check: TypeAlias = Callable[[Served], list[str]]

ROOT: Final = "/redfish/v1"
OPEN: Final = ("/redfish", f"{ROOT}/", f"{ROOT}/odata", f"{ROOT}/$metadata")
SESSIONS: Final = f"{ROOT}/SessionService/Sessions"
PATIENCE: Final = 20.0
"""Seconds for a power command to show; dmtf-generic needs two."""


@contextmanager
def client(service: Served, *, login: bool = True) -> Iterator[Client]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = False
        if login:
            session.auth = (service.user, service.password)
        yield Client(session, service.url)


class Client:
    """Paths in, answers out; certificates are not checked, because every BMC signs its own."""

    def __init__(self, session: requests.Session, url: str) -> None:
        self.session = session
        self._url = url

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        return self.session.request(method, self._url + path, timeout=30, **more)

    def get(self, path: str, **more: Any) -> requests.Response:
        return self("GET", path, **more)


def walked(ask: Client) -> Iterator[tuple[str, requests.Response]]:
    """Every resource that is linked from the root, once."""
    queue, seen = [f"{ROOT}/"], {f"{ROOT}/"}
    while queue:
        path = queue.pop(0)
        answer = ask.get(path)
        yield path, answer
        if answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith("application/json"):
            for link in links(answer.json()):
                link = link.partition("#")[0]
                if link.startswith(ROOT) and link not in seen:
                    seen.add(link)
                    queue.append(link)


def links(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in ("@odata.id", "@Redfish.ActionInfo", "Members@odata.nextLink") and isinstance(inner, str):
                yield inner
            else:
                yield from links(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from links(inner)


def tree(service: Served) -> list[str]:
    """Every link leads somewhere, says that it is there, and every collection can count."""
    found = []
    with client(service) as ask:
        for path, answer in walked(ask):
            if answer.status_code != 200:
                found.append(f"{path} is linked and answers {answer.status_code}")
                continue
            body = answer.json()
            if "@odata.id" in body and body["@odata.id"] != path:
                found.append(f"{path} says that it is {body['@odata.id']}")
            if (
                "Members" in body
                and "Members@odata.nextLink" not in body
                and len(body["Members"]) != body.get("Members@odata.count")
            ):
                found.append(f"{path} counts {body.get('Members@odata.count')} members and has {len(body['Members'])}")
    return found


def headers(service: Served) -> list[str]:
    """GET and HEAD of every resource carry what DSP0266 asks for, and HEAD has no body."""
    found = []
    with client(service) as ask:
        for path, answer in walked(ask):
            found += [
                f"{path}: no {name}" for name in ("Allow", "Cache-Control", "Content-Type", "Link") if name not in answer.headers
            ]
            if answer.headers.get("OData-Version") != "4.0":
                found.append(f"{path}: OData-Version {answer.headers.get('OData-Version')}")
            schema = answer.json().get("@odata.type", "#none.none").removeprefix("#").rpartition(".")[0]
            if not re.search(rf"/{re.escape(schema)}\.json>; *rel=\"?describedby", answer.headers.get("Link", "")):
                found.append(f"{path}: {schema} is described by {answer.headers.get('Link')}")
            head = ask("HEAD", path)
            changed = head.headers.get("ETag") != answer.headers.get("ETag") and not _moves(answer.json())
            if head.content or head.status_code != 200 or changed:
                found.append(f"{path}: HEAD is not GET without a body")
    return found


def etags(service: Served) -> list[str]:
    """A tag stays while nothing is written, is the same as @odata.etag where both are told, and gives 304."""
    found = []
    with client(service) as ask:
        for path, answer in walked(ask):
            tag = answer.headers.get("ETag")
            if tag is None:
                continue
            if answer.json().get("@odata.etag", tag) != tag:
                found.append(f"{path}: ETag {tag} and @odata.etag {answer.json()['@odata.etag']}")
            again = ask.get(path, headers={"If-None-Match": tag})
            if again.status_code != 304 and not _moves(answer.json()):
                found.append(f"{path}: {again.status_code} where nothing has changed since {tag}")
    return found


def _moves(body: dict[str, Any]) -> bool:
    """Readings and times change by themselves."""
    return bool({"Reading", "DateTime", "Temperatures", "Fans", "PowerControl", "LastResetTime"} & body.keys())


def errors(service: Served) -> list[str]:
    """Whatever is sent, the answer is a Redfish error and never a failure of the service."""
    reset = f"{service.system}/Actions/ComputerSystem.Reset"
    bad: tuple[tuple[str, str, bytes | None], ...] = (
        ("POST", reset, b"{"),
        ("POST", reset, b"[]"),
        ("POST", reset, b'{"ResetType": 7}'),
        ("POST", reset, b'{"ResetType": "Sideways"}'),
        ("POST", reset, b'{"Foo": "On"}'),
        ("POST", reset, b"[" * 100_000),
        ("POST", reset, b'{"ResetType": ' + b"9" * 10_000 + b"}"),
        ("POST", reset, b"\xff\xfe"),
        ("POST", SESSIONS, b"{}"),
        ("POST", SESSIONS, b'{"UserName": null, "Password": []}'),
        ("PATCH", service.system, b'{"PowerState": "Off"}'),
        ("DELETE", service.system, None),
        ("PUT", service.system, b"{}"),
        ("GET", f"{ROOT}/Systems/%00", None),
        ("GET", f"{ROOT}/Systems/../../etc", None),
        ("GET", f"{service.system}?$expand=.($levels=x)", None),
        ("FAKEMETHODFORTEST", f"{ROOT}/", None),
        ("POST", f"{ROOT}/", b"{"),
    )
    found = []
    with client(service) as ask:
        for method, path, body in bad:
            answer = ask(method, path, data=body, headers={"Content-Type": "application/json"})
            told = f"{method} {path} {(body or b'')[:40]!r}"
            if not 400 <= answer.status_code < 500 and answer.status_code != 501:
                found.append(f"{told}: {answer.status_code}")
            if "Traceback" in answer.text or not _is_redfish_error(answer):
                found.append(f"{told}: no Redfish error: {answer.text[:80]}")
            if answer.status_code == 405 and "Allow" not in answer.headers:
                found.append(f"{told}: 405 without Allow")
    return found


def _is_redfish_error(answer: requests.Response) -> bool:
    try:
        body = answer.json()
    except ValueError:
        return False
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and {"code", "message", "@Message.ExtendedInfo"} <= error.keys()


def sessions(service: Served) -> list[str]:
    """A token opens what is closed, and stops when its session is deleted."""
    found = []
    with client(service, login=False) as ask:
        if ask.get(service.system).status_code != 401:
            found.append("the system is open to everybody")
        login = ask("POST", SESSIONS, json={"UserName": service.user, "Password": service.password})
        token = {"X-Auth-Token": login.headers.get("X-Auth-Token", "")}
        if login.status_code != 201 or ask.get(service.system, headers=token).status_code != 200:
            return [*found, f"login answers {login.status_code}, and its token opens nothing"]
        gone = ask("DELETE", login.headers["Location"], headers=token).status_code
        after = ask.get(service.system, headers=token).status_code
        if gone not in (200, 202, 204) or after != 401:
            found.append(f"the session is deleted ({gone}) and its token still gets {after}")
        wrong = ask("POST", SESSIONS, json={"UserName": service.user, "Password": f"{service.password}x"})
        if wrong.status_code < 400 or service.user in wrong.text or service.password in wrong.text:
            found.append(f"a refused login answers {wrong.status_code}: {wrong.text}")
    return found


def power(service: Served) -> list[str]:
    """ForceOff takes the power: PowerState and Chassis follow, and the journal's rail falls."""
    with client(service) as ask:
        answer = ask("POST", f"{service.system}/Actions/ComputerSystem.Reset", json={"ResetType": "ForceOff"})
        if answer.status_code not in (200, 202, 204):
            return [f"ForceOff answers {answer.status_code}"]
        deadline = time.monotonic() + PATIENCE
        state = ""
        # The polling itself is the wait: each read is a round trip to the service, which moves its own clock.
        while state != "Off" and time.monotonic() < deadline:
            state = ask.get(service.system).json()["PowerState"]
    rails = [event for event in service.events() if event["kind"] == "rail" and event.get("rail") == "down"]
    return [] if state == "Off" and rails else [f"after ForceOff the system says {state}, and the rail fell {len(rails)} times"]


def races(service: Served) -> list[str]:
    """Of four changes made at once with the same tag, exactly one is done and three are told 412."""
    path = f"{ROOT}/AccountService/Accounts/{service.user}"
    with client(service) as ask:
        tag = ask.get(path).headers["ETag"]

    def change(_number: int) -> int:
        with client(service) as one:
            body = {"Enabled": True, "Password": service.password}
            return one("PATCH", path, json=body, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(change, range(4)))
    won = [status for status in answers if status < 300]
    return [] if len(won) == 1 and answers.count(412) == 3 else [f"four changes with one tag: {answers}"]


ALL: Final[tuple[Check, ...]] = (tree, headers, etags, errors, sessions, power, races)
