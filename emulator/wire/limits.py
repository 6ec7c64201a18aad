"""How much time and memory one HTTP client may use.

The composition root passes the limits to `HttpServer`; its listeners, connections and sessions apply them, in the loop's
thread.
"""

from __future__ import annotations

from dataclasses import dataclass


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
