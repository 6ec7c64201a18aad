"""Sessions of one BMC, from the first handshake message to their end.

Rules
  1. The key is the managed session id, and the table belongs to the BMC: a client address decides nothing, so one client socket
     may speak to many BMCs and each answers for itself.
  2. Nobody who has not proved a password can make this grow: half-open sessions are bounded and the oldest makes room, so a
     flood costs the flooder and not the client who comes next. Where all real sessions are taken, a new one is refused.
  3. Time is an argument.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from emulator.core.clock import Instant
from emulator.core.power.system import Look
from emulator.ipmi.session.rmcp import IpmiMessage, Lan15, RmcpPlus
from profiles.model import Account

Peer = tuple[str, int] | tuple[str, int, int, int]
"""Where a datagram came from, as sockets write it. Only the address is ever looked at."""


class IpmiPrivilege(IntEnum):
    """IPMI 2.0, 6.8."""

    CALLBACK = 1
    USER = 2
    OPERATOR = 3
    ADMINISTRATOR = 4


PRIVILEGE_OF_ROLE = {
    "Administrator": IpmiPrivilege.ADMINISTRATOR,
    "Operator": IpmiPrivilege.OPERATOR,
    "ReadOnly": IpmiPrivilege.USER,
}

FIRST_PRIVILEGE = IpmiPrivilege.USER
"""A session starts here and asks for more (IPMI 2.0, 22.18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """How many sessions of each kind a BMC holds, and for how many seconds without a packet."""

    sessions: int = 32
    half_open: int = 1024
    half_open_s: float = 5.0
    idle_s: float = 60.0


@lru_cache(maxsize=64)
def limits_for(sessions: int) -> SessionLimits:
    """The same object for all BMCs that have the same: there may be thousands."""
    return SessionLimits(sessions=sessions)


class Link(Protocol):
    """How the messages of an established session are wrapped: RMCP+ or IPMI 1.5."""

    def open(self, datagram: RmcpPlus | Lan15) -> IpmiMessage | None:
        """The request inside; None for a replay. Raises Malformed where the datagram is not of this session's key."""

    def seal(self, message: IpmiMessage, code: int, data: bytes) -> bytes: ...


class HalfOpen(Protocol):
    """A client that has not proved its password yet."""

    @property
    def id(self) -> bytes: ...
    @property
    def since(self) -> Instant: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """The last request of a session, and what it came to."""

    message: IpmiMessage
    at: Instant
    code: int
    data: bytes
    looks: tuple[Look, ...] = ()  # the power words of the answer


@dataclass(slots=True, kw_only=True)
class LanSession:
    """An authenticated client. `limit` is the most it may ask for, `privilege` what it has now."""

    id: bytes
    account: Account
    limit: IpmiPrivilege
    link: Link
    peer: Peer
    last_used: Instant
    handle: int
    auth_type: int
    privilege: IpmiPrivilege = FIRST_PRIVILEGE
    farewell: bytes = b""  # the last handshake answer, for a client that did not hear it
    greeting: bytes = b""  # and the handshake message that it answered
    answered: Answered | None = None

    def keep_to(self, level: IpmiPrivilege) -> None:
        """No more than this from now on: its account's role is lower than it was."""
        self.limit, self.privilege = min(self.limit, level), min(self.privilege, level)


H = TypeVar("H", bound=HalfOpen)


@dataclass(slots=True)
class LanSessionTable(Generic[H]):
    limits: SessionLimits
    entropy: Callable[[int], bytes]
    half_open: dict[bytes, H] = field(default_factory=dict)  # oldest first
    live: dict[bytes, LanSession] = field(default_factory=dict)  # longest idle first
    abandoned: int = 0  # half-open ones that ran out or had to make room
    _handle: int = 0

    @property
    def full(self) -> bool:
        return len(self.live) >= self.limits.sessions

    def fresh_id(self) -> bytes:
        """Four bytes that no session has; never zeros, which mean "no session"."""
        while True:
            session_id = self.entropy(4)
            if any(session_id) and session_id not in self.live and session_id not in self.half_open:
                return session_id

    def fresh_handle(self) -> int:
        """1 to 255, not in use."""
        taken = {session.handle for session in self.live.values()}
        self._handle = next(n for k in range(1, 256) if (n := (self._handle + k - 1) % 255 + 1) not in taken)
        return self._handle

    def by_handle(self, handle: int) -> LanSession | None:
        return next((session for session in self.live.values() if session.handle == handle), None)

    def begin(self, half: H) -> None:
        while len(self.half_open) >= self.limits.half_open:
            self._abandon_oldest()
        self.half_open[half.id] = half

    def _abandon_oldest(self) -> None:
        del self.half_open[next(iter(self.half_open))]
        self.abandoned += 1

    def clear(self) -> None:
        """All are lost, as when the BMC starts again."""
        self.half_open.clear()
        self.live.clear()

    def forget(self, half: H) -> None:
        self.half_open.pop(half.id, None)

    def establish(self, session: LanSession) -> None:
        self.half_open.pop(session.id, None)
        self.live[session.id] = session

    def touch(self, session: LanSession, peer: Peer, now: Instant) -> None:
        """It has just spoken, maybe from a new address: a client behind NAT keeps its session."""
        session.last_used, session.peer = now, peer
        self.live[session.id] = self.live.pop(session.id)

    def close(self, session_id: bytes) -> LanSession | None:
        return self.live.pop(session_id, None)

    def reap(self, now: Instant) -> tuple[LanSession, ...]:
        """Forgets what has been silent for too long; returns the established ones among it."""
        while self.half_open and now - next(iter(self.half_open.values())).since > self.limits.half_open_s:
            self._abandon_oldest()
        gone: list[LanSession] = []
        while self.live and now - (session := next(iter(self.live.values()))).last_used > self.limits.idle_s:
            gone.append(self.live.pop(session.id))
        return tuple(gone)
