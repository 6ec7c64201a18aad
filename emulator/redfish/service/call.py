"""One request on its way through the service, what may become of it, and the refusal that any part may raise."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from emulator.core.errors import EmulatorError
from emulator.core.faults.trigger import ClientRequest
from emulator.core.power.system import Look
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.shapes import EventStream, Json
from profiles.model import View

HeaderList: TypeAlias = tuple[tuple[str, str], ...]

JSON_TYPE = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class RegistryMessage:
    """A message of the Base registry about one part of a request; `related` are JSON pointers."""

    message: str
    args: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


class RegistryError(EmulatorError):
    """The client asked for something that cannot be had; `message` is a name in the Base registry, `also` are more of them."""

    def __init__(
        self,
        status: int,
        message: str,
        *args: str,
        headers: HeaderList = (),
        related: tuple[str, ...] = (),
        also: tuple[RegistryMessage, ...] = (),
    ) -> None:
        super().__init__(f"{status} {message} {list(args)}")
        self.http_status = status
        self.complaints = (RegistryMessage(message, args, related), *also)
        self.headers = headers


def refused(status: int, complaints: Sequence[RegistryMessage]) -> RegistryError:
    """One refusal out of several complaints; there must be at least one."""
    first, *rest = complaints
    return RegistryError(status, first.message, *first.args, related=first.related, also=tuple(rest))


@dataclass(frozen=True, slots=True)
class ProfileReply:
    """A key of the profile's replies, and what its templates may use besides the profile's own words."""

    reply: str
    values: Mapping[str, str] = field(default_factory=dict)
    headers: HeaderList = ()


class ProfileRefusal(EmulatorError):
    """Refused with an answer that the profile has of its own."""

    def __init__(self, say: ProfileReply) -> None:
        super().__init__(f"reply {say.reply}")
        self.say = say


@dataclass(frozen=True, slots=True)
class ResourceBody:
    """The resource at `path` as it is after the operation, with its tag. `complaints` are about what was not taken."""

    path: str
    status: int = 200
    headers: HeaderList = ()
    complaints: tuple[RegistryMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes out. `message_id` is for the journal."""

    status: int
    headers: HeaderList = ()
    body: bytes = b""
    message_id: str | None = None


@dataclass(frozen=True, slots=True)
class MessageReply:
    """An error object with a message that is ready to go out."""

    status: int
    id: str
    text: str | None
    args: tuple[str, ...] = ()
    severity: str = "OK"
    resolution: str | None = None


OperationResult: TypeAlias = HttpAnswer | ProfileReply | ResourceBody | MessageReply
"""What an operation may answer."""


@dataclass(frozen=True, slots=True)
class RequestUser:
    """An authenticated client."""

    user: str
    role: str
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as it came: `path` decoded and without query, header names in lower case with dashes."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str]
    address: str = ""
    stream: EventStream | None = None  # None: this server cannot send an answer without an end
    read_body: Callable[[], bytes]


class ReachedResource(Protocol):
    """The resource that a request reached, as far as an operation needs it."""

    @property
    def path(self) -> str: ...
    def as_it_is(self, call: RedfishCall) -> Json:
        """Its body now."""


def _nothing_exists(path: str) -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class RedfishCall:
    """A request together with the BMC that it reached; `seq` is its event in the journal, `exists` knows this BMC's paths.

    `looks` are the power words that its answer says, once it is ready.
    """

    view: RedfishBmc
    incoming: Incoming
    request: ClientRequest
    seq: int
    who: RequestUser | None = None
    found: ReachedResource | None = None
    exists: Callable[[str], bool] = _nothing_exists
    looks: list[Look] = field(default_factory=list)
    _words: dict[tuple[str, View], str | None] = field(default_factory=dict)

    def power(self, system_id: str, view: View) -> str | None:
        """What this view of the BMC says of the system's power: asked once per request, so that report faults count it once."""
        key = (system_id, view)
        if key not in self._words:
            self._words[key] = self.view.power(system_id, view, self.request, self.seq)
        return self._words[key]

    @property
    def resource(self) -> ReachedResource:
        """Where the request goes to; only for operations, which have one."""
        assert self.found is not None
        return self.found

    @property
    def user(self) -> RequestUser:
        """The client; only for what needs credentials, where the service has already made sure of them."""
        assert self.who is not None
        return self.who

    def json_object(self) -> Json:
        """The body as a JSON object. Raises Refusal (400, 415)."""
        kind = self.incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in JSON_KINDS:
            raise RegistryError(415, "UnrecognizedRequestBody")
        return parse_object(self.incoming.read_body())


JSON_KINDS = frozenset({"", "application/json", "text/json", "application/x-www-form-urlencoded"})
"""What real services take as JSON: the form type is what curl -d says when nobody told it better."""


def parse_object(raw: bytes) -> Json:
    """Strict JSON of RFC 8259. Raises Refusal (400) for anything but an object."""
    try:
        value = json.loads(raw, parse_constant=_no_constant)
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no text
    except (ValueError, RecursionError):
        raise RegistryError(400, "MalformedJSON") from None
    if not isinstance(value, dict):
        raise RegistryError(400, "UnrecognizedRequestBody")
    return value


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def shown(value: object, limit: int = 120) -> str:
    """A client's value as it may be repeated in a message."""
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except RecursionError:  # deeper by a few levels than what could still be read
        text = "..."
    return text if len(text) <= limit else f"{text[:limit]}..."
