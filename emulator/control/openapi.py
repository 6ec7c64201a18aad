"""The OpenAPI 3.1 document of the control API, made from the table of routes and the models."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from emulator import fault_schema
from emulator.control.models import ControlProblem
from emulator.control.routes import JSON, Route

REF: Final = "#/components/schemas/{model}"
ANY_ROUTE: Final = {401: "The token is missing or wrong", 403: "A page in a browser asks", 421: "Host is a name"}
REASONS: Final = {
    400: "The request cannot be read",
    404: "There is no such thing",
    409: "It cannot be done as things are",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "Something in it has the wrong form",
    503: "Not now",
}


def document(routes: tuple[Route, ...], version: str) -> dict[str, Any]:
    """The whole document."""
    models = {model for route in routes for model in (*route.body, route.query) if model is not None}
    answers = {route.answer for route in routes if route.answer is not None} | {ControlProblem}
    _, made = models_json_schema(
        [
            *((model, "validation") for model in sorted(models, key=_name)),
            *((m, "serialization") for m in sorted(answers, key=_name)),
        ],
        ref_template=REF,
    )
    schemas = dict(made["$defs"])
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    schemas |= fault_schemas()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Control of emulated BMCs",
            "version": version,
            "description": "Power, faults, time and the journal of a running bmc-emulator. docs/control.md explains it.",
        },
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{"token": []}],
    }


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def fault_schemas() -> dict[str, Any]:
    """`fault/1` as `FaultToArm`, with what it refers to beside it."""
    schema = _rewritten(dict(fault_schema()))
    parts: dict[str, Any] = schema.pop("$defs", {})
    schema.pop("$schema", None)
    schema.pop("$id", None)
    return {"FaultToArm": schema, **parts}


def _rewritten(node: Any) -> Any:  # JSON
    if isinstance(node, dict):
        return {
            key: value.replace("#/$defs/", "#/components/schemas/") if key == "$ref" else _rewritten(value)
            for key, value in node.items()
        }
    return [_rewritten(each) for each in node] if isinstance(node, list) else node


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.summary, "responses": dict(_responses(route))}
    if parameters := [*_path_parameters(route), *_query_parameters(schemas[route.query.__name__])]:
        operation["parameters"] = parameters
    if route.body:
        choices = [_ref(model.__name__) for model in route.body] + ([_ref("FaultToArm")] if route.takes_fault else [])
        schema = choices[0] if len(choices) == 1 else {"anyOf": choices}
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    if route.public:
        operation["security"] = []
    return operation


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF.format(model=name)}


def _path_parameters(route: Route) -> Iterable[dict[str, Any]]:
    for name in route.parameters():
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _query_parameters(schema: dict[str, Any]) -> Iterable[dict[str, Any]]:
    for name, about in schema.get("properties", {}).items():
        known = {key: value for key, value in about.items() if key not in ("description", "title")}
        if "anyOf" in known:  # not given is how a query says null
            known |= next(each for each in known.pop("anyOf") if each.get("type") != "null")
            known.pop("default", None)
        yield {"name": name, "in": "query", "required": False, "description": about.get("description", ""), "schema": known}


def _responses(route: Route) -> Iterable[tuple[str, dict[str, Any]]]:
    told: dict[str, Any] = {"description": "Done"}
    if route.answer is not None:
        told["content"] = {JSON: {"schema": _ref(route.answer.__name__)}}
    elif route.status != 204:
        told["content"] = {
            route.content_type.partition(";")[0]: {"schema": {} if route.content_type == JSON else {"type": "string"}}
        }
    yield str(route.status), told
    errors = dict.fromkeys((*route.errors, *((400, 413, 415, 422) if route.body else (422,))))
    reasons = {status: REASONS[status] for status in sorted(errors)}
    reasons |= {status: ANY_ROUTE[status] for status in ((403, 421) if route.public else (401, 403, 421))}
    for status, reason in reasons.items():
        same = route.answer if status == 503 and route.public and route.answer is not None else ControlProblem
        yield str(status), {"description": reason, "content": {JSON: {"schema": _ref(same.__name__)}}}
