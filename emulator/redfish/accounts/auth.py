"""Who sends a request, and what the role of that user allows.

`service.service` calls it for each request, in the emulator's thread.

Rules
  1. A wrong password, an unknown user and a locked account get the same answer.
  2. Secrets stay in this module. The journal gets only the names of users that exist.
  3. Wrong credentials are answered before any condition on the resource is checked (401, not 304).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from emulator.core.bmc.accounts import AccountSession, AuthResult
from emulator.core.bmc.view import BmcView
from emulator.core.faults.fault import LoginPoint
from emulator.core.journal import Datum
from emulator.redfish.service.call import (
    HeaderList,
    Incoming,
    ProfileRefusal,
    ProfileReply,
    RedfishCall,
    RegistryError,
    RequestUser,
)
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import RedfishPrivilege
from profiles.model import Profile

PRIVILEGES: Final[Mapping[str, frozenset[RedfishPrivilege]]] = {
    "Administrator": frozenset(RedfishPrivilege),
    "Operator": frozenset({RedfishPrivilege.LOGIN, RedfishPrivilege.CONFIGURE_COMPONENTS, RedfishPrivilege.CONFIGURE_SELF}),
    "ReadOnly": frozenset({RedfishPrivilege.LOGIN, RedfishPrivilege.CONFIGURE_SELF}),
}
"""The privileges of each predefined role of DSP0266."""


class AuthMethod(StrEnum):
    NONE = "none"
    BASIC = "basic"
    SESSION = "session"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials in the headers, not yet verified. `name` and `password` are text from the client and may be anything."""

    method: AuthMethod
    session: AccountSession | None = None
    name: str = ""
    password: str = ""

    def journal_facts(self, view: BmcView, *, in_clear: bool) -> dict[str, Datum]:
        """What the journal's request event says of them. `in_clear`: they came over plain HTTP."""
        told: dict[str, Datum] = {"auth": self.method, "user": self._journal_name(view)}
        return told | {"tls": False} if in_clear else told

    def _journal_name(self, view: BmcView) -> str | None:
        if self.session is not None:
            return self.session.user
        return self.name if view.account(self.name) is not None else None


def credentials_of(view: BmcView, incoming: Incoming) -> Credentials:
    """The credentials of a request. If a client sends a token and Basic, the token counts."""
    token = incoming.headers.get("x-auth-token")
    if token is not None:
        return Credentials(AuthMethod.SESSION, session=view.use_session(token))
    header = incoming.headers.get("authorization", "")
    scheme, _, value = header.partition(" ")
    if scheme.lower() != "basic":
        return Credentials(AuthMethod.NONE)
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return Credentials(AuthMethod.BASIC)
    return Credentials(AuthMethod.BASIC, name=name, password=password) if colon else Credentials(AuthMethod.BASIC)


def authenticate(call: RedfishCall, credentials: Credentials, profile: Profile) -> RequestUser:
    """The verified user. Raises the answer to a client without valid credentials (RegistryError 401 or ProfileRefusal)."""
    if credentials.session is not None:
        if call.view.login_fault(LoginPoint.TOKEN, credentials.session.user, call.request, call.seq) is None:
            return RequestUser(credentials.session.user, credentials.session.role, credentials.session.id)
        call.view.close_session(credentials.session.id, call.seq)
    if credentials.method is AuthMethod.BASIC and profile.auth.basic:
        result, account = call.view.verify(
            credentials.name, credentials.password, call.incoming.address, "redfish", call.seq, call.request
        )
        if result is AuthResult.OK and account is not None:
            return RequestUser(account.name, account.role)
        call.late_s = call.view.login_late_s
    raise unauthenticated(profile, credentials.method, call.incoming.path)


def own_account(name: str) -> str:
    """The path of an account."""
    return f"{ROOT}/AccountService/Accounts/{quote(name, safe='')}"


def check_password_age(call: RedfishCall) -> None:
    """Raises RegistryError (403) if the user must first change the password (DSP0266 13.2.6).

    Such a user may only read the own account, change its password, and log out.
    """
    account = call.view.account(call.user.user)
    if account is None or not (account.must_change or call.view.has_faults):
        return
    own = own_account(account.name)
    path = quote(call.incoming.path.rstrip("/"))
    if path == own and call.incoming.method in ("GET", "HEAD", "PATCH"):
        return
    if call.incoming.method == "DELETE" and path == f"{ROOT}/SessionService/Sessions/{call.user.session}":
        return
    if not account.must_change and call.view.login_fault(LoginPoint.EXPIRED, account.name, call.request, call.seq) is None:
        return
    raise RegistryError(403, "PasswordChangeRequired", own)


def unauthenticated(profile: Profile, method: AuthMethod, path: str) -> RegistryError | ProfileRefusal:
    challenge = challenge_of(profile)
    if profile.auth.no_auth is not None:
        return ProfileRefusal(ProfileReply(profile.auth.no_auth, headers=challenge))
    if method is AuthMethod.NONE:
        return RegistryError(401, "NoValidSession", headers=challenge)
    return RegistryError(401, "ResourceAtUriUnauthorized", path, "Unauthorized", headers=challenge)


def challenge_of(profile: Profile) -> HeaderList:
    """The challenge that RFC 9110 11.6.1 requires with every 401. Without Basic, it asks for a session token."""
    scheme = 'Basic realm="RedfishService"' if profile.auth.basic else 'X-Auth-Token realm="RedfishService"'
    return (("WWW-Authenticate", scheme),)


def holds(user: RequestUser, privilege: RedfishPrivilege) -> bool:
    return privilege in PRIVILEGES[user.role]


def demand(call: RedfishCall, privilege: RedfishPrivilege) -> None:
    """Raises RegistryError (403) if the user lacks this privilege."""
    if not holds(call.user, privilege):
        raise RegistryError(403, "InsufficientPrivilege")
