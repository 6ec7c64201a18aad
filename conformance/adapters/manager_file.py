"""What a fencer file says of an HA manager (adapter `http`): files, command line, URLs and patterns, with their templates.

`http` reads it with `read_manager` when `fencer_forms.manager` has checked it. Templates are Jinja2; `sample_values` has every
name that they may use.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from conformance.adapters.json_path import JsonPath, parse
from conformance.adapters.placeholders import BMC_KEYS, parts
from conformance.adapters.section import Section, present

OK: Final = 200
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


class NoTemplate(TemplateFailed):
    """The text is not a template at all."""


@cache
def _compiled(source: str) -> jinja2.Template:
    try:
        return _ENVIRONMENT.from_string(source)
    except jinja2.TemplateError as error:
        raise NoTemplate(f"not a Jinja2 template: {error}") from error


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


def read_manager(section: Section) -> ManagerFile:
    """The manager of a file whose form is right."""
    ready, poll, alerts = section.part("ready"), section.part("poll"), _templates(section, "alerts")
    assert ready is not None
    assert poll is not None
    down = poll.pattern(poll.get("down"), poll.at("down"))
    assert down is not None
    return ManagerFile(
        start=tuple(map(FilledIn, parts(section.words("start")))),
        files=_templates(section, "files"),
        env=_templates(section, "env"),
        ready=_page(ready),
        ready_status=int(next(iter(ready.numbers("status")), OK)),
        poll=_page(poll),
        path=parse(poll.raw("path")),
        down=down,
        confirm=_confirm(section.part("confirm")),
        every_s=next(iter(poll.numbers("every")), EVERY_S),
        after_s=next(iter(section.numbers("after")), AFTER_S),
        success=alerts.get("success"),
        failure=alerts.get("failure"),
    )


def _templates(section: Section, key: str) -> dict[str, TextTemplate]:
    return {name: FilledIn(text) for name, text in present(section.texts(key)).items()}


def _page(section: Section) -> Page:
    return Page(url=FilledIn(section.raw("url")), headers=_templates(section, "headers"))


def _confirm(section: Section | None) -> Confirmation | None:
    if section is None:
        return None
    seen = {name: parse(text) for name, text in present(section.texts("seen")).items()}
    return Confirmation(page=_page(section), body=FilledIn(section.raw("body")), seen=seen)
