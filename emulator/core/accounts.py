"""Who may talk to a BMC: accounts, lockout and sessions, the same for every protocol.

Passwords are kept in clear text because RAKP needs them so (ruling 17); nothing here is ever written to the journal but names.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from emulator.core.clock import Instant
from profiles.model import Account, Auth, Lockout


class AuthResult(StrEnum):
    OK = "ok"
    BAD = "bad"  # unknown user or wrong password: the wire must not tell which
    LOCKED = "locked"


@dataclass(slots=True)
class Attempts:
    """Recent failures of one account or address, and until when it is locked."""

    failures: list[Instant] = field(default_factory=list)
    locked_until: Instant = -1.0


class Accounts:
    """The accounts of one BMC and its lockout rule."""

    def __init__(self, auth: Auth, first_password: str | None = None) -> None:
        """`first_password` replaces the profile's public default of the first account."""
        accounts = list(auth.accounts)
        if first_password is not None and accounts:
            accounts[0] = Account(name=accounts[0].name, password=first_password, role=accounts[0].role)
        self._accounts = {account.name: account for account in accounts}
        self._lockout: Lockout = auth.lockout
        self._attempts: dict[str, Attempts] = {}

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def get(self, name: str) -> Account | None:
        return self._accounts.get(name)

    def is_locked(self, name: str, address: str, now: Instant) -> bool:
        attempts = self._attempts.get(self._key(name, address))
        return attempts is not None and now < attempts.locked_until

    def verify(self, name: str, password: str, address: str, now: Instant) -> tuple[AuthResult, Account | None]:
        """Compares in constant time; counts failures for the lockout."""
        if self.is_locked(name, address, now):
            return AuthResult.LOCKED, None
        account = self._accounts.get(name)
        expected = account.password if account else ""
        right = hmac.compare_digest(expected.encode(), password.encode()) and account is not None
        self.note(name, address, now, ok=right)
        return (AuthResult.OK, account) if right else (AuthResult.BAD, None)

    def note(self, name: str, address: str, now: Instant, *, ok: bool) -> None:
        """Takes in the end of an authentication that happened elsewhere (RAKP)."""
        rule = self._lockout
        key = self._key(name, address)
        if ok:
            self._attempts.pop(key, None)
            return
        if rule.failures == 0:
            return
        attempts = self._attempts.setdefault(key, Attempts())
        attempts.failures = [*(t for t in attempts.failures if now - t <= rule.window_s), now]
        if len(attempts.failures) >= rule.failures:
            attempts.locked_until = now + rule.penalty_s
            attempts.failures = []

    def _key(self, name: str, address: str) -> str:
        return name if self._lockout.by == "account" else address


@dataclass(slots=True)
class Session:
    """A login. `token` is a secret: it goes to the client and nowhere else."""

    id: str
    token: str
    user: str
    role: str
    opened: Instant
    last_used: Instant


class SessionTable:
    """Sessions of one BMC: a limit, an idle time-out, real closing."""

    def __init__(self, limit: int | None, timeout_s: float, make_token: Callable[[], str]) -> None:
        self._limit = limit
        self._timeout_s = timeout_s
        self._make_token = make_token
        self._by_token: dict[str, Session] = {}
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._by_token)

    def all(self, now: Instant) -> tuple[Session, ...]:
        self._reap(now)
        return tuple(self._by_token.values())

    def open(self, account: Account, now: Instant) -> Session | None:
        """None where the table is full."""
        self._reap(now)
        if self._limit is not None and len(self._by_token) >= self._limit:
            return None
        session = Session(str(self._next_id), self._make_token(), account.name, account.role, now, now)
        self._next_id += 1
        self._by_token[session.token] = session
        return session

    def use(self, token: str, now: Instant) -> Session | None:
        """The live session of a token; using it restarts its idle time."""
        self._reap(now)
        session = self._by_token.get(token)
        if session is not None:
            session.last_used = now
        return session

    def close(self, session_id: str) -> Session | None:
        for token, session in self._by_token.items():
            if session.id == session_id:
                return self._by_token.pop(token)
        return None

    def _reap(self, now: Instant) -> None:
        for token in [t for t, s in self._by_token.items() if now - s.last_used > self._timeout_s]:
            del self._by_token[token]
