"""What a proxy learns from the traffic that passes: power commands, the words that clients were told, a record. Pure.

`proxy_server` hands each exchange over, one at a time. Times are seconds since the proxy has started.

Rules
  1. A command becomes a cell only if the System was read not long before it, and again after it.
  2. A redirect is no answer to a command. The next command to the same system ends the watch of the one before.
  3. Credentials never come into a record: not as headers, not as values at telling keys, and nowhere else where they come back.
  4. What names a machine or its owner is replaced as `scrub` does it. `cleaned` replaces in a record what was learnt after it.
  5. Everything that is kept has a limit.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from emulator.profile_tools.json_values import Json, JsonObject, objects_at, pairs, parsed, text_at, with_texts
from emulator.profile_tools.observed import ObservedCommand, ObservedReply, ViewChange, changes_between, reply_of
from emulator.profile_tools.resource_tree import ROOT, links, service_path
from emulator.profile_tools.scrub import SECRET_KEY, Scrubber
from emulator.profile_tools.task_reports import FollowedTask, followed, task_of
from profiles.blocks import STATES
from profiles.model import View

STALE_S: Final = 300.0
MAX_SYSTEMS: Final = 64
MAX_READS: Final = 10_000
MAX_SECRETS: Final = 1000
MAX_TEXT: Final = 65_536
REMOVED: Final = "(removed)"
_RESET: Final = re.compile(r"(/redfish/v1/[^/]+/[^/]+)/Actions/(?:Oem/)?[A-Za-z]*ComputerSystem\.Reset/?")
_KEPT_HEADERS: Final = frozenset(
    {"content-type", "etag", "if-match", "location", "odata-version", "retry-after", "server", "allow"}
)
_CHASSIS: Final = f"{ROOT}/Chassis/"
_MACHINE: Final = re.compile(r"/redfish/v1/(?:Systems|Chassis)/[^/]+")
_OWN: Final = re.compile(r"/redfish/v1(?:/(?:Systems|Managers|Chassis)(?:/[^/]+)?)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedExchange:
    """One request and its answer. Bodies are empty where they were too large. Names of headers are in small letters."""

    client: int
    method: str
    path: str
    started_s: float
    ended_s: float
    status: int
    request_headers: Mapping[str, str] = field(default_factory=dict)
    request: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    answer: bytes = b""


@dataclass(slots=True)
class _Watch:
    """A command whose effect is being watched."""

    word: str
    before: dict[View, str | None]
    sent_s: float
    reply: ObservedReply
    task: FollowedTask | None = None
    reads: list[tuple[float, Mapping[View, str | None]]] = field(default_factory=list)


@dataclass(slots=True)
class _System:
    words: dict[View, str | None] = field(default_factory=dict)
    read_s: float = -1e9
    watch: _Watch | None = None


class Exchanges:
    """Takes exchanges in; gives records, commands and the resources by which the BMC is known."""

    def __init__(self, seed: bytes) -> None:
        self.commands: dict[tuple[str, str], ObservedCommand] = {}
        """The last command that was watched in each cell."""
        self.skipped: dict[str, str] = {}
        """Commands that are no cells, with the reason."""
        self.resources: dict[str, JsonObject] = {}
        self._systems: dict[str, _System] = {}
        self._chassis: dict[str, str] = {}  # chassis -> system
        self._targets: dict[str, str] = {}  # target of ComputerSystem.Reset -> system
        self._secrets: dict[str, None] = {}
        self._scrubber = Scrubber(seed)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The credentials that have passed."""
        return tuple(self._secrets)

    def take(self, exchange: RecordedExchange) -> str:
        """Takes an exchange in. Returns its record, one line of JSON."""
        request, answer = _json(exchange.request), _json(exchange.answer)
        self._learn(exchange, request, answer)
        asked = self._system_of(service_path(exchange.path) or "") if exchange.method == "POST" else None
        word = text_at(request, "ResetType")
        if asked is not None and word is not None and not 300 <= exchange.status < 400:
            self._command(asked, word, exchange, answer)
        elif exchange.method == "GET":
            self._follow(service_path(exchange.path) or "", exchange, answer)
        if exchange.method == "GET" and exchange.status == 200 and isinstance(answer, dict):
            for path, body in _machines(answer):
                self._look(path, body, exchange.ended_s)
                target = service_path(text_at(body, "Actions", "#ComputerSystem.Reset", "target") or "")
                if target is not None and len(self._targets) < MAX_SYSTEMS:
                    self._targets.setdefault(target, path)
            own = service_path(exchange.path) or ""
            if (_OWN.fullmatch(own) or _is_of_systems(answer)) and len(self.resources) < MAX_SYSTEMS:
                self.resources[own] = answer
        return self._record(exchange, request, answer)

    def finish(self) -> tuple[ObservedCommand, ...]:
        """Ends all watches. Returns the command of each cell."""
        for system in self._systems.values():
            self._end(system)
        return tuple(self.commands.values())

    # -- power -------------------------------------------------------------------------------------------------------------

    def _system_of(self, target: str) -> str | None:
        """The system that a reset at this path is for: as its Actions say, else as DSP0266 makes the path."""
        usual = _RESET.fullmatch(target)
        return self._targets.get(target) or (usual[1] if usual is not None else None)

    def _command(self, path: str, word: str, exchange: RecordedExchange, answer: Json) -> None:
        system = self._system(path)
        if system is None:
            return
        self._end(system)
        state = system.words.get(View.SYSTEM)
        if state not in STATES or exchange.started_s - system.read_s > STALE_S:
            self.skipped[word] = f"nobody had read the state of the system in the {STALE_S:.0f} s before"
            return
        system.watch = _Watch(
            word=word,
            before=dict(system.words),
            sent_s=exchange.started_s,
            reply=reply_of(exchange.status, answer),
            task=task_of(exchange.status, exchange.headers, answer),
        )

    def _follow(self, path: str, exchange: RecordedExchange, answer: Json) -> None:
        """Takes in what a task says of a command that is being watched."""
        for system in self._systems.values():
            watch = system.watch
            if watch is not None and watch.task is not None and path in watch.task.paths:
                at_s = round(exchange.ended_s - watch.sent_s, 3)
                watch.task = followed(watch.task, path, exchange.status, answer, at_s)

    def _look(self, path: str, body: JsonObject, at_s: float) -> None:
        word = text_at(body, "PowerState")
        if not path.startswith(_CHASSIS):
            system, view = self._system(path), View.SYSTEM
            for uri in links(body, "Links", "Chassis")[:1]:
                self._chassis.setdefault(uri.rstrip("/"), path) if len(self._chassis) < MAX_SYSTEMS else None
        else:
            system, view = self._system(self._chassis.get(path, "")), View.CHASSIS
        if system is None:
            return
        system.words[view] = word
        if view is View.SYSTEM:
            system.read_s = at_s
        if system.watch is not None and len(system.watch.reads) < MAX_READS:
            system.watch.reads.append((round(at_s - system.watch.sent_s, 3), {view: word}))

    def _system(self, path: str) -> _System | None:
        if path and path not in self._systems and len(self._systems) < MAX_SYSTEMS:
            self._systems[path] = _System()
        return self._systems.get(path)

    def _end(self, system: _System) -> None:
        watch, system.watch = system.watch, None
        if watch is None:
            return
        read = {view for _, words in watch.reads for view in words}
        if View.SYSTEM not in read:
            self.skipped[watch.word] = "nobody read the state of the system after it"
            return
        reply = watch.reply if watch.task is None else replace(watch.reply, task=watch.task.task)
        before = {view: word for view, word in watch.before.items() if view in read}
        changes: tuple[ViewChange, ...] = changes_between(before, watch.reads)
        command = ObservedCommand(
            before=str(watch.before[View.SYSTEM]), word=watch.word, reply=reply, changes=changes, views=frozenset(read)
        )
        self.commands[command.cell] = command
        self.skipped.pop(watch.word, None)

    # -- records -----------------------------------------------------------------------------------------------------------

    def _learn(self, exchange: RecordedExchange, request: Json, answer: Json) -> None:
        """Notes credentials, so that they are removed wherever they come back."""
        scheme, _, words = exchange.request_headers.get("authorization", "").partition(" ")
        self._note(words)
        if scheme.lower() == "basic":
            with contextlib.suppress(binascii.Error, ValueError):
                user, _, password = base64.b64decode(words).decode("utf-8", "replace").partition(":")
                self._scrubber.learn({"UserName": user})
                self._note(password)
        for headers in (exchange.request_headers, exchange.headers):
            self._note(headers.get("x-auth-token", ""))
            for cookie in (*headers.get("cookie", "").split(";"), headers.get("set-cookie", "").partition(";")[0]):
                self._note(cookie.partition("=")[2].strip())
        for key, word in parse_qsl(urlsplit(exchange.path).query):
            if SECRET_KEY.search(key):
                self._note(word)
        for body in (request, answer):
            for key, value in pairs(body):
                if isinstance(value, str) and SECRET_KEY.search(key):
                    self._note(value)
            if not self._scrubber.is_full:
                self._scrubber.learn(body)

    def _note(self, secret: str) -> None:
        """A credential, in the forms in which it may come back."""
        if len(secret) > 3 and len(self._secrets) < MAX_SECRETS:
            self._secrets |= dict.fromkeys(
                (secret, quote(secret), quote_plus(secret), base64.b64encode(secret.encode()).decode())
            )

    def _record(self, exchange: RecordedExchange, request: Json, answer: Json) -> str:
        record: JsonObject = {
            "t": round(exchange.started_s, 3),
            "took": round(exchange.ended_s - exchange.started_s, 3),
            "client": exchange.client,
            "method": exchange.method,
            "path": self._scrubber.text(exchange.path[:2000]),
            "request_headers": self._headers(exchange.request_headers),
            "request": self._body(request, exchange.request),
            "status": exchange.status,
            "headers": self._headers(exchange.headers),
            "answer": self._body(answer, exchange.answer),
        }
        return json.dumps(with_texts(record, self._hidden), ensure_ascii=False)

    def cleaned(self, line: str) -> str:
        """A record without what was learnt after it was made: a serial number may stand in a path before anybody reads it."""
        record = with_texts(parsed(line.encode()), lambda text: self._hidden(self._scrubber.known(text)))
        return json.dumps(record, ensure_ascii=False)

    def _hidden(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, REMOVED)
        return text

    def _headers(self, headers: Mapping[str, str]) -> JsonObject:
        return {name: self._scrubber.text(value[:1000]) for name, value in headers.items() if name in _KEPT_HEADERS}

    def _body(self, value: Json, body: bytes) -> Json:
        """A body as JSON, or how many bytes it has where it is large or no JSON."""
        if value is None or len(body) > MAX_TEXT or self._scrubber.is_full:
            return {"bytes": len(body)} if body else None
        return _without_secrets(self._scrubber.value(value))


def _machines(body: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Systems and chassis with a PowerState: the body itself, and members that were expanded."""
    for each in (body, *objects_at(body, "Members")):
        path = service_path(text_at(each, "@odata.id") or "") or ""
        if "PowerState" in each and (_MACHINE.fullmatch(path) or _is_of_systems(each)):
            yield path, each


def _is_of_systems(body: JsonObject) -> bool:
    """A ComputerSystem or the collection of them, wherever this BMC has its systems."""
    return (text_at(body, "@odata.type") or "").startswith("#ComputerSystem")


def _json(body: bytes) -> Json:
    try:
        return parsed(body) if body else None
    except ValueError:
        return None


def _without_secrets(value: Json) -> Json:
    if isinstance(value, dict):
        return {
            key: REMOVED if SECRET_KEY.search(key) and isinstance(each, str) and each else _without_secrets(each)
            for key, each in value.items()
        }
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value
