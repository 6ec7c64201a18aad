"""The form of a fencer file of the adapter `http`: an HA manager. Every text in it is a Jinja2 template."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from conformance.adapters.json_path import BadPath, parse
from conformance.adapters.manager_file import FilledIn, NoTemplate, TemplateFailed, Values, sample_values
from conformance.fencer_forms.adapter_form import AdapterForm
from conformance.fencer_forms.values import FencerPattern, FreeText, SecondsUpTo
from fencelab_yaml.values import CheckBeside, Complaint, KeyText, Number, complaint, known_keys


def _filled(source: str, more: Values) -> tuple[str, str]:
    """What a template makes of the sample values, and what is wrong with it: one of both is empty."""
    known = {**sample_values(), **more}
    try:
        return FilledIn(source)(known), ""
    except NoTemplate as error:
        return "", str(error)
    except TemplateFailed as error:
        return "", f"{error}; there are: {', '.join(known)}"


def _template(source: str) -> Iterator[str]:
    _, wrong = _filled(source, {})
    if wrong:
        yield wrong


def _url(source: str) -> Iterator[str]:
    url, wrong = _filled(source, {})
    if wrong or not url.startswith(("http://", "https://")):
        yield wrong or "must begin with http:// or https://"


def _pattern(source: str) -> Iterator[str]:
    text, wrong = _filled(source, {})
    try:
        re.compile(text)
    except re.error as error:
        wrong = f"not a regular expression: {error}"
    if wrong:
        yield wrong


def _path(text: str) -> Iterator[str]:
    try:
        parse(text)
    except BadPath as error:
        yield str(error)


def _nothing(text: str) -> Iterator[str]:
    """For a template that has names of its own; `_confirmation` fills it in."""
    return iter(())


Template = Annotated[str, FreeText(_template)]
TemplateUrl = Annotated[str, FreeText(_url)]
TemplatePattern = Annotated[str, FreeText(_pattern)]
PageHeaders = dict[str, Template]
PathText = Annotated[str, FreeText(_path, pattern=r"^\$")]
FileName = Annotated[str, KeyText(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}", "the name of a file, without folders")]


@known_keys
class ReadyKeys(TypedDict):
    """The page that says whether the manager is ready."""

    url: Annotated[TemplateUrl, Field(description="its URL")]
    headers: NotRequired[Annotated[PageHeaders, Field(description="headers of the request")]]
    status: NotRequired[Annotated[int, Number(100, 599), Field(description="the HTTP status when it is ready; without: 200")]]


@known_keys
class PollKeys(TypedDict):
    """The page that says what the manager calls the host that fails."""

    url: Annotated[TemplateUrl, Field(description="its URL")]
    headers: NotRequired[Annotated[PageHeaders, Field(description="headers of the request")]]
    path: Annotated[PathText, Field(description="a JSON path to the word: $.status, $.hosts[?(@.name == 'x')].status, $['a'][0]")]
    down: Annotated[FencerPattern, Field(description="a regular expression that fits the word when the host is called down")]
    every: NotRequired[Annotated[float, SecondsUpTo(600), Field(description="between two looks, in seconds; without: 0.1")]]


@known_keys
class ConfirmKeys(TypedDict):
    """How an operator confirms by hand that a host is off."""

    url: Annotated[TemplateUrl, Field(description="its URL")]
    headers: NotRequired[Annotated[PageHeaders, Field(description="headers of the request")]]
    body: Annotated[
        str, FreeText(_nothing), Field(description="sent by POST until the answer is 2xx; knows `operator` and `seen`")
    ]
    seen: NotRequired[
        Annotated[
            dict[str, PathText], Field(description="texts from the page of `poll`, by JSON paths; without them it is not tried")
        ]
    ]


def _confirmation(value: object) -> Iterator[Complaint]:
    body = value.get("body") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(body, str):
        seen = value.get("seen")
        more = {"operator": "operator", "seen": dict.fromkeys(seen if isinstance(seen, dict) else (), "1")}
        _, wrong = _filled(body, more)
        if wrong:
            yield ("body",), complaint("sentence", sentence=wrong)


@known_keys
class AlertKeys(TypedDict):
    """Which lines of the manager's output are alerts."""

    success: NotRequired[Annotated[TemplatePattern, Field(description="a regular expression: a fence has succeeded")]]
    failure: NotRequired[Annotated[TemplatePattern, Field(description="a regular expression: an attempt has failed")]]


@known_keys
class ManagerKeys(TypedDict):
    """An HA manager: started, asked over HTTP what it thinks of a host, stopped. Every text is a Jinja2 template."""

    files: NotRequired[Annotated[dict[FileName, Template], Field(description="files that are written before the start, by name")]]
    start: Annotated[list[Template], Field(min_length=1, description="the command line that starts it")]
    env: NotRequired[Annotated[dict[str, Template], Field(description="more variables of its environment")]]
    ready: Annotated[ReadyKeys, Field(description="the page that says whether it is ready")]
    poll: Annotated[PollKeys, Field(description="the page that says what it calls the host that fails")]
    confirm: NotRequired[
        Annotated[ConfirmKeys, CheckBeside(_confirmation), Field(description="how an operator confirms that a host is off")]
    ]
    after: NotRequired[
        Annotated[float, SecondsUpTo(600), Field(description="how long it is watched after the claim, in seconds; without: 3")]
    ]
    alerts: NotRequired[Annotated[AlertKeys, Field(description="which lines of its output are alerts")]]


MANAGER: Final = AdapterForm(
    keys=ManagerKeys,
    needed={
        "start": "a list, the command line that starts a manager",
        "ready": "the page that says whether the manager is ready",
        "poll": "the page that says what the manager calls a host",
    },
)
