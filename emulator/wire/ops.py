"""What may happen to an answer on its way out, as data.

Rules
  1. Pure: no socket, no clock. The reactor plays a `Plan`; whoever wants to spoil an answer rewrites the plan.
  2. A plan without `Close`, `Reset` or `Hang` leaves the connection open for the next request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Send:
    """Writes these bytes (plain text; TLS happens below)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Does nothing for a while; later operations come after it."""

    seconds: float
    held_by: str = ""
    """Who can end it early: see `Connection.release`."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Shuts the sending side down; the client sees an end of file and may still send."""


@dataclass(frozen=True, slots=True)
class Close:
    """Closes properly (TLS close_notify, FIN)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Drops the connection with a TCP RST: the client sees "connection reset by peer"."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Keeps the connection open and never says anything again."""

    held_by: str = ""


WireOp = Send | Wait | HalfClose | Close | Reset | Hang
Plan = tuple[WireOp, ...]


def held_by(holder: str, plan: Iterable[WireOp]) -> Plan:
    """The plan, with every wait and hang that nobody holds yet held by `holder`."""
    return tuple(replace(op, held_by=holder) if isinstance(op, Wait | Hang) and not op.held_by else op for op in plan)


def text_of(plan: Iterable[WireOp]) -> bytes:
    """All bytes that a plan would send."""
    return b"".join(op.data for op in plan if isinstance(op, Send))
