"""The operations that send an answer, as data: send, wait, half-close, close, reset, hang.

`HttpSession` makes a `Plan` of them for each answer, wire faults rewrite it, and `Connection` carries it out, all in the loop's
thread. A plan without `Close`, `Reset` or `Hang` leaves the connection open for the next request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Send:
    """Sends these bytes. They are plain text; `Connection` encrypts them where TLS is used."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Waits for so many seconds before the next operation."""

    seconds: float
    held_by: str = ""
    """Who can end it early: see `Connection.release`."""


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

    held_by: str = ""


WireOp = Send | Wait | HalfClose | Close | Reset | Hang
Plan = tuple[WireOp, ...]


def held_by(holder: str, plan: Iterable[WireOp]) -> Plan:
    """The plan, with every wait and hang that nobody holds yet held by `holder`."""
    return tuple(replace(op, held_by=holder) if isinstance(op, Wait | Hang) and not op.held_by else op for op in plan)


def text_of(plan: Iterable[WireOp]) -> bytes:
    """All bytes that a plan would send."""
    return b"".join(op.data for op in plan if isinstance(op, Send))
