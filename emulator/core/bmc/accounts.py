"""The accounts of a BMC, its lockout after failed logins, and its Redfish sessions. All protocols use the same accounts.

`BmcView` calls it for the front ends, in the emulator's one thread; `accounts_admin` has the rules for changing accounts. Times
are in seconds on the rack's clock. Passwords are kept in clear text because RAKP needs them (ruling 17); the journal gets user
names only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType

from emulator.core.clock import Instant
from profiles.model import Account, AuthRules, Lockout


class AuthResult(StrEnum):
    OK = "ok"
    BAD = "bad"  # unknown user or wrong password: the client must not learn which
    LOCKED = "locked"


NAME_KEPT = 32
"""Characters of a user name that are kept as they are when its failures are counted; longer names are hashed."""
ADMINISTRATOR = "Administrator"
MANY_SESSIONS = 1000
"""How many Redfish sessions a BMC without a limit of its own has."""
ATTEMPTS_KEPT = 1024
"""How many names or addresses with failures one BMC remembers."""

IPMI_NAME_BYTES = 16
IPMI_PASSWORD_BYTES = 20
FIRST_SLOT = 2
LAST_SLOT = 16
"""IPMI user ids (IPMI 2.0, 22.26 to 22.30). The standard reserves id 1 for a user without a name; nobody can log in as it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalAccount(Account):
    """An account as the BMC keeps it. `slot` is its IPMI user id; 0: it has none."""

    enabled: bool = True
    must_change: bool = False  # PasswordChangeRequired: front ends allow nothing but a new password
    slot: int = 0

    @property
    def over_ipmi(self) -> bool:
        """Whether it can log in over IPMI: enabled, with a slot, a name of at most 16 bytes, a password of 1 to 20 bytes."""
        fits = len(self.name.encode()) <= IPMI_NAME_BYTES and 0 < len(self.password.encode()) <= IPMI_PASSWORD_BYTES
        return self.slot > 0 and fits and self.enabled


@lru_cache(maxsize=256)
def _first_accounts(accounts: tuple[Account, ...], first_password: str | None, must_change: bool) -> Mapping[str, LocalAccount]:
    """The profile's accounts. All BMCs of a profile share this mapping until one of them changes its accounts."""
    made: dict[str, LocalAccount] = {}
    for n, account in enumerate(accounts):
        password = first_password if first_password is not None and n == 0 else account.password
        slot = FIRST_SLOT + n if FIRST_SLOT + n <= LAST_SLOT else 0
        made[account.name] = LocalAccount(
            name=account.name, password=password, role=account.role, slot=slot, must_change=must_change
        )
    return MappingProxyType(made)


@dataclass(slots=True)
class Attempts:
    """The recent failures of one account or address, and until when it is locked."""

    failures: list[Instant] = field(default_factory=list)
    locked_until: Instant = -1.0


class Accounts:
    """The accounts of one BMC and its lockout rule."""

    __slots__ = ("_accounts", "_attempts", "_failures_in_a_row", "lockout")

    def __init__(self, auth: AuthRules, first_password: str | None = None) -> None:
        """`first_password` replaces the profile's public default of the first account."""
        self._accounts = _first_accounts(auth.accounts, first_password, auth.password_change_required)
        self.lockout: Lockout = auth.lockout
        """The rule in force. An administrator can replace it."""
        self._attempts: dict[str, Attempts] | None = None  # until the first failure
        self._failures_in_a_row = 0

    def __iter__(self) -> Iterator[LocalAccount]:
        """In the order in which they were made."""
        return iter(tuple(self._accounts.values()))

    def __len__(self) -> int:
        return len(self._accounts)

    def get(self, name: str) -> LocalAccount | None:
        return self._accounts.get(name)

    def in_slot(self, slot: int) -> LocalAccount | None:
        """The account with this IPMI user id."""
        return next((account for account in self._accounts.values() if account.slot == slot), None) if slot else None

    def slot(self, name: str) -> int:
        """The IPMI user id of an account, 0 where it has none or does not exist."""
        account = self._accounts.get(name)
        return account.slot if account is not None else 0

    def free_slot(self) -> int:
        """The lowest free IPMI user id; 0 where all are in use."""
        taken = {account.slot for account in self._accounts.values()}
        return next((slot for slot in range(FIRST_SLOT, LAST_SLOT + 1) if slot not in taken), 0)

    def put(self, account: LocalAccount, instead_of: str | None = None) -> None:
        """Stores an account, in the place of the one that it replaces. `accounts_admin` checks the rules before."""
        old = instead_of if instead_of is not None else account.name
        if old in self._accounts:
            kept = [account if name == old else other for name, other in self._accounts.items()]
            self._accounts = {other.name: other for other in kept}
        else:
            self._accounts = {**self._accounts, account.name: account}

    def remove(self, name: str) -> None:
        self._accounts = {other: account for other, account in self._accounts.items() if other != name}
        self.unlock(name)

    def unlock(self, name: str) -> None:
        """Ends the lockout of an account. A lockout by address ends only with its time."""
        if self._attempts:
            self._attempts.pop(self._key(name, ""), None)

    @property
    def late_s(self) -> float:
        """By how many seconds the answer to the last wrong credentials is late."""
        return self.lockout.delay_s if self._failures_in_a_row > self.lockout.delay_after else 0.0

    def is_locked(self, name: str, address: str, now: Instant) -> bool:
        attempts = self._attempts.get(self._key(name, address)) if self._attempts else None
        return attempts is not None and now < attempts.locked_until

    def verify(self, name: str, password: str, address: str, now: Instant) -> tuple[AuthResult, LocalAccount | None]:
        """Checks a password in constant time, and counts a failure for the lockout. The account comes only with OK."""
        if self.is_locked(name, address, now):
            return AuthResult.LOCKED, None
        account = self._accounts.get(name)
        expected = account.password if account else ""
        same = hmac.compare_digest(expected.encode(), password.encode())
        right = same and account is not None and account.enabled and password != ""
        self.note(name, address, now, ok=right)
        return (AuthResult.OK, account) if right else (AuthResult.BAD, None)

    def note(self, name: str, address: str, now: Instant, *, ok: bool) -> bool:
        """Counts the result of a login for the lockout. Returns whether this one started a lockout."""
        rule = self.lockout
        key = self._key(name, address)
        self._failures_in_a_row = 0 if ok else self._failures_in_a_row + 1
        if ok:
            if self._attempts:
                self._attempts.pop(key, None)
            return False
        if rule.failures == 0:
            return False
        if self._attempts is None:
            self._attempts = {}
        if key not in self._attempts and len(self._attempts) >= ATTEMPTS_KEPT:
            _forget_oldest(self._attempts, now)
        attempts = self._attempts.setdefault(key, Attempts())
        attempts.failures = [*(t for t in attempts.failures if now - t <= rule.window_s), now]
        if len(attempts.failures) < rule.failures:
            return False
        attempts.locked_until = now + rule.penalty_s
        attempts.failures = []
        return True

    def _key(self, name: str, address: str) -> str:
        """What failures are counted under. It is short, whatever name a client has invented."""
        if self.lockout.by != "account":
            return address
        return name if len(name) <= NAME_KEPT else hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _forget_oldest(remembered: dict[str, Attempts], now: Instant) -> None:
    """Clients can invent any number of names and addresses, so memory needs a limit. Locked ones are removed last."""
    unlocked = (key for key, attempts in remembered.items() if attempts.locked_until <= now)
    del remembered[next(unlocked, next(iter(remembered)))]


@dataclass(slots=True)
class AccountSession:
    """A Redfish session. `token` is a secret: only the client may see it."""

    id: str
    token: str
    user: str
    role: str
    opened: Instant
    last_used: Instant


def is_room(limit: int, role: str, held: Sequence[str]) -> bool:
    """Whether a table of `limit` places has one for an account of this role; `held` are the roles of those who have one.

    A quarter of the places is only for administrators, so that a user who may only read cannot lock them out.
    """
    kept = max(1, limit // 4) if limit > 1 else 0
    others = sum(each != ADMINISTRATOR for each in held)
    return len(held) < limit and (role == ADMINISTRATOR or others < limit - kept)


class AccountSessionTable:
    """The Redfish sessions of one BMC, with a limit (None: MANY_SESSIONS) and an idle time-out in seconds."""

    def __init__(self, limit: int | None, timeout_s: float) -> None:
        self._limit = limit
        self.timeout_s = timeout_s
        """Idle seconds after which a session ends."""
        self._by_token: dict[str, AccountSession] = {}
        self._next_id = 1

    def __len__(self) -> int:
        return len(self._by_token)

    def all(self, now: Instant) -> tuple[AccountSession, ...]:
        """The sessions that have not timed out."""
        self._reap(now)
        return tuple(self._by_token.values())

    def open(self, account: Account, now: Instant, make_token: Callable[[], str]) -> AccountSession | None:
        """A new session; None where the table is full."""
        self._reap(now)
        limit = self._limit if self._limit is not None else MANY_SESSIONS
        if not is_room(limit, account.role, [session.role for session in self._by_token.values()]):
            return None
        session = AccountSession(str(self._next_id), make_token(), account.name, account.role, now, now)
        self._next_id += 1
        self._by_token[session.token] = session
        return session

    def use(self, token: str, now: Instant) -> AccountSession | None:
        """The session of a token, whose idle time starts again; None for an unknown token."""
        self._reap(now)
        session = self._by_token.get(token)
        if session is not None:
            session.last_used = now
        return session

    def close(self, session_id: str) -> AccountSession | None:
        """Ends a session; None where there is none of that id."""
        for token, session in self._by_token.items():
            if session.id == session_id:
                return self._by_token.pop(token)
        return None

    def clear(self) -> None:
        """Ends all sessions, as a restart of the BMC does."""
        self._by_token.clear()

    def close_of(self, user: str) -> tuple[AccountSession, ...]:
        """Ends all sessions of a user and returns them."""
        gone = tuple(session for session in self._by_token.values() if session.user == user)
        for session in gone:
            del self._by_token[session.token]
        return gone

    def _reap(self, now: Instant) -> None:
        for token in [t for t, s in self._by_token.items() if now - s.last_used > self.timeout_s]:
            del self._by_token[token]
