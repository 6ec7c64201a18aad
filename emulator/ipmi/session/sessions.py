"""The IPMI sessions of one BMC, from the first handshake message to their end.

The responder and the login code call it, in the emulator's one thread. Instants and times are in seconds on the rack's clock.

Rules
  1. Sessions are found by the managed session id, in a table of their BMC. The client's address is not used, so one client socket
     may talk to many BMCs.
  2. A client without a password cannot make the table grow without limit. Half-open sessions have a limit, and the oldest is
     removed for a new one, so a flood does not lock out the next client. When all sessions are in use, a new one is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import lru_cache
from typing import Generic, Protocol, TypeVar

from emulator.core.bmc.accounts import is_room
from emulator.core.clock import Instant
from emulator.core.power.system import Look
from emulator.ipmi.session.rmcp import IpmiMessage, Lan15, RmcpPlus
from profiles.model import Account

Peer = tuple[str, int] | tuple[str, int, int, int]
"""The address of a client, in the form of the socket module. Only the IP address and the port are read."""


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
"""A session starts with this privilege; Set Session Privilege Level raises it (IPMI 2.0, 22.18)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """How many sessions and half-open sessions a BMC keeps, and for how many seconds without a packet."""

    sessions: int = 32
    half_open: int = 1024
    half_open_s: float = 5.0
    idle_s: float = 60.0


@lru_cache(maxsize=64)
def limits_for(sessions: int) -> SessionLimits:
    """The limits for so many sessions. BMCs with the same number share one object, because there may be thousands."""
    return SessionLimits(sessions=sessions)


class Link(Protocol):
    """Authenticates, decrypts and encrypts the messages of one session: RMCP+ or IPMI 1.5."""

    def open(self, datagram: RmcpPlus | Lan15) -> IpmiMessage | None:
        """The request in a datagram; None for a replay. Raises Malformed where it is not authentic."""

    def seal(self, message: IpmiMessage, code: int, data: bytes) -> bytes:
        """The datagram that answers a request with a completion code and data."""


class HalfOpen(Protocol):
    """A client that has not proved its password yet."""

    @property
    def id(self) -> bytes: ...
    @property
    def since(self) -> Instant: ...


@dataclass(frozen=True, slots=True)
class Answered:
    """The last request of a session and its answer."""

    message: IpmiMessage
    at: Instant
    code: int
    data: bytes
    looks: tuple[Look, ...] = ()  # the power words of the answer


@dataclass(slots=True, kw_only=True)
class LanSession:
    """The session of an authenticated client. `limit` is the highest privilege it may ask for, `privilege` the present one."""

    id: bytes
    account: Account
    limit: IpmiPrivilege
    link: Link
    peer: Peer
    last_used: Instant
    handle: int
    auth_type: int
    privilege: IpmiPrivilege = FIRST_PRIVILEGE
    rakp4_body: bytes = b""  # our RAKP 4, to send it again to a client that did not get it
    rakp3_body: bytes = b""  # the client's RAKP 3, to which it was the answer
    answered: Answered | None = None

    def keep_to(self, level: IpmiPrivilege) -> None:
        """Lowers the session's privilege to at most this level, because its account has a lower role now."""
        self.limit, self.privilege = min(self.limit, level), min(self.privilege, level)


H = TypeVar("H", bound=HalfOpen)


@dataclass(slots=True)
class LanSessionTable(Generic[H]):
    """All sessions of one BMC. `entropy(n)` gives n unpredictable bytes."""

    limits: SessionLimits
    entropy: Callable[[int], bytes]
    half_open: dict[bytes, H] = field(default_factory=dict)  # oldest first
    live: dict[bytes, LanSession] = field(default_factory=dict)  # the longest idle first
    abandoned: int = 0  # half-open sessions that timed out or were removed for a new one
    _handle: int = 0

    @property
    def full(self) -> bool:
        """Whether all sessions are in use."""
        return len(self.live) >= self.limits.sessions

    def has_room(self, account: Account) -> bool:
        """Whether this account can have one more session. Some are only for administrators."""
        return is_room(self.limits.sessions, account.role, [session.account.role for session in self.live.values()])

    def fresh_id(self) -> bytes:
        """A session id of four bytes that is not in use; never zeros, which mean "no session"."""
        while True:
            session_id = self.entropy(4)
            if any(session_id) and session_id not in self.live and session_id not in self.half_open:
                return session_id

    def fresh_handle(self) -> int:
        """A session handle from 1 to 255 that is not in use."""
        taken = {session.handle for session in self.live.values()}
        self._handle = next(n for k in range(1, 256) if (n := (self._handle + k - 1) % 255 + 1) not in taken)
        return self._handle

    def by_handle(self, handle: int) -> LanSession | None:
        return next((session for session in self.live.values() if session.handle == handle), None)

    def begin(self, half: H) -> None:
        """Adds a half-open session; removes the oldest ones where there are too many."""
        while len(self.half_open) >= self.limits.half_open:
            self._abandon_oldest()
        self.half_open[half.id] = half

    def _abandon_oldest(self) -> None:
        del self.half_open[next(iter(self.half_open))]
        self.abandoned += 1

    def clear(self) -> None:
        """Ends all sessions, as a restart of the BMC does."""
        self.half_open.clear()
        self.live.clear()

    def forget(self, half: H) -> None:
        self.half_open.pop(half.id, None)

    def establish(self, session: LanSession) -> None:
        self.half_open.pop(session.id, None)
        self.live[session.id] = session

    def touch(self, session: LanSession, peer: Peer, now: Instant) -> None:
        """Notes that the client has sent a datagram. Its address may be a new one, as with NAT; it keeps its session."""
        session.last_used, session.peer = now, peer
        self.live[session.id] = self.live.pop(session.id)

    def close(self, session_id: bytes) -> LanSession | None:
        return self.live.pop(session_id, None)

    def reap(self, now: Instant) -> tuple[LanSession, ...]:
        """Ends sessions that have been idle for too long; returns the established ones among them."""
        while self.half_open and now - next(iter(self.half_open.values())).since > self.limits.half_open_s:
            self._abandon_oldest()
        gone: list[LanSession] = []
        while self.live and now - (session := next(iter(self.live.values()))).last_used > self.limits.idle_s:
            gone.append(self.live.pop(session.id))
        return tuple(gone)
