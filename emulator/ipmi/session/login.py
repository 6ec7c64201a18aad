"""The login of RMCP+: checks each handshake message against the BMC's accounts, lockout and limits, and opens the session.

The responder calls `RakpLogin.answer` for each handshake message, in the emulator's one thread.

What a client is told (IPMI 2.0, table 13-15)
  An unknown user, or a privilege that the user does not have, is refused in RAKP 2; a wrong password in RAKP 4. These answers
  come at once, because a client waits seven to twenty seconds for an answer that does not come. A locked user gets the same
  answer as a wrong password.
"""

from __future__ import annotations

from emulator.core.bmc.accounts import AuthResult, LocalAccount
from emulator.core.bmc.view import BmcView
from emulator.core.faults.fault import LoginPoint, Seam
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.journal import EventKind
from emulator.faults.protocol import Completion, Silence, answer_instead
from emulator.ipmi.call import IpmiBmc
from emulator.ipmi.session import handshake, rmcp
from emulator.ipmi.session.codec import RmcpPlusLink
from emulator.ipmi.session.handshake import HIGHEST_ROLE, MAX_NAME, MAX_PASSWORD, Rakp1, Rakp3, RakpHalfOpen
from emulator.ipmi.session.rmcp import Malformed
from emulator.ipmi.session.sessions import FIRST_PRIVILEGE, PRIVILEGE_OF_ROLE, IpmiPrivilege, LanSession, Peer
from emulator.ipmi.session.suites import CipherSuite, RmcpStatus, choose, level_of, usable
from emulator.ipmi.state import IpmiState

NAMES = {rmcp.PAYLOAD_OPEN_REQUEST: "open-session", rmcp.PAYLOAD_RAKP1: "rakp1", rmcp.PAYLOAD_RAKP3: "rakp3"}
"""The names of the handshake messages in faults."""

ANSWERED_WITH = {
    rmcp.PAYLOAD_OPEN_REQUEST: rmcp.PAYLOAD_OPEN_RESPONSE,
    rmcp.PAYLOAD_RAKP1: rmcp.PAYLOAD_RAKP2,
    rmcp.PAYLOAD_RAKP3: rmcp.PAYLOAD_RAKP4,
}


def ipmi_user(view: BmcView, state: IpmiState, name: bytes, longest: int) -> LocalAccount | None:
    """The account that may log in with a name. None: there is none, or its password has more than `longest` bytes."""
    account = view.account(name.decode("utf-8", "replace"))
    if account is None or not account.over_ipmi or account.slot in state.no_messaging:
        return None
    return account if len(account.password.encode()) <= longest else None


class RakpLogin:
    """The handshakes of one BMC."""

    __slots__ = ("_bmc", "_guid", "_sessions", "_state", "_strangers", "_suites", "_system", "_view")

    def __init__(self, bmc: IpmiBmc) -> None:
        self._view = bmc.view
        self._sessions = bmc.sessions
        self._suites = bmc.suites
        self._guid = bmc.guid
        self._bmc = bmc
        self._state = bmc.state
        self._strangers = bmc.strangers
        self._system = bmc.view.first_id

    def answer(self, kind: int, body: bytes, peer: Peer) -> bytes | None:
        """The datagram that answers a handshake message. Raises Malformed."""
        if kind not in NAMES:
            raise Malformed("a payload that no client sends outside of a session")
        if len(body) < 8:
            raise Malformed(f"{NAMES[kind]} is cut off")
        request = ClientRequest("ipmi", "IPMI", NAMES[kind], self._system, None, Intent.LOGIN)
        fault = answer_instead(self._view.faults(Seam.PROTOCOL, request))
        reply: bytes | None = None
        if fault is None or fault.executed:
            reply = self._dispatch(kind, body, peer)
        match fault:
            case Silence():
                return None
            case Completion(code=status):
                return rmcp.rmcp_plus(ANSWERED_WITH[kind], handshake.status_answer(body[0], status, self._console_of(kind, body)))
        return None if reply is None else rmcp.rmcp_plus(ANSWERED_WITH[kind], reply)

    def _dispatch(self, kind: int, body: bytes, peer: Peer) -> bytes | None:
        match kind:
            case rmcp.PAYLOAD_OPEN_REQUEST:
                return self._open(body)
            case rmcp.PAYLOAD_RAKP1:
                return self._rakp1(handshake.parse_rakp1(body), peer)
            case _:
                return self._rakp3(handshake.parse_rakp3(body), body, peer)

    def _console_of(self, kind: int, body: bytes) -> bytes:
        if kind == rmcp.PAYLOAD_OPEN_REQUEST:
            return body[4:8]
        half = self._sessions.half_open.get(body[4:8])
        return half.console_id if isinstance(half, RakpHalfOpen) else rmcp.NO_SESSION

    # -- open session --------------------------------------------------------------------------------------------------

    def _open(self, body: bytes) -> bytes:
        request = handshake.parse_open_request(body)
        if -1 in request.proposal:
            return handshake.status_answer(request.tag, RmcpStatus.ILLEGAL_PARAMETER, request.console_id)
        if request.wants > HIGHEST_ROLE:
            return handshake.status_answer(request.tag, RmcpStatus.INVALID_ROLE, request.console_id)
        levels = self._state.suite_levels
        suite = choose(usable(self._suites, levels), request.proposal)
        if not isinstance(suite, CipherSuite):
            return handshake.status_answer(request.tag, suite, request.console_id)
        if self._sessions.full or self._interferes(LoginPoint.SESSIONS_FULL, "", rmcp.PAYLOAD_OPEN_REQUEST):
            return handshake.status_answer(request.tag, RmcpStatus.INSUFFICIENT_RESOURCES, request.console_id)
        limit = min(level_of(suite, levels), self._state.access[1], request.wants or HIGHEST_ROLE)
        half = RakpHalfOpen(
            id=self._sessions.fresh_id(), console_id=request.console_id, suite=suite, since=self._view.now, limit=limit
        )
        self._sessions.begin(half)
        return handshake.open_response(request, half)

    # -- RAKP ----------------------------------------------------------------------------------------------------------

    def _rakp1(self, rakp1: Rakp1, peer: Peer) -> bytes:
        half = self._sessions.half_open.get(rakp1.managed_id)
        if not isinstance(half, RakpHalfOpen):
            return handshake.status_answer(rakp1.tag, RmcpStatus.INVALID_SESSION_ID, rmcp.NO_SESSION)
        if rakp1.name_length > MAX_NAME or len(rakp1.name) != rakp1.name_length:
            return handshake.status_answer(rakp1.tag, RmcpStatus.INVALID_NAME_LENGTH, half.console_id)
        account = self._ipmi_user(rakp1.name)
        if account is None:
            self._sessions.forget(half)
            self._note_unknown(rakp1.name, peer)
            return handshake.status_answer(rakp1.tag, RmcpStatus.UNAUTHORIZED_NAME, half.console_id)
        if rakp1.wants > HIGHEST_ROLE:
            self._sessions.forget(half)
            return handshake.status_answer(rakp1.tag, RmcpStatus.INVALID_ROLE, half.console_id)
        if rakp1.wants > min(PRIVILEGE_OF_ROLE[account.role], half.limit):
            self._sessions.forget(half)
            return handshake.status_answer(rakp1.tag, RmcpStatus.UNAUTHORIZED_ROLE, half.console_id)
        return handshake.rakp2(half, rakp1, account.password.encode(), self._guid, self._sessions.entropy)

    def _rakp3(self, rakp3: Rakp3, body: bytes, peer: Peer) -> bytes | None:
        if (live := self._sessions.live.get(rakp3.managed_id)) is not None:
            again = live.rakp3_body[1:] == body[1:]  # our RAKP 4 was lost; the tag may be a new one
            return body[:1] + live.rakp4_body[1:] if again else None
        half = self._sessions.half_open.get(rakp3.managed_id)
        if not isinstance(half, RakpHalfOpen) or half.rakp1 is None:
            return handshake.status_answer(rakp3.tag, RmcpStatus.INVALID_SESSION_ID, rmcp.NO_SESSION)
        self._sessions.forget(half)  # every handshake has one try, whether it succeeds or not
        rakp1 = half.rakp1
        account = self._ipmi_user(rakp1.name)
        if account is None:  # deleted since RAKP 1
            return handshake.status_answer(rakp3.tag, RmcpStatus.UNAUTHORIZED_NAME, half.console_id)
        key = account.password.encode()
        locked = self._view.is_locked(account.name, peer[0])
        if locked or self._interferes(LoginPoint.LOCKED, account.name, rmcp.PAYLOAD_RAKP3):
            self._view.record(EventKind.AUTH, None, result=AuthResult.LOCKED, user=account.name, via="ipmi")
            return handshake.status_answer(rakp3.tag, RmcpStatus.INVALID_INTEGRITY_VALUE, half.console_id)
        proved = rakp3.status == RmcpStatus.OK and handshake.proves_password(half, rakp1, rakp3, key)
        self._view.note_auth(account.name, peer[0], "ipmi", ok=proved)
        if rakp3.status != RmcpStatus.OK:
            return None  # the client has refused our RAKP 2, most often because its password is wrong
        if not proved:
            return handshake.status_answer(rakp3.tag, RmcpStatus.INVALID_INTEGRITY_VALUE, half.console_id)
        if not self._sessions.has_room(account):
            return handshake.status_answer(rakp3.tag, RmcpStatus.INSUFFICIENT_RESOURCES, half.console_id)
        keys = handshake.derive_keys(half, rakp1, self._bmc.key or key)
        reply = handshake.rakp4(half, rakp1, rakp3, keys, self._guid)
        link = RmcpPlusLink(keys, half.id, half.console_id)
        self._establish(half, rakp1, account, link, peer, rakp3_body=body, rakp4_body=reply)
        return reply

    def _establish(
        self,
        half: RakpHalfOpen,
        rakp1: Rakp1,
        account: LocalAccount,
        link: RmcpPlusLink,
        peer: Peer,
        *,
        rakp3_body: bytes,
        rakp4_body: bytes,
    ) -> None:
        limit = IpmiPrivilege(min(rakp1.wants or PRIVILEGE_OF_ROLE[account.role], half.limit))
        self._sessions.establish(
            LanSession(
                id=half.id,
                account=account,
                limit=limit,
                link=link,
                peer=peer,
                last_used=self._view.now,
                handle=self._sessions.fresh_handle(),
                auth_type=rmcp.AUTH_RMCP_PLUS,
                privilege=min(limit, FIRST_PRIVILEGE),
                rakp3_body=rakp3_body,
                rakp4_body=rakp4_body,
            )
        )
        self._view.record(
            EventKind.SESSION,
            None,
            what="opened",
            via="ipmi",
            user=account.name,
            cipher_suite=half.suite.id,
            live=len(self._sessions.live),
        )

    def _interferes(self, point: LoginPoint, user: str, message: int) -> bool:
        request = ClientRequest("ipmi", "IPMI", NAMES[message], self._system)
        return self._view.login_fault(point, user, request) is not None

    def _ipmi_user(self, name: bytes) -> LocalAccount | None:
        return ipmi_user(self._view, self._state, name, MAX_PASSWORD)

    def _note_unknown(self, name: bytes, peer: Peer) -> None:
        """Counts an unknown name for a lockout by address only: a name without an account cannot be locked."""
        if self._view.profile.auth.lockout.by == "address":
            self._view.note_auth(name.decode("utf-8", "replace"), peer[0], "ipmi", ok=False)
        elif self._strangers.may_write(self._view.now):
            self._view.record(EventKind.AUTH, None, result=AuthResult.BAD, user=None, via="ipmi")
