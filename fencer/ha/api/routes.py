"""The routes of the API, as a table, and what each does. `openapi` describes the same table.

`ApiServer` calls `Api.answer` in one thread for each connection. What it needs of the store is done in the store's thread.

Rules
  1. /healthz, /readyz and the OpenAPI document need no token; all else does.
  2. An operator's request is written to the store like that of a command. Its answer is awaited for `ANSWER_S` at most; then the
     reply is 202 with the number of the request, and GET /v1/requests/{id} tells the answer. What must not be granted later is
     withdrawn then: 504.
  3. Errors are {"error": TEXT}, never a traceback.
"""

from __future__ import annotations

import hmac
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from fencer.ha import operations, views
from fencer.ha.api import metrics
from fencer.ha.api.progress import Progress
from fencer.ha.api.server import ApiReply, ApiRequest, json_reply
from fencer.ha.api.store_thread import StoreThread
from fencer.ha.config import Config
from fencer.ha.entries import StoredEvent
from fencer.ha.event_lines import as_json
from fencer.ha.store import Store, StoreError

ANSWER_S: Final = 10.0
LOOK_S: Final = 0.05
MOST_EVENTS: Final = 500

Params = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerRoute:
    """One path and method. `pattern` has {names}; `answers` are the codes with their meaning; `fields` those of the body."""

    method: str
    pattern: str
    summary: str
    handle: Callable[[Api, ApiRequest, Params], ApiReply]
    answers: Mapping[int, str]
    needs_token: bool = True
    action: operations.OperatorAction | None = None

    def match(self, path: str) -> Params | None:
        found = re.fullmatch(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.pattern)), path)
        return found.groupdict() if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """`store` is where the hosts' records are; `call` raises StoreError."""

    config: Config
    token: str
    progress: Progress
    store: StoreThread
    routes: tuple[ManagerRoute, ...]
    document: Mapping[str, object]

    def call(self, work: Callable[[Store], T]) -> T:
        return self.store.call(work)

    def answer(self, request: ApiRequest) -> ApiReply:
        found = [(route, params) for route in self.routes if (params := route.match(request.path)) is not None]
        if not found:
            return json_reply(404, {"error": f"there is no {request.path}; /v1/openapi.json lists what there is"})
        wanted = "GET" if request.method == "HEAD" else request.method
        for route, params in found:
            if route.method == wanted:
                if route.needs_token and not hmac.compare_digest(request.token.encode(), self.token.encode()):
                    return json_reply(
                        401, {"error": "send the token: Authorization: Bearer TOKEN"}, **{"WWW-Authenticate": "Bearer"}
                    )
                return self._handled(route, request, params)
        allowed = ", ".join(route.method for route, _ in found)
        return json_reply(405, {"error": f"{request.path} takes {allowed}"}, Allow=allowed)

    def _handled(self, route: ManagerRoute, request: ApiRequest, params: Params) -> ApiReply:
        try:
            return route.handle(self, request, params)
        except views.UnknownHost as error:
            return json_reply(404, {"error": str(error)})
        except operations.BadRequest as error:
            return json_reply(400, {"error": str(error)})
        except StoreError as error:
            return json_reply(503, {"error": str(error)})


# -- what each route does ------------------------------------------------------------------------------------------------


def _healthz(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    seconds = round(api.progress.since_last_round, 3)
    return json_reply(503 if api.progress.stands_still else 200, {"seconds_since_round": seconds})


def _readyz(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    if api.progress.stands_still:
        return json_reply(503, {"ready": False, "why": "the manager's loop stands still"})
    rows = {str(row["host"]): row for row in api.call(lambda store: views.host_views(api.config, store))}
    waiting = [name for name in api.config.host_names if rows[name]["owner"] is None]
    if waiting:
        return json_reply(503, {"ready": False, "why": f"no manager has {', '.join(waiting)}"})
    unseen = [name for name in api.config.host_names if not rows[name]["seen_healthy"]]
    if unseen and request.query == "seen-healthy":
        return json_reply(503, {"ready": False, "why": f"no health check has passed yet of {', '.join(unseen)}"})
    return json_reply(200, {"ready": True, "never_seen_healthy": unseen})


def _metrics(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    hosts, vms = api.call(lambda store: (views.host_views(api.config, store), views.vm_views(store)))
    return ApiReply(status=200, content=metrics.page(hosts, vms, api.progress), content_type=metrics.CONTENT_TYPE)


def _openapi(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    return json_reply(200, api.document)


def _hosts(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    return json_reply(200, {"hosts": api.call(lambda store: views.host_views(api.config, store))})


def _host(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    return json_reply(200, api.call(lambda store: views.host_view(api.config, store, params["name"])))


def _vms(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    return json_reply(200, {"vms": api.call(views.vm_views)})


def _timeline(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    after = re.fullmatch(r"(?:after=(\d{1,18}))?", request.query)
    if after is None:
        raise operations.BadRequest("the query may be after=NUMBER (a seq)")

    def look(store: Store) -> list[StoredEvent]:
        views.require_host(api.config, store, params["name"])
        return store.timeline(params["name"], int(after[1] or 0))[-MOST_EVENTS:]

    return json_reply(200, {"events": [json.loads(as_json(event)) for event in api.call(look)]})


def _operate_on(action: operations.OperatorAction) -> Callable[[Api, ApiRequest, Params], ApiReply]:
    return lambda api, request, params: _operate(api, action, params["name"], request)


def _operate(api: Api, action: operations.OperatorAction, name: str, request: ApiRequest) -> ApiReply:
    operations.check_name(action, name)
    host, detail = action.request(name, operations.checked(action, _body(request)))

    def ask(store: Store) -> int:
        if action.scope is operations.OperationScope.HOST:
            views.require_host(api.config, store, name)
        return store.add_request(host, action.what, detail, store.now())

    number = api.call(ask)
    until = time.monotonic() + ANSWER_S
    while (asked := api.call(lambda store: store.operator_request(number))).ok is None:
        if time.monotonic() >= until:
            if action.withdrawn and api.call(lambda store: store.withdraw_request(number)):
                return json_reply(504, {"request": number, "error": f"no answer within {ANSWER_S:g} s; the request is withdrawn"})
            if not action.withdrawn:
                return json_reply(202, {"request": number, "answer": None})
        time.sleep(LOOK_S)
    return _answered(number, asked.ok, asked.answer)


def _request(api: Api, request: ApiRequest, params: Params) -> ApiReply:
    if not re.fullmatch(r"\d{1,18}", params["id"]):
        raise operations.BadRequest("a request is a number")
    try:
        asked = api.call(lambda store: store.operator_request(int(params["id"])))
    except LookupError:
        return json_reply(404, {"error": f"there is no request {params['id']}"})
    if asked.ok is None:
        return json_reply(202, {"request": asked.id, "answer": None})
    return _answered(asked.id, asked.ok, asked.answer)


def _answered(number: int, ok: bool | None, text: str | None) -> ApiReply:
    return json_reply(200, {"request": number, "answer": text}) if ok else json_reply(409, {"request": number, "error": text})


def _body(request: ApiRequest) -> Mapping[str, object]:
    if not request.body.strip():
        return {}
    try:
        value = json.loads(request.body)
    except (ValueError, RecursionError):
        raise operations.BadRequest("the body must be a JSON object") from None
    if not isinstance(value, dict):
        raise operations.BadRequest("the body must be a JSON object")
    return value


READS: Final = {200: "As described."}
ASKS: Final = {
    200: "Done: `answer` says what.",
    202: "No manager has answered yet: GET /v1/requests/{id}.",
    400: "The body lacks something or has too much.",
    404: "No such host.",
    409: "The manager has refused: `error` says why.",
    504: "No manager has answered, and the request is withdrawn.",
}
ROUTES: tuple[ManagerRoute, ...] = (
    ManagerRoute(
        method="GET", pattern="/healthz", summary="Whether the manager's loop runs.", handle=_healthz, needs_token=False,
        answers={200: "It runs.", 503: "It stands still."},
    ),
    ManagerRoute(
        method="GET", pattern="/readyz", handle=_readyz,
        summary="Whether every host of the file belongs to a manager; ?seen-healthy: and each was seen healthy once.",
        answers={200: "It does.", 503: "It does not, or the store cannot be read."}, needs_token=False,
    ),
    ManagerRoute(method="GET", pattern="/metrics", summary="Metrics in Prometheus' text format.", handle=_metrics, answers=READS),
    ManagerRoute(
        method="GET", pattern="/v1/openapi.json", summary="This document.", handle=_openapi, needs_token=False, answers=READS,
    ),
    ManagerRoute(method="GET", pattern="/v1/hosts", summary="All hosts.", handle=_hosts, answers=READS),
    ManagerRoute(
        method="GET", pattern="/v1/hosts/{name}", summary="State, status, fence, evidence and alerts of one host.", handle=_host,
        answers={200: "A host.", 404: "No such host."},
    ),
    ManagerRoute(
        method="GET", pattern="/v1/hosts/{name}/timeline", handle=_timeline,
        summary=f"The newest {MOST_EVENTS} events of a host; ?after=SEQ: those that came later.",
        answers={200: "Events, oldest first.", 400: "Another query.", 404: "No such host."},
    ),
    ManagerRoute(
        method="GET", pattern="/v1/vms", summary="All VMs: where they are, and open starts.", handle=_vms, answers=READS,
    ),
    ManagerRoute(
        method="GET", pattern="/v1/requests/{id}", summary="The answer to an operator's request.", handle=_request,
        answers={200: "Done.", 202: "Not answered yet.", 404: "No such request.", 409: "Refused."},
    ),
    *(
        ManagerRoute(
            method="POST", pattern=action.pattern, summary=action.summary, handle=_operate_on(action), answers=ASKS,
            action=action,
        )
        for action in operations.ACTIONS
    ),
)  # fmt: skip
