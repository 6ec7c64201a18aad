"""How much time and memory HTTP clients may use: one of them (`ClientLimits`), and all of a server together (`RequestMemory`).

The composition root passes the limits to `HttpServer`; its listeners, connections and sessions apply them, in the loop's
thread.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Times are in seconds on the loop's clock; bytes are counted as plain text."""

    handshake_s: float = 10.0
    """Until the TLS handshake is complete."""
    request_s: float = 30.0
    """From the first byte of a request to its last."""
    idle_s: float = 75.0
    """Between two requests."""
    stall_s: float = 60.0
    """Without the client reading a byte of the answer."""
    linger_s: float = 2.0
    """After our end of file, until the client sends its own."""
    hung_s: float = 60.0
    """How long a hung connection is kept after the client's end of file."""
    max_head_bytes: int = 64 * 1024
    max_body_bytes: int = 1024 * 1024
    max_unsent_bytes: int = 1024 * 1024
    """Of a stream that the client does not read."""
    max_connections: int = 4096
    """Per listener; further ones are reset."""


FREE_BYTES: Final = 8 * 1024
"""What each connection may hold without asking: heads and the small bodies of Redfish clients."""


@dataclass(slots=True)
class RequestMemory:
    """Bytes of unfinished requests that all connections of one server hold, beyond `FREE_BYTES` each.

    Listeners have a share each, so that the clients of one BMC cannot use up what the clients of the others need.
    """

    most_bytes: int = 16 * 1024 * 1024
    most_per_listener_bytes: int = 4 * 1024 * 1024
    held_bytes: int = 0
    _by_listener: Counter[str] = field(default_factory=Counter)

    def share(self, listener: str) -> ConnectionShare:
        """The share of a new connection."""
        return ConnectionShare(self, listener)

    def add(self, listener: str, more: int) -> bool:
        """Counts `more` bytes, which may be negative. False: there is no room, and nothing was counted."""
        full = self.held_bytes + more > self.most_bytes or self._by_listener[listener] + more > self.most_per_listener_bytes
        if more > 0 and full:
            return False
        self.held_bytes += more
        self._by_listener[listener] += more
        if not self._by_listener[listener]:
            del self._by_listener[listener]
        return True


@dataclass(slots=True)
class ConnectionShare:
    """What one connection holds of a `RequestMemory`."""

    _memory: RequestMemory
    _listener: str
    _counted: int = 0

    def hold(self, size: int) -> bool:
        """The connection holds `size` bytes from now on. False: there is no room; what was counted before stays counted."""
        counted = max(0, size - FREE_BYTES)
        if counted != self._counted:
            if not self._memory.add(self._listener, counted - self._counted):
                return False
            self._counted = counted
        return True

    def release(self) -> None:
        """The connection holds nothing any more."""
        self.hold(0)
