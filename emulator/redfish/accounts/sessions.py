"""SessionService and its sessions: log in, list, log out.

`service.tree` calls `sessions` when a tree is built; operations run in the emulator's thread. The core stores the sessions.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.core.bmc.accounts import AccountSession, AuthResult
from emulator.core.faults.fault import LoginPoint
from emulator.core.faults.trigger import Intent
from emulator.core.journal import EventKind
from emulator.faults.login.redfish_sessions_full import RedfishSessionsFull
from emulator.redfish.accounts.auth import challenge_of, demand, own_account
from emulator.redfish.service.bmc import RedfishBmc
from emulator.redfish.service.call import (
    HttpAnswer,
    ProfileRefusal,
    ProfileReply,
    RedfishCall,
    RegistryError,
    RegistryMessage,
    ResourceBody,
    shown,
)
from emulator.redfish.service.paths import ROOT
from emulator.redfish.service.resource import (
    Operation,
    RedfishPrivilege,
    Resource,
    collection_body,
    content_of,
    fixed_content,
    head_of,
    link,
)
from emulator.redfish.service.shapes import Json
from emulator.redfish.service.writable import BooleanRule, IntegerRule, WritableFields, patch
from profiles.model import Profile

SERVICE: Final = f"{ROOT}/SessionService"
SESSIONS: Final = f"{SERVICE}/Sessions"
SERVICE_TYPE: Final = "#SessionService.v1_1_8.SessionService"
SESSION_TYPE: Final = "#Session.v1_1_1.Session"
COLLECTION_TYPE: Final = "#SessionCollection.SessionCollection"
_CREDENTIALS: Final = ("UserName", "Password")
_TIMEOUT_RANGE: Final = (30, 86_400)  # seconds; the range of SessionService.SessionTimeout in the schema


FIELDS: Final[WritableFields] = {
    "SessionTimeout": IntegerRule(low=_TIMEOUT_RANGE[0], high=_TIMEOUT_RANGE[1]),
    "ServiceEnabled": BooleanRule(),
}


class SessionServiceState(NamedTuple):
    """What a client may change of the SessionService."""

    enabled: bool
    timeout_s: float


def _service_state(call: RedfishCall) -> SessionServiceState:
    return SessionServiceState(call.view.session_service_enabled, call.view.session_timeout)


def _session_ids(call: RedfishCall) -> tuple[str, ...]:
    return tuple(session.id for session in call.view.sessions())


def sessions(profile: Profile) -> tuple[Resource, ...]:
    def service(view: RedfishBmc, state: SessionServiceState) -> Json:
        low, high = _TIMEOUT_RANGE
        return head_of(SERVICE, SERVICE_TYPE, "SessionService", "Session Service") | {
            "Status": {"State": "Enabled" if state.enabled else "Disabled", "Health": "OK"},
            "ServiceEnabled": state.enabled,
            "SessionTimeout": min(max(int(state.timeout_s), low), high),
            "Sessions": link(SESSIONS),
        }

    def listing(view: RedfishBmc, ids: tuple[str, ...]) -> Json:
        members = tuple(f"{SESSIONS}/{session_id}" for session_id in ids)
        return collection_body(SESSIONS, COLLECTION_TYPE, "Session Collection", members)

    return (
        Resource(
            path=SERVICE,
            type=SERVICE_TYPE,
            content=content_of(_service_state, service),
            operations={"PATCH": patch(RedfishPrivilege.CONFIGURE_MANAGER, FIELDS, _set)},
        ),
        Resource(
            path=SESSIONS,
            type=COLLECTION_TYPE,
            content=content_of(_session_ids, listing),
            operations={"POST": Operation(None, _log_in, Intent.LOGIN)},
            member=_member,
        ),
    )


def _set(call: RedfishCall, taken: Json) -> None:
    seconds, enabled = taken.get("SessionTimeout"), taken.get("ServiceEnabled")
    if isinstance(seconds, int):
        call.view.set_session_timeout(seconds, call.seq)
    if isinstance(enabled, bool):
        call.view.session_service_enabled = enabled


def _member(view: RedfishBmc, session_id: str) -> Resource | None:
    session = next((s for s in view.sessions() if s.id == session_id), None)
    if session is None:
        return None
    shown_as = _session_body(session)
    return Resource(
        path=f"{SESSIONS}/{session_id}",
        type=SESSION_TYPE,
        content=fixed_content(lambda view: shown_as),
        operations={"DELETE": Operation(RedfishPrivilege.CONFIGURE_SELF, _log_out, Intent.LOGOUT)},
        cached=False,
    )


def _session_body(session: AccountSession) -> Json:
    head = head_of(f"{SESSIONS}/{session.id}", SESSION_TYPE, session.id, "User Session")
    return head | {"UserName": session.user}


def _log_in(call: RedfishCall) -> ResourceBody:
    profile = call.view.profile
    name, password = _credentials(call.json_object())
    if not call.view.session_service_enabled:
        raise RegistryError(503, "ServiceDisabled", SERVICE)
    result, account = call.view.verify(name, password, call.incoming.address, "redfish-session", call.seq, call.request)
    if result is not AuthResult.OK or account is None:
        call.late_s = call.view.login_late_s
        challenge = challenge_of(profile)
        if profile.auth.bad_login is not None:
            raise ProfileRefusal(ProfileReply(profile.auth.bad_login, headers=challenge))
        raise RegistryError(401, "ResourceAtUriUnauthorized", SESSIONS, "Unauthorized", headers=challenge)
    full = call.view.login_fault(LoginPoint.SESSIONS_FULL, account.name, call.request, call.seq)
    if full is not None:
        call.view.record(EventKind.SESSION, call.seq, what="refused: table full", user=account.name)
        if isinstance(full, RedfishSessionsFull) and full.reply is not None:
            raise ProfileRefusal(ProfileReply(full.reply))
    session = call.view.open_session(account, call.seq) if full is None else None
    if session is None:
        if profile.auth.sessions.on_full is not None:
            raise ProfileRefusal(ProfileReply(profile.auth.sessions.on_full))
        raise RegistryError(503, "SessionLimitExceeded")
    path = f"{SESSIONS}/{session.id}"
    expired = account.must_change or call.view.login_fault(LoginPoint.EXPIRED, account.name, call.request, call.seq) is not None
    messages = (RegistryMessage("PasswordChangeRequired", (own_account(account.name),)),) if expired else ()
    return ResourceBody(path, 201, (("Location", _location(call, path)), ("X-Auth-Token", session.token)), messages)


def _location(call: RedfishCall, path: str) -> str:
    """The path of a session as this vendor names it. A client that sends no Host gets the path."""
    host = call.incoming.headers.get("host", "")
    is_url = call.view.profile.auth.sessions.location == "url" and host
    return f"{call.incoming.scheme}://{host}{path}" if is_url else path


def _credentials(body: Json) -> tuple[str, str]:
    """User name and password of a log-in. Raises RegistryError (400). Messages never repeat the password."""
    for key in body:
        if key not in _CREDENTIALS and not key.startswith("@odata."):
            raise RegistryError(400, "PropertyUnknown", shown(key), related=(f"#/{shown(key)}",))
    for key in _CREDENTIALS:
        if key not in body:
            raise RegistryError(400, "CreateFailedMissingReqProperties", key, related=(f"#/{key}",))
        if not isinstance(body[key], str):
            raise RegistryError(400, "PropertyValueTypeError", "******", key, related=(f"#/{key}",))
    return str(body["UserName"]), str(body["Password"])


def _log_out(call: RedfishCall) -> HttpAnswer:
    session_id = call.incoming.path.rstrip("/").rpartition("/")[2]
    session = next(s for s in call.view.sessions() if s.id == session_id)
    if session.user != call.user.user:
        demand(call, RedfishPrivilege.CONFIGURE_MANAGER)
    call.view.close_session(session_id, call.seq)
    return HttpAnswer(204)
