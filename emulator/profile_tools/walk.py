"""Reads the resources of a service, one GET after another, beginning at the root. Pure: the caller gives `get`.

Rules
  1. Only GET, one at a time: BMCs are slow machines, and reading changes nothing.
  2. Each path is read once, so loops end. Members of a log that stand in their collection are not read again.
  3. What fails is a `MissingResource` and the walk goes on. When `LOST_AFTER` requests in a row got no answer at all, it ends.
  4. Number and size of the bodies are limited.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from emulator.profile_tools.json_values import Json, JsonObject, objects_at, parsed, text_at
from emulator.profile_tools.resource_tree import ROOT, MissingResource, ResourceTree, references, service_path

LOST_AFTER: Final = 5
_PAGES: Final = 1000


class GetAnswer(Protocol):
    """What `get` returns. Names of headers are in small letters."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]: ...

    @property
    def body(self) -> bytes: ...


class NoAnswer(Exception):
    """A request that was not answered in time, or whose answer could not be read; `str()` says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkLimits:
    """`count` resources and `total_bytes` bytes of bodies altogether."""

    count: int = 10_000
    total_bytes: int = 200_000_000


GetResource = Callable[[str], GetAnswer]
WalkProgress = Callable[[int, int], None]
"""Called after each resource with the numbers of those that were read and that wait."""


def walked(get: GetResource, limits: WalkLimits, progress: WalkProgress = lambda done, waiting: None) -> ResourceTree:
    """All resources that can be reached from the root. `get` raises NoAnswer; everything else that fails is a trouble."""
    return _Walk(get, limits, progress).tree()


class _Walk:
    def __init__(self, get: GetResource, limits: WalkLimits, progress: WalkProgress) -> None:
        self._get = get
        self._limits = limits
        self._progress = progress
        self._waiting: deque[str] = deque([ROOT])
        self._seen = {ROOT}
        self._resources: dict[str, JsonObject] = {}
        self._troubles: list[MissingResource] = []
        self._headers: Mapping[str, str] = {}
        self._root_text = b""
        self._bytes = 0
        self._unanswered = 0

    def tree(self) -> ResourceTree:
        while self._waiting:
            if len(self._resources) >= self._limits.count:
                self._stop(f"the limit of {self._limits.count} resources")
            elif self._bytes > self._limits.total_bytes:
                self._stop(f"the limit of {self._limits.total_bytes // 1_000_000} MB")
            elif self._unanswered >= LOST_AFTER:
                self._stop(f"{LOST_AFTER} requests in a row without an answer")
            else:
                self._read(self._waiting.popleft())
                self._progress(len(self._resources), len(self._waiting))
        return ResourceTree(
            resources=self._resources,
            troubles=tuple(self._troubles),
            headers=dict(self._headers),
            root_text=self._root_text,
            is_live=True,
        )

    def _stop(self, why: str) -> None:
        self._troubles.append(MissingResource(self._waiting[0], f"not read, and {len(self._waiting) - 1} more: {why}"))
        self._waiting.clear()

    def _read(self, path: str) -> None:
        body = self._body(path if path != ROOT else f"{ROOT}/")
        if body is None:
            return
        self._whole(path, body)
        self._resources[path] = body
        self._follow(body)

    def _body(self, uri: str) -> JsonObject | None:
        """A body, or None after its trouble has been noted."""
        try:
            answer = self._get(uri)
        except NoAnswer as error:
            self._unanswered += 1
            self._failed(uri, str(error))
            return None
        self._unanswered = 0
        if not self._headers:
            self._headers = answer.headers
            self._root_text = answer.body
        self._bytes += len(answer.body)
        if answer.status != 200:
            self._failed(uri, f"HTTP {answer.status}")
            return None
        try:
            value: Json = parsed(answer.body)
        except ValueError:
            self._failed(uri, "the body is not JSON")
            return None
        if not isinstance(value, dict):
            self._failed(uri, "the body is not a JSON object")
            return None
        return value

    def _failed(self, uri: str, why: str) -> None:
        self._troubles.append(MissingResource(uri, why))

    def _whole(self, path: str, body: JsonObject) -> None:
        """Puts the members of all pages of a collection into the body of the first page."""
        seen: set[str] = set()
        while (uri := text_at(body, "Members@odata.nextLink")) is not None:
            del body["Members@odata.nextLink"]
            if uri in seen or len(seen) >= _PAGES or self._bytes > self._limits.total_bytes or service_path(uri) is None:
                self._failed(path, "its pages do not end")
                return
            seen.add(uri)
            page = self._body(uri)
            members, more = body.get("Members"), (page or {}).get("Members")
            if page is None or not isinstance(members, list) or not isinstance(more, list):
                return
            members.extend(more)
            if (following := text_at(page, "Members@odata.nextLink")) is not None:
                body["Members@odata.nextLink"] = following

    def _follow(self, body: JsonObject) -> None:
        for member in objects_at(body, "Members"):
            path = service_path(text_at(member, "@odata.id") or "")
            if path is not None and path not in self._seen and "#LogEntry." in (text_at(member, "@odata.type") or ""):
                self._seen.add(path)
                self._resources[path] = member
        for uri in references(body):
            path = service_path(uri)
            if path is None:
                if not uri.startswith("#"):
                    self._failed(uri[:200], "not a path of this service")
            elif path not in self._seen:
                self._seen.add(path)
                self._waiting.append(path)
