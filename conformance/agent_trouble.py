"""Which request to which agent is answered otherwise. Pure; `AgentStandIns` asks it under its lock, once for each request."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from conformance.site import AgentRequest

LISTED: Final = "vms"
_REQUESTS: Final[Mapping[tuple[str, str], AgentRequest]] = {
    ("GET", "/health"): "health",
    ("GET", "/vms"): "list",
    ("POST", "/vms/start"): "start",
    ("POST", "/vms/stop"): "stop",
}


class AgentAnswer(NamedTuple):
    """Status, JSON value, and by how many seconds it comes late."""

    status: int
    body: object
    late_s: float = 0.0


class AgentTrouble:
    """Counts requests, by host and kind, and knows which of them are answered otherwise."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._planned: dict[tuple[str, str, int], tuple[str, float]] = {}

    def plan(self, host: str, request: str, nth: int, word: str, seconds: float) -> None:
        self._planned[host, request, nth] = (word, seconds)

    def next(self, host: str, request: str) -> tuple[int, str, float]:
        """The number of this request, how it is answered otherwise (empty: not), and how late."""
        self._counts[host, request] += 1
        nth = self._counts[host, request]
        return nth, *self._planned.get((host, request, nth), ("", 0.0))


def request_of(method: str, path: str) -> AgentRequest | None:
    """None for what no agent offers."""
    return _REQUESTS.get((method, path))
