"""Get Session Challenge and Activate Session: the login of IPMI 1.5 (IPMI 2.0, 22.16, 22.17).

The command table calls the handlers, the responder calls `authenticate`, in the emulator's one thread.
"""

from __future__ import annotations

from emulator.core.bmc.accounts import AuthResult
from emulator.core.bmc.view import BmcView
from emulator.core.faults.fault import LoginPoint
from emulator.core.faults.trigger import ClientRequest
from emulator.core.journal import EventKind
from emulator.core.vocab import CompletionCode
from emulator.ipmi.call import CompletionError, IpmiCall
from emulator.ipmi.management.channel import EACH_MESSAGE_OFF, auth_types_at
from emulator.ipmi.session.lan15 import MAX_PASSWORD, AuthType, Challenge, Lan15Link
from emulator.ipmi.session.login import ipmi_user
from emulator.ipmi.session.rmcp import Lan15, Malformed
from emulator.ipmi.session.sessions import FIRST_PRIVILEGE, PRIVILEGE_OF_ROLE, IpmiPrivilege, LanSession, Peer

INVALID_USER_NAME = 0x81
NULL_USER_NOT_ENABLED = 0x82
NO_SESSION_SLOT = 0x81
PRIVILEGE_EXCEEDS_LIMIT = 0x86


def get_session_challenge(call: IpmiCall) -> bytes:
    try:
        auth_type = AuthType(call.data[0] & 0x0F)
    except ValueError:
        raise CompletionError(CompletionCode.INVALID_FIELD) from None
    if auth_type not in call.bmc.auth_types:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    name = call.data[1:].rstrip(b"\0")
    if not name:
        raise CompletionError(NULL_USER_NOT_ENABLED)
    account = ipmi_user(call.view, call.state, name, MAX_PASSWORD)
    if account is None:
        if call.bmc.strangers.may_write(call.view.now):
            call.view.record(EventKind.AUTH, call.cause, result=AuthResult.BAD, user=None, via="ipmi")
        raise CompletionError(INVALID_USER_NAME)
    session_id = call.sessions.fresh_id()
    challenge = Challenge(
        id=session_id,
        since=call.view.now,
        account=account,
        text=call.sessions.entropy(16),
        auth_type=auth_type,
        link=Lan15Link(session_id, auth_type, account.password),
    )
    call.sessions.begin(challenge)
    return challenge.id + challenge.text


def authenticate(view: BmcView, challenge: Challenge, datagram: Lan15, peer: Peer) -> None:
    """Checks the code of an activation. Raises Malformed, so that it gets no answer, for a wrong password or a locked user."""
    name = challenge.account.name
    request = ClientRequest("ipmi", "IPMI", "activate-session", view.first_id)
    if view.is_locked(name, peer[0]) or view.login_fault(LoginPoint.LOCKED, name, request) is not None:
        view.record(EventKind.AUTH, None, result=AuthResult.LOCKED, user=name, via="ipmi")
        raise Malformed("an activation by a locked user")
    proved = challenge.link.proves_password(datagram)
    view.note_auth(name, peer[0], "ipmi", ok=proved)
    if not proved:
        raise Malformed("an activation under a wrong password")


def activate_session(call: IpmiCall) -> bytes:
    """Opens the session. It keeps the temporary session id, which the standard allows."""
    challenge = call.origin.challenge
    if challenge is None or call.data[2:18] != challenge.text or call.data[0] & 0x0F != challenge.auth_type:
        raise CompletionError(CompletionCode.INVALID_FIELD)
    role, wanted = PRIVILEGE_OF_ROLE[challenge.account.role], call.data[1] & 0x0F
    if not IpmiPrivilege.CALLBACK <= wanted <= min(role, call.state.access[1]):
        raise CompletionError(PRIVILEGE_EXCEEDS_LIMIT)
    if not auth_types_at(call, wanted) >> challenge.auth_type & 1:
        raise CompletionError(PRIVILEGE_EXCEEDS_LIMIT)
    user = challenge.account.name
    has_room = call.sessions.has_room(challenge.account)
    if not has_room or call.view.login_fault(LoginPoint.SESSIONS_FULL, user, call.request, call.cause) is not None:
        raise CompletionError(NO_SESSION_SLOT)
    limit = IpmiPrivilege(wanted)
    first_in = int.from_bytes(call.sessions.entropy(3), "little") + 1
    unauthenticated = bool(call.state.access[0] & EACH_MESSAGE_OFF)
    challenge.link.start(int.from_bytes(call.data[18:22], "little"), first_in, accept_unauthenticated=unauthenticated)
    call.sessions.establish(
        LanSession(
            id=challenge.id,
            account=challenge.account,
            limit=limit,
            link=challenge.link,
            peer=call.origin.peer,
            last_used=call.view.now,
            handle=call.sessions.fresh_handle(),
            auth_type=challenge.auth_type,
            privilege=min(limit, FIRST_PRIVILEGE),
        )
    )
    call.view.record(
        EventKind.SESSION, call.cause, what="opened", via="ipmi", user=challenge.account.name, auth_type=challenge.auth_type.name,
        live=len(call.sessions.live),
    )  # fmt: skip
    return (
        bytes((AuthType.NONE if unauthenticated else challenge.auth_type,))
        + challenge.id
        + first_in.to_bytes(4, "little")
        + bytes((limit,))
    )
