"""AccountService: the accounts of the BMC, which also log in over IPMI, and the three predefined roles.

`service.tree` calls `accounts` when a tree is built; operations run in the emulator's thread. The core stores the accounts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from emulator.core.bmc.accounts import LocalAccount
from emulator.core.bmc.accounts_admin import LIMITS, AccountRefused, Wrong
from emulator.redfish.accounts.auth import PRIVILEGES, holds, own_account
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import HttpAnswer, RedfishCall, RegistryError, ResourceBody
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection,
    collection_body,
    content_of,
    fixed_content,
    head_of,
    link,
    version_of,
)
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import (
    BooleanRule,
    IntegerRule,
    OneOfRule,
    TextRule,
    WritableFields,
    WriteOperation,
    new_resource_values,
    patch,
)
from profiles.model import Lockout, Profile

SERVICE: Final = f"{ROOT}/AccountService"
ACCOUNTS: Final = f"{SERVICE}/Accounts"
ROLES: Final = f"{SERVICE}/Roles"
SERVICE_TYPE: Final = "#AccountService.v1_5_0.AccountService"
ACCOUNT_TYPE: Final = "#ManagerAccount.v1_3_0.ManagerAccount"
ROLE_TYPE: Final = "#Role.v1_2_4.Role"
COLLECTION_TYPE: Final = "#ManagerAccountCollection.ManagerAccountCollection"

_NAME: Final = TextRule(low=1, high=LIMITS.name_max, pattern=r"(?!\.{1,2}$|Members$)[A-Za-z0-9!$&'()*+,.=@_-]+")
"""The name is the last segment of the account's path. DSP0266 allows these characters there without percent-encoding."""
_PASSWORD: Final = TextRule(low=LIMITS.password_min, high=LIMITS.password_max, secret=True)
_ROLE: Final = OneOfRule(tuple(PRIVILEGES))
OWN_FIELDS: Final[WritableFields] = {"Password": _PASSWORD}
"""What every user may change of their own account."""
FIELDS: Final[WritableFields] = {
    "UserName": _NAME,
    "Password": _PASSWORD,
    "RoleId": _ROLE,
    "Enabled": BooleanRule(),
    "Locked": BooleanRule(),
    "PasswordChangeRequired": BooleanRule(),
}
LOCKOUT_FIELDS: Final[WritableFields] = {
    "AccountLockoutThreshold": IntegerRule(low=0, high=1000),
    "AccountLockoutDuration": IntegerRule(low=0, high=86_400),
    "AccountLockoutCounterResetAfter": IntegerRule(low=0, high=86_400),
}
_FIELD_OF_WRONG: Final[Mapping[Wrong, str]] = {
    Wrong.BAD_NAME: "UserName",
    Wrong.BAD_PASSWORD: "Password",
    Wrong.BAD_ROLE: "RoleId",
}


def accounts(profile: Profile) -> tuple[Resource, ...]:
    locks_accounts = profile.auth.lockout.by == "account"

    def service(view: RedfishBmc, lockout: Lockout) -> Json:
        return head_of(SERVICE, SERVICE_TYPE, "AccountService", "Account Service") | {
            "Status": {"State": "Enabled", "Health": "OK"},
            "ServiceEnabled": True,
            "MinPasswordLength": LIMITS.password_min,
            "MaxPasswordLength": LIMITS.password_max,
            "AccountLockoutThreshold": lockout.failures if locks_accounts else 0,
            "AccountLockoutDuration": int(lockout.penalty_s) if locks_accounts else 0,
            "AccountLockoutCounterResetAfter": int(lockout.window_s) if locks_accounts else 0,
            "Accounts": link(ACCOUNTS),
            "Roles": link(ROLES),
        }

    def listing(view: RedfishBmc, account_names: tuple[str, ...]) -> Json:
        members = tuple(own_account(name) for name in account_names)
        return collection_body(ACCOUNTS, COLLECTION_TYPE, "Accounts Collection", members)

    names: tuple[str, ...] = tuple(PRIVILEGES)
    rules = {"PATCH": patch(RedfishPrivilege.CONFIGURE_USERS, LOCKOUT_FIELDS, _set_lockout)} if locks_accounts else {}
    return (
        Resource(path=SERVICE, type=SERVICE_TYPE, content=content_of(lambda call: call.view.lockout, service), operations=rules),
        Resource(
            path=ACCOUNTS,
            type=COLLECTION_TYPE,
            content=content_of(lambda call: tuple(account.name for account in call.view.accounts()), listing),
            operations={"POST": Operation(RedfishPrivilege.CONFIGURE_USERS, _create)},
            member=partial(_member, _account_types(profile)),
        ),
        collection(ROLES, "RoleCollection", "Roles Collection", lambda view: tuple(f"{ROLES}/{name}" for name in names)),
        *(_role(name) for name in names),
    )


def _set_lockout(call: RedfishCall, taken: Json) -> None:
    rule = call.view.lockout
    failures, penalty, window = (taken.get(name) for name in LOCKOUT_FIELDS)
    new = replace(
        rule,
        failures=failures if isinstance(failures, int) else rule.failures,
        penalty_s=penalty if isinstance(penalty, int) else rule.penalty_s,
        window_s=window if isinstance(window, int) else rule.window_s,
    )
    if new.failures and new.window_s > new.penalty_s > 0:
        raise RegistryError(400, "PropertyValueConflict", "AccountLockoutCounterResetAfter", "AccountLockoutDuration")
    call.view.set_lockout(new, call.seq)


# -- one account --------------------------------------------------------------------------------------------------------


def _account_types(profile: Profile) -> Json:
    """AccountTypes, which is required from ManagerAccount 1.4 on."""
    version = profile.versions.get("ManagerAccount", ACCOUNT_TYPE.split(".")[1])
    return {"AccountTypes": ["Redfish"]} if version_of(f"#ManagerAccount.{version}.ManagerAccount") >= (1, 4, 0) else {}


def _member(types: Json, view: RedfishBmc, name: str) -> Resource | None:
    account = view.account(name)
    if account is None:
        return None
    path = own_account(name)

    def body(view: RedfishBmc, locked: bool) -> Json:
        return head_of(path, ACCOUNT_TYPE, name, "User Account") | {
            "UserName": name,
            "Password": None,
            "RoleId": account.role,
            "Enabled": account.enabled,
            "Locked": locked,
            "PasswordChangeRequired": account.must_change,
            "Links": {"Role": link(f"{ROLES}/{account.role}")},
            **types,
        }

    def may_read(call: RedfishCall) -> bool:
        user = call.user
        return (
            user.user == name or holds(user, RedfishPrivilege.CONFIGURE_USERS) or holds(user, RedfishPrivilege.CONFIGURE_MANAGER)
        )

    return Resource(
        path=path,
        type=ACCOUNT_TYPE,
        content=content_of(lambda call: call.view.lockout.by == "account" and call.view.is_locked(name, ""), body),
        operations={
            "PATCH": patch(RedfishPrivilege.CONFIGURE_SELF, _fields_for(account), _writes(account)),
            "DELETE": Operation(RedfishPrivilege.CONFIGURE_USERS, _deletes(account)),
        },
        may_read=may_read,
        cached=False,
    )


def _fields_for(account: LocalAccount) -> Callable[[RedfishCall], WritableFields]:
    def fields(call: RedfishCall) -> WritableFields:
        if holds(call.user, RedfishPrivilege.CONFIGURE_USERS):
            return FIELDS
        asked = {name for name in call.json_object() if not name.startswith("@odata.")}
        if call.user.user != account.name or not asked <= OWN_FIELDS.keys():
            raise RegistryError(403, "InsufficientPrivilege")
        return OWN_FIELDS

    return fields


def _writes(account: LocalAccount) -> WriteOperation:
    def write(call: RedfishCall, taken: Json) -> ResourceBody | None:
        if taken.get("Locked") is True and not call.view.is_locked(account.name, ""):
            raise RegistryError(400, "PropertyValueNotInList", "true", "Locked", related=("#/Locked",))
        try:
            after = call.view.users.change(
                account.name,
                new_name=_text(taken, "UserName"),
                password=_text(taken, "Password"),
                role=_text(taken, "RoleId"),
                enabled=_flag(taken, "Enabled"),
                must_change=_flag(taken, "PasswordChangeRequired"),
                cause=call.seq,
            )
        except AccountRefused as refusal:
            raise _refused(refusal, taken) from None
        if taken.get("Locked") is False:
            call.view.users.unlock(after.name, call.seq)
        return None if after.name == account.name else ResourceBody(own_account(after.name))

    return write


def _deletes(account: LocalAccount) -> Callable[[RedfishCall], HttpAnswer]:
    def delete(call: RedfishCall) -> HttpAnswer:
        try:
            call.view.users.delete(account.name, call.seq)
        except AccountRefused:
            raise RegistryError(403, "ResourceCannotBeDeleted") from None
        return HttpAnswer(204)

    return delete


def _create(call: RedfishCall) -> ResourceBody:
    taken = new_resource_values(call.json_object(), FIELDS, ("UserName", "Password", "RoleId"))
    try:
        account = call.view.users.create(
            str(taken["UserName"]),
            str(taken["Password"]),
            str(taken["RoleId"]),
            enabled=taken.get("Enabled") is not False,
            must_change=taken.get("PasswordChangeRequired") is True,
            cause=call.seq,
        )
    except AccountRefused as refusal:
        raise _refused(refusal, taken) from None
    path = own_account(account.name)
    return ResourceBody(path, 201, (("Location", path),))


def _refused(refusal: AccountRefused, taken: Json) -> RegistryError:
    match refusal.wrong:
        case Wrong.NAME_TAKEN:
            return RegistryError(400, "ResourceAlreadyExists", "ManagerAccount", "UserName", str(taken["UserName"]))
        case Wrong.FULL:
            return RegistryError(400, "CreateLimitReachedForResource")
        case Wrong.LAST_ADMINISTRATOR:
            name = "RoleId" if "RoleId" in taken else "Enabled"
            return RegistryError(400, "PropertyValueError", name, related=(f"#/{name}",))
        case _:
            name = _FIELD_OF_WRONG.get(refusal.wrong, "UserName")
            return RegistryError(400, "PropertyValueError", name, related=(f"#/{name}",))


def _text(taken: Json, name: str) -> str | None:
    value = taken.get(name)
    return value if isinstance(value, str) else None


def _flag(taken: Json, name: str) -> bool | None:
    value = taken.get(name)
    return value if isinstance(value, bool) else None


# -- roles --------------------------------------------------------------------------------------------------------------


def _role(name: str) -> Resource:
    path = f"{ROLES}/{name}"
    assigned = [privilege.value for privilege in RedfishPrivilege if privilege in PRIVILEGES[name]]

    def body(view: RedfishBmc) -> Json:
        return head_of(path, ROLE_TYPE, name, "User Role") | {
            "RoleId": name,
            "IsPredefined": True,
            "AssignedPrivileges": assigned,
        }

    return Resource(path=path, type=ROLE_TYPE, content=fixed_content(body))
