"""Two types that all Redfish modules share: a JSON object, and an answer that is a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

Json: TypeAlias = dict[str, object]


class EventStream(Protocol):
    """An open answer, to which data can be pushed. The wire puts it into `environ["emulator.stream"]`."""

    def attach(self, closed: Callable[[], object]) -> None:
        """Calls `closed` when the client has gone."""

    def push(self, data: bytes) -> bool:
        """Sends data. False if the stream is closed or the client reads too slowly."""

    def end(self) -> None:
        """Closes the stream."""
