"""One request: what came in, the BMC and resource that it reached, and the kinds of answers and errors that operations give.

`service.service` makes one RedfishCall per request and hands it to states, operations and reads of resources, in the emulator's
thread.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from emulator.core.bmc.presence import Presence
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
    """A message of the Base registry about one part of a request. `related` are JSON pointers (RelatedProperties)."""

    message: str
    args: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


class RegistryError(EmulatorError):
    """An error answer with Base registry messages: the request is refused.

    `status` is the HTTP status, `message` a message name with its arguments, `also` are further messages.
    """

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
        self.messages = (RegistryMessage(message, args, related), *also)
        self.headers = headers


def refused(status: int, messages: Sequence[RegistryMessage]) -> RegistryError:
    """One error with several messages; there must be at least one."""
    first, *rest = messages
    return RegistryError(status, first.message, *first.args, related=first.related, also=tuple(rest))


@dataclass(frozen=True, slots=True)
class ProfileReply:
    """A reply of the profile: its key in `replies`, and values for its templates in addition to the profile's `vars`."""

    reply: str
    values: Mapping[str, str] = field(default_factory=dict)
    headers: HeaderList = ()


class ProfileRefusal(EmulatorError):
    """The request is refused with a reply of the profile."""

    def __init__(self, reply: ProfileReply) -> None:
        super().__init__(f"reply {reply.reply}")
        self.reply = reply


@dataclass(frozen=True, slots=True)
class ResourceBody:
    """Answer with the resource at `path` after the operation. `messages` are messages about properties that were refused."""

    path: str
    status: int = 200
    headers: HeaderList = ()
    messages: tuple[RegistryMessage, ...] = ()


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete HTTP answer. `message_id` is for the journal only."""

    status: int
    headers: HeaderList = ()
    body: bytes = b""
    message_id: str | None = None
    late_s: float = 0.0  # it is sent so many seconds later


@dataclass(frozen=True, slots=True)
class MessageReply:
    """An error object with one message whose id and text are complete."""

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
    """An authenticated user. `session` is the session id, None with Basic authentication."""

    user: str
    role: str
    session: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A request as the WSGI server got it. `path` is decoded and without query; header names are lower case with dashes."""

    method: str
    path: str
    query: str = ""
    scheme: str = "https"
    headers: Mapping[str, str]
    address: str = ""
    stream: EventStream | None = None  # None: this server cannot send streams
    read_body: Callable[[], bytes]


class ReachedResource(Protocol):
    """The parts of a resource that an operation needs."""

    @property
    def path(self) -> str: ...
    def body_now(self, call: RedfishCall) -> Json:
        """Its body now."""


def _nothing_exists(path: str) -> bool:
    return False


@dataclass(slots=True, kw_only=True)
class RedfishCall:
    """A request and the BMC that it reached. `seq` is its event in the journal; `exists` tells whether this BMC has a path.

    `presence` is how the BMC answers it, where a front end has asked before it handed the request on.
    `looks` are the power words that its answer contains, once the answer is ready; `late_s` is by how many seconds it is late.
    """

    view: RedfishBmc
    incoming: Incoming
    request: ClientRequest
    seq: int
    requester: RequestUser | None = None
    found: ReachedResource | None = None
    exists: Callable[[str], bool] = _nothing_exists
    presence: Presence | None = None
    looks: list[Look] = field(default_factory=list)
    late_s: float = 0.0
    _words: dict[tuple[str, View], str | None] = field(default_factory=dict)

    def power(self, system_id: str, view: View) -> str | None:
        """The power word of this view. The core is asked once per request, so that report faults count one read."""
        key = (system_id, view)
        if key not in self._words:
            self._words[key] = self.view.power(system_id, view, self.request, self.seq)
        return self._words[key]

    @property
    def resource(self) -> ReachedResource:
        """The resource of the request. Only operations may use it: they always have one."""
        assert self.found is not None
        return self.found

    @property
    def user(self) -> RequestUser:
        """The authenticated user. Only code that needs credentials may use it: the service has verified them before."""
        assert self.requester is not None
        return self.requester

    def json_object(self) -> Json:
        """The body as a JSON object. Raises RegistryError (400, 415)."""
        kind = self.incoming.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in JSON_KINDS:
            raise RegistryError(415, "UnrecognizedRequestBody")
        return parse_object(self.incoming.read_body())


JSON_KINDS = frozenset({"", "application/json", "text/json", "application/x-www-form-urlencoded"})
"""Content types that real services accept as JSON. The form type is the default of `curl -d`."""


MOST_PARTS: Final = 10_000
"""Commas and colons in a body: a client that sends 1 MB of small parts again and again would hold the loop with each."""


def parse_object(raw: bytes) -> Json:
    """A JSON object in UTF-8, parsed strictly (RFC 8259). Raises RegistryError: 413 where it has too many parts, 400 for anything
    else that it is not."""
    if len(raw) > MOST_PARTS and raw.count(b",") + raw.count(b":") > MOST_PARTS:
        raise RegistryError(413, "PayloadTooLarge")
    try:
        value = json.loads(raw.decode("utf-8-sig"), parse_constant=_no_constant)  # bytes would let surrogates through
        if b"\\u" in raw:
            json.dumps(value, ensure_ascii=False).encode()  # raises UnicodeEncodeError for a lone surrogate
    except (ValueError, RecursionError):
        raise RegistryError(400, "MalformedJSON") from None
    if not isinstance(value, dict):
        raise RegistryError(400, "UnrecognizedRequestBody")
    return value


def _no_constant(word: str) -> object:
    raise ValueError(f"{word} is not JSON")


def shown(value: object, limit: int = 120) -> str:
    """A value from a client, shortened so that a message can repeat it."""
    try:
        text = value if isinstance(value, str) else json.dumps(value)
    except RecursionError:  # nested slightly too deep to be written, though it could be read
        text = "..."
    return text if len(text) <= limit else f"{text[:limit]}..."
