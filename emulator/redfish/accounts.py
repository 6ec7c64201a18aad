"""AccountService: the accounts that really can log in, and the three predefined roles."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final
from urllib.parse import quote

from emulator.core.view import BmcView
from emulator.redfish.auth import PRIVILEGES, holds
from emulator.redfish.call import Call, Json
from emulator.redfish.resource import ROOT, Privilege, Resource, collection, collection_body, head_of, link
from profiles.model import Profile

SERVICE: Final = f"{ROOT}/AccountService"
ACCOUNTS: Final = f"{SERVICE}/Accounts"
ROLES: Final = f"{SERVICE}/Roles"
SERVICE_TYPE: Final = "#AccountService.v1_5_0.AccountService"
ACCOUNT_TYPE: Final = "#ManagerAccount.v1_3_0.ManagerAccount"
ROLE_TYPE: Final = "#Role.v1_2_4.Role"
COLLECTION_TYPE: Final = "#ManagerAccountCollection.ManagerAccountCollection"


def accounts(profile: Profile) -> tuple[Resource, ...]:
    lockout = profile.auth.lockout
    by_account = lockout.by == "account" and lockout.failures > 0

    def service(view: BmcView, state: Hashable) -> Json:
        return head_of(SERVICE, SERVICE_TYPE, "AccountService", "Account Service") | {
            "Status": {"State": "Enabled", "Health": "OK"},
            "ServiceEnabled": True,
            "AccountLockoutThreshold": lockout.failures if by_account else 0,
            "AccountLockoutDuration": int(lockout.penalty_s) if by_account else 0,
            "AccountLockoutCounterResetAfter": int(lockout.window_s) if by_account else 0,
            "Accounts": link(ACCOUNTS),
            "Roles": link(ROLES),
        }

    def listing(view: BmcView, state: Hashable) -> Json:
        members = tuple(_path(account.name) for account in view.accounts())
        return collection_body(ACCOUNTS, COLLECTION_TYPE, "Accounts Collection", members)

    names: tuple[str, ...] = tuple(PRIVILEGES)
    return (
        Resource(path=SERVICE, type=SERVICE_TYPE, body=service),
        Resource(
            path=ACCOUNTS,
            type=COLLECTION_TYPE,
            body=listing,
            state=lambda call: tuple(account.name for account in call.view.accounts()),
            member=_member,
        ),
        collection(ROLES, "RoleCollection", "Roles Collection", lambda view: tuple(f"{ROLES}/{name}" for name in names)),
        *(_role(name) for name in names),
    )


def _path(name: str) -> str:
    return f"{ACCOUNTS}/{quote(name, safe='')}"


def _member(view: BmcView, name: str) -> Resource | None:
    account = view.account(name)
    if account is None:
        return None
    path = _path(name)

    def body(view: BmcView, locked: Hashable) -> Json:
        return head_of(path, ACCOUNT_TYPE, name, "User Account") | {
            "UserName": name,
            "Password": None,
            "RoleId": account.role,
            "Enabled": True,
            "Locked": bool(locked),
            "Links": {"Role": link(f"{ROLES}/{account.role}")},
        }

    def may_read(call: Call) -> bool:
        who = call.user
        return who.user == name or holds(who, Privilege.CONFIGURE_USERS) or holds(who, Privilege.CONFIGURE_MANAGER)

    return Resource(
        path=path,
        type=ACCOUNT_TYPE,
        body=body,
        state=lambda call: call.view.profile.auth.lockout.by == "account" and call.view.is_locked(name, ""),
        may_read=may_read,
        kept=False,
    )


def _role(name: str) -> Resource:
    path = f"{ROLES}/{name}"
    assigned = [privilege.value for privilege in Privilege if privilege in PRIVILEGES[name]]

    def body(view: BmcView, state: Hashable) -> Json:
        return head_of(path, ROLE_TYPE, name, "User Role") | {
            "RoleId": name,
            "IsPredefined": True,
            "AssignedPrivileges": assigned,
        }

    return Resource(path=path, type=ROLE_TYPE, body=body)
