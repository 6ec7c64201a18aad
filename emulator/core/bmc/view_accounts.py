"""What a front end may do with the accounts of its BMC.

Redfish's AccountService and IPMI's user commands call it, in the emulator's one thread. Every change is journaled without
passwords, and ends the sessions that must end with it.
"""

from __future__ import annotations

from emulator.core.bmc import accounts_admin as admin
from emulator.core.bmc.accounts import LocalAccount
from emulator.core.bmc.unit import Unit
from emulator.core.journal import EventKind
from emulator.core.rack import Rack


class AccountsView:
    """The accounts of one BMC. Every method that changes something may raise AccountRefused, and has changed nothing then."""

    __slots__ = ("_rack", "_unit")

    def __init__(self, rack: Rack, unit: Unit) -> None:
        self._rack = rack
        self._unit = unit

    def all(self) -> tuple[LocalAccount, ...]:
        return tuple(self._unit.accounts)

    def get(self, name: str) -> LocalAccount | None:
        return self._unit.accounts.get(name)

    def in_slot(self, slot: int) -> LocalAccount | None:
        """The account with this IPMI user id (2 to 16)."""
        return self._unit.accounts.in_slot(slot)

    def create(
        self,
        name: str,
        password: str,
        role: str,
        *,
        enabled: bool = True,
        must_change: bool = False,
        slot: int | None = None,
        cause: int | None = None,
    ) -> LocalAccount:
        account = admin.create(self._unit.accounts, name, password, role, enabled=enabled, must_change=must_change, slot=slot)
        self._record("created", account, cause)
        return account

    def change(
        self,
        name: str,
        *,
        new_name: str | None = None,
        password: str | None = None,
        role: str | None = None,
        enabled: bool | None = None,
        must_change: bool | None = None,
        cause: int | None = None,
    ) -> LocalAccount:
        """Changes what is not None. Open sessions take over a new name and role; a disabled account loses its sessions."""
        account = admin.change(
            self._unit.accounts,
            name,
            new_name=new_name,
            password=password,
            role=role,
            enabled=enabled,
            must_change=must_change,
        )
        self._record("changed", account, cause, was=name, password_changed=password is not None)
        if account.enabled:
            for session in self._unit.sessions.all(self._rack.now):
                if session.user == name:
                    session.user, session.role = account.name, account.role
        else:
            self._close_sessions(name, cause)
        return account

    def delete(self, name: str, cause: int | None = None) -> None:
        """Deletes an account and ends its sessions."""
        account = admin.delete(self._unit.accounts, name)
        self._record("deleted", account, cause)
        self._close_sessions(name, cause)

    def unlock(self, name: str, cause: int | None = None) -> None:
        """Ends the lockout of an account."""
        account = admin.existing(self._unit.accounts, name)
        self._unit.accounts.unlock(name)
        self._record("unlocked", account, cause)

    def _record(self, what: str, account: LocalAccount, cause: int | None, **more: str | bool) -> None:
        self._rack.journal.record(
            self._unit.name,
            EventKind.ACCOUNT,
            cause,
            what=what,
            user=account.name,
            role=account.role,
            enabled=account.enabled,
            slot=account.slot,
            **more,
        )

    def _close_sessions(self, user: str, cause: int | None) -> None:
        for session in self._unit.sessions.close_of(user):
            self._rack.journal.record(
                self._unit.name,
                EventKind.SESSION,
                cause,
                what="closed: the account is gone",
                user=user,
                session=session.id,
                live=len(self._unit.sessions),
            )
