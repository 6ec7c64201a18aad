"""Two shapes that everybody here speaks of: a JSON object, and an answer without an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

Json: TypeAlias = dict[str, object]


class EventStream(Protocol):
    """An answer without an end, as the wire offers it in `environ["emulator.stream"]`."""

    def attach(self, closed: Callable[[], object]) -> None: ...
    def push(self, data: bytes) -> bool: ...
    def end(self) -> None: ...
