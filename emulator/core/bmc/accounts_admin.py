"""Creates, changes and deletes accounts, with the rules that hold for every protocol and profile.

`AccountsView` calls it for Redfish's AccountService and IPMI's user commands, in the emulator's one thread.

Rules
  1. The last enabled administrator can be neither deleted nor disabled nor given a lower role: nobody could log in again.
  2. An account keeps its IPMI user id until it is deleted.
  3. A change is made as a whole or not at all. `AccountsView` ends the sessions that must end with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal, TypeAlias

from emulator.core.bmc.accounts import FIRST_SLOT, LAST_SLOT, Accounts, LocalAccount
from emulator.core.errors import EmulatorError

Role: TypeAlias = Literal["Administrator", "Operator", "ReadOnly"]

PRIVILEGE_OF_ROLE: dict[Role, int] = {"Administrator": 4, "Operator": 3, "ReadOnly": 2}
"""IPMI 2.0, table 22-27: ADMINISTRATOR, OPERATOR, USER."""

ROLE_OF_PRIVILEGE: dict[int, Role] = {privilege: role for role, privilege in PRIVILEGE_OF_ROLE.items()} | {1: "ReadOnly"}
"""CALLBACK gets the lowest role. NO ACCESS (Fh) is not a role: disable the account instead."""


class Wrong(StrEnum):
    """Why an account was refused. Front ends choose their message by it."""

    NAME_TAKEN = "name-taken"
    BAD_NAME = "bad-name"
    BAD_PASSWORD = "bad-password"
    BAD_ROLE = "bad-role"
    BAD_SLOT = "bad-slot"
    LAST_ADMINISTRATOR = "last-administrator"
    FULL = "full"
    UNKNOWN = "unknown"


class AccountRefused(EmulatorError):
    """The client asked for an account that is not allowed. `wrong` says why; the text never contains a password."""

    http_status = 400
    completion_code = 0xCC

    def __init__(self, wrong: Wrong, text: str) -> None:
        super().__init__(text)
        self.wrong = wrong
        if wrong is Wrong.UNKNOWN:
            self.http_status = 404
        elif wrong is Wrong.LAST_ADMINISTRATOR:
            self.http_status, self.completion_code = 403, 0xD6
        elif wrong is Wrong.FULL:
            self.completion_code = 0xC4


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountLimits:
    """How many accounts a BMC has, and how many bytes of UTF-8 a name and a password may have."""

    accounts: int = 15
    name_max: int = 64
    password_min: int = 1
    password_max: int = 127


LIMITS = AccountLimits()


def create(
    accounts: Accounts,
    name: str,
    password: str,
    role: str,
    *,
    enabled: bool = True,
    must_change: bool = False,
    slot: int | None = None,
    limits: AccountLimits = LIMITS,
) -> LocalAccount:
    """Adds an account. `slot` None takes the lowest free IPMI user id. Only a disabled account may have an empty password (IPMI
    clients name a user before they set its password). Raises AccountRefused."""
    if len(accounts) >= limits.accounts:
        raise AccountRefused(Wrong.FULL, f"there are {limits.accounts} accounts already")
    _check_name(accounts, name, limits)
    if slot is not None and (not FIRST_SLOT <= slot <= LAST_SLOT or accounts.in_slot(slot) is not None):
        raise AccountRefused(Wrong.BAD_SLOT, f"user id {slot} is not free")
    account = LocalAccount(
        name=name,
        password=_password(password, enabled, limits),
        role=_role(role),
        enabled=enabled,
        must_change=must_change,
        slot=accounts.free_slot() if slot is None else slot,
    )
    accounts.put(account)
    return account


def change(
    accounts: Accounts,
    name: str,
    *,
    new_name: str | None = None,
    password: str | None = None,
    role: str | None = None,
    enabled: bool | None = None,
    must_change: bool | None = None,
    limits: AccountLimits = LIMITS,
) -> LocalAccount:
    """Changes what is not None. A new password ends `must_change`, unless that is given too.

    Raises AccountRefused; nothing has changed then.
    """
    old = existing(accounts, name)
    new = old
    if new_name is not None and new_name != name:
        _check_name(accounts, new_name, limits)
        new = replace(new, name=new_name)
    if role is not None:
        new = replace(new, role=_role(role))
    if enabled is not None:
        new = replace(new, enabled=enabled)
    if password is not None:
        new = replace(new, password=password, must_change=False)
    if must_change is not None:
        new = replace(new, must_change=must_change)
    if password is not None or enabled:
        _password(new.password, new.enabled, limits)
    if not _administers(new):
        _keep_an_administrator(accounts, old)
    accounts.put(new, instead_of=name)
    if new.name != name:
        accounts.unlock(name)
    return new


def delete(accounts: Accounts, name: str) -> LocalAccount:
    """Removes an account and returns it. Raises AccountRefused."""
    account = existing(accounts, name)
    _keep_an_administrator(accounts, account)
    accounts.remove(name)
    return account


def existing(accounts: Accounts, name: str) -> LocalAccount:
    """The account of that name. Raises AccountRefused (UNKNOWN)."""
    account = accounts.get(name)
    if account is None:
        raise AccountRefused(Wrong.UNKNOWN, "there is no such account")
    return account


def _administers(account: LocalAccount) -> bool:
    return account.enabled and account.role == "Administrator"


def _keep_an_administrator(accounts: Accounts, going: LocalAccount) -> None:
    if _administers(going) and not any(_administers(other) for other in accounts if other.name != going.name):
        raise AccountRefused(Wrong.LAST_ADMINISTRATOR, "the last enabled administrator must stay one")


def _check_name(accounts: Accounts, name: str, limits: AccountLimits) -> None:
    if not 0 < len(name.encode()) <= limits.name_max or not name.isprintable() or ":" in name:
        raise AccountRefused(Wrong.BAD_NAME, f"a user name has 1 to {limits.name_max} printable bytes and no colon")
    if accounts.get(name) is not None:
        raise AccountRefused(Wrong.NAME_TAKEN, f"there is an account {name!r} already")


def _password(password: str, enabled: bool, limits: AccountLimits) -> str:
    size = len(password.encode())
    if not (size == 0 and not enabled) and not limits.password_min <= size <= limits.password_max:
        raise AccountRefused(
            Wrong.BAD_PASSWORD, f"a password has {limits.password_min} to {limits.password_max} bytes, not {size}"
        )
    return password


def _role(word: str) -> Role:
    for role in PRIVILEGE_OF_ROLE:
        if role == word:
            return role
    raise AccountRefused(Wrong.BAD_ROLE, f"there is no role {word!r}")
