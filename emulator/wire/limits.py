"""What one client may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """Seconds are those of the loop's clock; bytes are plain text."""

    handshake: float = 10.0
    """Until TLS stands."""
    request: float = 30.0
    """From the first byte of a request to its last."""
    idle: float = 75.0
    """Between requests."""
    stall: float = 60.0
    """Without the client taking a byte of the answer."""
    linger: float = 2.0
    """For the client's own end of file after ours."""
    hung: float = 60.0
    """For how long a hung connection outlives the client's end of file."""
    head: int = 64 * 1024
    body: int = 1024 * 1024
    unsent: int = 1024 * 1024
    """Of a stream that the client does not read."""
    connections: int = 4096
    """Per listener; further ones are reset."""
