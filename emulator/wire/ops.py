"""The operations that send an answer, as data: send, wait, half-close, close, reset, hang.

`HttpSession` makes a `Plan` of them for each answer, wire faults rewrite it, and `Connection` carries it out, all in the loop's
thread. A plan without `Close`, `Reset` or `Hang` leaves the connection open for the next request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Send:
    """Sends these bytes. They are plain text; `Connection` encrypts them where TLS is used."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Waits for so many seconds before the next operation."""

    seconds: float


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Shuts down the sending side: the client sees an end of file and may still send."""


@dataclass(frozen=True, slots=True)
class Close:
    """Closes the connection properly (TLS close_notify, FIN)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Drops the connection with a TCP RST: the client sees "connection reset by peer"."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Keeps the connection open and never sends anything again."""


WireOp = Send | Wait | HalfClose | Close | Reset | Hang
Plan = tuple[WireOp, ...]


def text_of(plan: Iterable[WireOp]) -> bytes:
    """All bytes that a plan would send."""
    return b"".join(op.data for op in plan if isinstance(op, Send))
