"""What a fencer file says of an HA manager (adapter `http`): files, command line, URLs and patterns, with their templates.

`http` reads it with `read_manager`. Templates are Jinja2; `sample_values` has every name that they may use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from conformance.adapters.json_path import BadPath, JsonPath, parse
from conformance.adapters.placeholders import BMC_KEYS
from conformance.adapters.section import Section
from fencelab_yaml.source import YamlList, YamlNode, YamlScalar

KEYS: Final = ("start", "files", "env", "ready", "poll", "confirm", "after", "alerts")
READY_KEYS: Final = ("url", "headers", "status")
POLL_KEYS: Final = ("url", "headers", "path", "down", "every")
CONFIRM_KEYS: Final = ("url", "headers", "body", "seen")
ALERT_KEYS: Final = ("success", "failure")
NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
AFTER_S: Final = 3.0
EVERY_S: Final = 0.1

Values = Mapping[str, object]
TextTemplate = Callable[[Values], str]
"""A template: the text that it makes of the values. Raises TemplateFailed."""

_ENVIRONMENT: Final = SandboxedEnvironment(
    undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False
)


class TemplateFailed(Exception):
    """A template cannot be filled in; the text says why."""


@cache
def _compiled(source: str) -> jinja2.Template:
    return _ENVIRONMENT.from_string(source)


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A `TextTemplate` that can be handed to another process: it keeps the text and not what Jinja2 makes of it."""

    source: str

    def __call__(self, values: Values) -> str:
        try:
            return _compiled(self.source).render(values)
        except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise TemplateFailed(str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page that is asked for by GET."""

    url: TextTemplate
    headers: Mapping[str, TextTemplate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """How an operator confirms by hand that the target is off: POST `body` to `page`. The templates know `operator` and `seen`:
    texts that are found on the page `poll` before; without one of them nothing can be confirmed yet."""

    page: Page
    body: TextTemplate
    seen: Mapping[str, JsonPath]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagerFile:
    """`files` are written before the start, mode 0600. It is ready when `ready` answers `ready_status`. The target is down when
    what `path` finds on the page `poll` fits `down`. `after_s`: how long it is watched after that, in seconds."""

    start: tuple[TextTemplate, ...]
    files: Mapping[str, TextTemplate]
    env: Mapping[str, TextTemplate]
    ready: Page
    ready_status: int
    poll: Page
    path: JsonPath
    down: re.Pattern[str]
    confirm: Confirmation | None
    every_s: float
    after_s: float
    success: TextTemplate | None
    failure: TextTemplate | None


def sample_values() -> Values:
    """Every name that a template may use, with a value of its kind."""
    host = {
        "name": "target",
        "bmc": dict.fromkeys(BMC_KEYS, "1"),
        "agent": {"host": "127.0.0.1", "port": 1, "url": "http://127.0.0.1:1"},
        "vms": ["target-vm1"],
    }
    return {
        "hosts": [host] * 3,  # the smallest cluster of a scenario
        "vms": [{"name": "target-vm1", "host": "target"}],
        "target": host,
        "folder": "/folder",
        "files": _AnyFile(),
        "port": 1,
        "token": "token",
    }


class _AnyFile(dict[str, str]):
    """Which files there are is known when all have been read."""

    def __missing__(self, name: str) -> str:
        return f"/files/{name}"


def read_manager(section: Section) -> ManagerFile | None:
    """Puts every mistake into `section.problems`; None where something is missing that nothing can stand for."""
    start = _line(section)
    ready, poll = _page(section, "ready", READY_KEYS), _page(section, "poll", POLL_KEYS)
    files, env, alerts = _texts(section, "files"), _texts(section, "env"), _alerts(section)
    for name in files:
        if not NAME.fullmatch(name):
            section.bad(section.node.entries["files"], section.at("files"), f"{name!r} is no name of a file: no folders")
    after = _seconds(section, "after", AFTER_S)
    path, down, every = _what_to_look_for(section)
    if ready is None or poll is None or path is None or down is None or not start:
        return None
    return ManagerFile(
        start=start, files=files, env=env, ready=ready, ready_status=_status(section), poll=poll, path=path, down=down,
        confirm=_confirm(section), every_s=every, after_s=after, success=alerts.get("success"), failure=alerts.get("failure"),
    )  # fmt: skip


def _template(section: Section, node: YamlNode, path: str, more: Values | None = None) -> TextTemplate | None:
    """`more`: names that it may use besides those of `sample_values`."""
    if not isinstance(node, YamlScalar) or isinstance(node.value, bool) or node.value is None:
        section.bad(node, path, "must be text")
        return None
    try:
        _compiled(node.raw)
    except jinja2.TemplateError as error:
        section.bad(node, path, f"not a Jinja2 template: {error}")
        return None
    fill = FilledIn(node.raw)
    known = {**sample_values(), **(more or {})}
    try:
        fill(known)
    except TemplateFailed as error:
        section.bad(node, path, f"{error}; there are: {', '.join(known)}")
        return None
    return fill


def _texts(section: Section, key: str) -> dict[str, TextTemplate]:
    texts = {name: _template(section, value, path) for name, value, path in section.entries(key)}
    return {name: text for name, text in texts.items() if text is not None}


def _line(section: Section) -> tuple[TextTemplate, ...]:
    node = section.get("start")
    if not isinstance(node, YamlList) or not node.items:
        section.lacks("start", "missing: a list, the command line that starts a manager") if node is None else section.bad(
            node, section.at("start"), "must be a list of arguments"
        )
        return ()
    words = [_template(section, item, f"{section.at('start')}[{number}]") for number, item in enumerate(node.items)]
    return tuple(word for word in words if word is not None)


def _page(section: Section, key: str, keys: tuple[str, ...]) -> Page | None:
    inside = _child(section, key)
    if inside is None:
        section.lacks(key, "missing")
        return None
    inside.only(keys)
    node = inside.get("url")
    if node is None:
        inside.lacks("url", "missing")
        return None
    url = _template(inside, node, inside.at("url"))
    if url is not None and not url(sample_values()).startswith(("http://", "https://")):
        inside.bad(node, inside.at("url"), "must begin with http:// or https://")
    return None if url is None else Page(url=url, headers=_texts(inside, "headers"))


def _confirm(section: Section) -> Confirmation | None:
    inside = _child(section, "confirm")
    if inside is None:
        return None
    page = _page(section, "confirm", CONFIRM_KEYS)
    seen = {name: found for name, value, path in inside.entries("seen") if (found := _path(inside, value, path)) is not None}
    node = inside.get("body")
    if node is None:
        inside.lacks("body", "missing")
        return None
    body = _template(inside, node, inside.at("body"), {"operator": "operator", "seen": dict.fromkeys(seen, "1")})
    return None if page is None or body is None else Confirmation(page=page, body=body, seen=seen)


def _child(section: Section, key: str) -> Section | None:
    node = section.get(key)
    return None if node is None else section.child(node, section.at(key), "must be a map")


def _what_to_look_for(section: Section) -> tuple[JsonPath | None, re.Pattern[str] | None, float]:
    inside = _child(section, "poll")
    if inside is None:
        return None, None, EVERY_S
    found: JsonPath | None = None
    path, down = inside.get("path"), inside.get("down")
    if path is None or down is None:
        inside.lacks("path" if path is None else "down", "missing")
    if path is not None:
        found = _path(inside, path, inside.at("path"))
    return found, inside.pattern(down, inside.at("down")), _seconds(inside, "every", EVERY_S)


def _path(section: Section, node: YamlNode, at: str) -> JsonPath | None:
    if not isinstance(node, YamlScalar):
        section.bad(node, at, "must be text")
        return None
    try:
        return parse(node.raw)
    except BadPath as error:
        section.bad(node, at, str(error))
        return None


def _alerts(section: Section) -> dict[str, TextTemplate]:
    inside = _child(section, "alerts")
    if inside is None:
        return {}
    inside.only(ALERT_KEYS)
    texts = {key: _template(inside, node, inside.at(key)) for key in ALERT_KEYS if (node := inside.get(key)) is not None}
    for key, text in texts.items():
        try:
            re.compile(text(sample_values()) if text is not None else "")
        except re.error as error:
            inside.bad(inside.node.entries[key], inside.at(key), f"not a regular expression: {error}")
    return {key: text for key, text in texts.items() if text is not None}


def _status(section: Section) -> int:
    inside = _child(section, "ready")
    node = None if inside is None else inside.get("status")
    if inside is None or node is None:
        return 200
    if isinstance(node, YamlScalar) and type(node.value) is int and 100 <= node.value <= 599:
        return node.value
    inside.bad(node, inside.at("status"), "must be an HTTP status")
    return 200


def _seconds(section: Section, key: str, default: float) -> float:
    node = section.get(key)
    if node is None:
        return default
    if isinstance(node, YamlScalar) and type(node.value) in (int, float) and 0 < float(node.raw) <= 600:
        return float(node.raw)
    section.bad(node, section.at(key), "must be a number of seconds, more than 0 and at most 600")
    return default
