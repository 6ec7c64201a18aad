"""The OpenAPI 3.1 document of the API, made of `routes.ROUTES`. Served at /v1/openapi.json; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fencer.ha.api.routes import ManagerRoute
from fencer.ha.operations import OperatorAction, TextField
from fencer.ha.states import HAState, HostStatus

Json = dict[str, object]


def _nullable(kind: str, text: str) -> Json:
    return {"type": [kind, "null"], "description": text}


ALERT: Json = {
    "type": "object",
    "required": ["t", "alert", "text"],
    "properties": {
        "t": {"type": "number", "description": "Unix time in seconds."},
        "alert": {"type": "string", "description": "The kind of alert; docs/ha.md lists them."},
        "text": {"type": "string"},
    },
}
HOST: Json = {
    "type": "object",
    "required": ["host", "state", "host_status", "fence_id", "evidence", "alerts"],
    "properties": {
        "host": {"type": "string"},
        "state": {"enum": [*map(str, HAState), None], "description": "null: no manager has taken the host up yet."},
        "host_status": {"enum": [*map(str, HostStatus), None]},
        "status": {"enum": [*map(str, HostStatus), None], "description": "The same as host_status."},
        "owner": _nullable("string", "The manager that has the host's lease."),
        "epoch": {"type": "integer"},
        "in_file": {"type": "boolean", "description": "false: the host was removed from the configuration."},
        "healthy": _nullable("boolean", "The last health check; null if there was none, or nobody knows."),
        "seen_healthy": {
            "type": "boolean",
            "description": "Whether a health check has ever passed.",
        },
        "fence_id": _nullable("string", "The fence that is open, else the last one that was proved."),
        "phase": _nullable("string", "The phase of the fence that is open."),
        "level": _nullable("integer", "The level that the open fence has come to, or that fenced the host."),
        "devices": {"type": "array", "items": {"type": "string"}, "description": "The devices of that level."},
        "levels": {
            "type": "array",
            "items": {"type": "array", "items": {"type": "string"}},
            "description": "The devices of each fencing level of the host, in the order in which they are tried.",
        },
        "attempts": {"type": "integer", "description": "Failed attempts of the fence that is open."},
        "error": _nullable("string", "The last failure of a read or a command."),
        "fencing": {
            "type": ["string", "null"],
            "description": "Whether the host could be fenced now, as the last device check found.",
        },
        "remarks": {"type": "array", "items": {"type": "string"}, "description": "What an operator should look at."},
        "evidence": _nullable("object", "What proves, or begins to prove, that the host is off."),
        "alerts": {"type": "array", "items": {"$ref": "#/components/schemas/Alert"}, "description": "The newest, oldest first."},
        "vms": {"type": "array", "items": {"type": "string"}},
    },
}
ERROR: Json = {"type": "object", "required": ["error"], "properties": {"error": {"type": "string"}}}


def document(routes: Sequence[ManagerRoute], version: str) -> Json:
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.pattern, {})[route.method.lower()] = _described(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "fence-ha", "version": version},
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Host": HOST, "Alert": ALERT, "Error": ERROR},
        },
    }


def _described(route: ManagerRoute) -> Json:
    names = re.findall(r"\{(\w+)\}", route.pattern)
    answers = {**route.answers, **({401: "No token, or a wrong one."} if route.needs_token else {})}
    described: Json = {
        "operationId": _operation_id(route),
        "summary": route.summary,
        "security": [{"token": []}] if route.needs_token else [],
        "parameters": [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names],
        "responses": {str(code): _answer(route, code, text) for code, text in answers.items()},
    }
    if route.action is not None:
        described["requestBody"] = _body(route.action)
    return described


def _operation_id(route: ManagerRoute) -> str:
    words = re.findall(r"\w+", route.pattern.replace("/v1", "").replace(".json", ""))
    return "-".join([route.method.lower(), *words])


def _answer(route: ManagerRoute, code: int, text: str) -> Json:
    if code >= 400:
        return {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}
    if route.pattern == "/v1/hosts/{name}":
        return {"description": text, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Host"}}}}
    return {"description": text}


def _narrowed(text: TextField) -> Json:
    pattern = f"^(?:{text.pattern})$" if text.required else f"^(?:{text.pattern})?$"
    return {**({"minLength": 1} if text.required else {}), **({"pattern": pattern} if text.pattern else {})}


def _body(action: OperatorAction) -> Json:
    required = [name for name, text in action.fields.items() if text.required]
    schema: Json = {
        "type": "object",
        "additionalProperties": False,
        "properties": {n: {"type": "string", "description": t.summary, **_narrowed(t)} for n, t in action.fields.items()},
        **({"required": required} if required else {}),
    }
    return {"required": bool(required), "content": {"application/json": {"schema": schema}}}
