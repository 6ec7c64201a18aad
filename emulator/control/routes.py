"""What a route of the control API is: method, path, models of what it takes and gives, and the function that serves it.

`api` and `openapi` read the table of routes in `api.ROUTES`. `checked` turns what a client sent into a model, or raises
ControlRefused with one sentence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar
from urllib.parse import parse_qsl, unquote

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from emulator.control.http_server import ControlAnswer, HttpRequest
from emulator.control.models import ControlProblem, NoQuery, ProblemAt

M = TypeVar("M", bound=BaseModel)
TEXT: Final = "text/plain; version=0.0.4"
LINES: Final = "application/x-ndjson"
JSON: Final = "application/json"


class ControlRefused(Exception):
    """The client's fault, or what it asks for is impossible. `status` is the HTTP status; the text is one sentence."""

    def __init__(self, status: int, sentence: str, problems: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(sentence)
        self.status = status
        self.problems = problems


class Call:
    """One request on its way to its handler. `path` has the decoded segments by name."""

    def __init__(self, request: HttpRequest, path: Mapping[str, str]) -> None:
        self._request = request
        self.path = path

    def query(self, model: type[M]) -> M:
        """Raises ControlRefused 422 for what the model does not take."""
        try:
            pairs = parse_qsl(
                self._request.query, keep_blank_values=True, strict_parsing=bool(self._request.query), max_num_fields=32
            )
        except ValueError as error:
            raise ControlRefused(422, f"the query cannot be read: {error}") from None
        keys = [key for key, _ in pairs]
        if len(set(keys)) < len(keys):
            raise ControlRefused(422, "the query names a parameter twice")
        return checked(model, dict(pairs), strict=False)

    def body(self, model: type[M]) -> M:
        """Raises ControlRefused: 415 for another Content-Type, 400 for what is no JSON, 422 for what the model does not take."""
        return checked(model, self.json())

    def json(self) -> object:
        kind = self._request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != JSON:
            raise ControlRefused(415, f"the body must be {JSON}")
        try:
            data: object = json.loads(self._request.body, parse_constant=_no_constant)
            json.dumps(data, ensure_ascii=False).encode()  # half of a surrogate pair is no text
        except (ValueError, RecursionError) as error:
            raise ControlRefused(400, f"the body is no JSON: {error}") from None
        return data


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def checked(model: type[M], data: object, *, strict: bool = True) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems = tuple((".".join(str(step) for step in each["loc"]), _said(model, each)) for each in error.errors())
        raise ControlRefused(422, "; ".join(f"{path}: {text}" if path else text for path, text in problems), problems) from None


def _said(model: type[BaseModel], error: ErrorDetails) -> str:
    """Why a value was refused: for a pattern that nobody wants to read, what the field's description says."""
    described = model.model_fields.get(str(error["loc"][0])) if error["loc"] else None
    if error["type"] == "string_pattern_mismatch" and described is not None and described.description:
        return f"{str(error['input'])[:40]!r} does not fit: {described.description}"
    return error["msg"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What a handler gives: a model as JSON, or text, or a stream of lines."""

    model: BaseModel | None = None
    status: int = 200
    text: str | None = None
    answer: ControlAnswer | None = None
    location: str | None = None

    def http(self) -> ControlAnswer:
        if self.answer is not None:
            return self.answer
        headers = () if self.location is None else (("Location", self.location),)
        if self.text is not None:
            return ControlAnswer(self.status, self.text.encode(), TEXT, headers)
        return ControlAnswer(self.status, b"" if self.model is None else self.model.model_dump_json().encode(), JSON, headers)


@dataclass(frozen=True)
class Route:
    """One operation. `errors` are the statuses that it may answer besides those of every route. `public`: without a token."""

    method: str
    path: str
    name: str
    summary: str
    serve: Callable[..., Reply]
    query: type[BaseModel] = NoQuery
    body: tuple[type[BaseModel], ...] = ()
    answer: type[BaseModel] | None = None
    content_type: str = JSON
    status: int = 200
    errors: tuple[int, ...] = ()
    public: bool = False
    takes_fault: bool = field(default=False)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.path))

    def parameters(self) -> tuple[str, ...]:
        return tuple(self.pattern.groupindex)

    def match(self, path: str) -> dict[str, str] | None:
        """The decoded segments, or None where the path is another one's."""
        found = self.pattern.fullmatch(path)
        return None if found is None else {name: unquote(value) for name, value in found.groupdict().items()}


def problem(status: int, sentence: str, problems: tuple[tuple[str, str], ...] = (), *headers: tuple[str, str]) -> ControlAnswer:
    """The answer to a refused request."""
    told = ControlProblem(error=sentence, problems=[ProblemAt(path=path, message=text) for path, text in problems])
    return ControlAnswer(status, told.model_dump_json().encode(), JSON, headers)
