"""One BMC on UDP port 623: datagrams in, datagrams out.

Rules
  1. No socket, no thread, no clock: whoever owns the socket hands datagrams in, and the time is the view's.
  2. Nothing that a stranger sends raises, and nothing that is malformed is answered. It is counted, by reason.
  3. A session belongs to this BMC and is found by its id alone (`sessions`); no state is shared between two BMCs.
  4. Every request meets the protocol faults once, before anything else is done about it.

Duplicates
  A datagram that comes twice (same session sequence number) is dropped. A client that repeats itself because it heard no answer
  uses a new sequence number; then the command runs twice, as it does on hardware.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from emulator.core.clock import Instant
from emulator.core.errors import EmulatorError
from emulator.core.fault import Request, Seam
from emulator.core.journal import Kind
from emulator.core.naming import derived_uuid
from emulator.core.view import BmcView
from emulator.core.vocab import CompletionCode
from emulator.faults.protocol import Completion, Silence
from emulator.ipmi import rmcp
from emulator.ipmi.call import Bmc, Call, Command, Origin, Refused
from emulator.ipmi.commands import COMMANDS, name_of
from emulator.ipmi.handshake import HalfOpen
from emulator.ipmi.lan15 import ACTIVATE_SESSION, AuthType, Challenge, offered_beside
from emulator.ipmi.login import Login
from emulator.ipmi.login15 import authenticate
from emulator.ipmi.rmcp import Lan15, Malformed, Message, Ping, RmcpPlus
from emulator.ipmi.sessions import Limits, Peer, Session, SessionTable
from emulator.ipmi.state import IpmiState
from emulator.ipmi.suites import enabled

P = TypeVar("P", bound=Peer)

INVALID_FOR_LUN = 0xC2


def guid_of(view: BmcView) -> bytes:
    """The UUID that Redfish shows for the first system, in IPMI's order: last byte first (20.8)."""
    text = view.first_system().uuid
    try:
        known = uuid.UUID(text)
    except ValueError:  # a profile whose service shows none, or not in the usual form
        known = uuid.UUID(derived_uuid("random", f"ipmi/{view.name}"))
    return known.bytes[::-1]


def admitted(message: Message, row: Command | None, session: Session | None) -> Callable[[Call], bytes]:
    """The handler of a request that may be executed. Raises Refused."""
    if message.lun:
        raise Refused(INVALID_FOR_LUN)
    if row is None:
        raise Refused(CompletionCode.INVALID_COMMAND)
    if session is not None and session.privilege < row.privilege:
        raise Refused(CompletionCode.INSUFFICIENT_PRIVILEGE)
    fewest, most = row.length
    if not fewest <= len(message.data) <= most:
        raise Refused(CompletionCode.INVALID_LENGTH)
    return row.run


class IpmiResponder:
    """Answers for one BMC.

    `entropy(n)` gives n unpredictable bytes, for session ids and challenges. `kg` is the BMC's own key, where one is set.
    `drops` counts what was not answered, by reason.
    """

    __slots__ = ("_bmc", "_login", "_view", "drops", "sessions")

    def __init__(
        self,
        view: BmcView,
        *,
        entropy: Callable[[int], bytes],
        kg: bytes | None = None,
        auth_types: frozenset[AuthType] | None = None,
        limits: Limits | None = None,
    ) -> None:
        """`auth_types` are those of IPMI 1.5 (none given: what goes with the cipher suites; empty: no 1.5 at all).

        Raises ValueError for a profile with cipher suites that are not spoken here.
        """
        suites = enabled(view.profile.ipmi.cipher_suites)
        self.sessions: SessionTable[HalfOpen | Challenge] = SessionTable(limits or Limits(), entropy)
        self.drops: Counter[str] = Counter()
        self._view = view
        self._bmc = Bmc(
            view=view,
            state=IpmiState(),
            sessions=self.sessions,
            suites=suites,
            auth_types=offered_beside(suites) if auth_types is None else auth_types,
            guid=guid_of(view),
            kg=kg,
        )
        self._login = Login(self._bmc)

    def receive(self, data: bytes, peer: P) -> list[tuple[bytes, P]]:
        """The answers to a datagram, usually one or none, with the address that each goes to."""
        self._view.advance()
        if not self._view.ipmi_lan:
            return []
        self.reap(self._view.now)
        try:
            datagram = rmcp.parse(data)
            reply = self._route(datagram, peer)
        except Malformed as reason:
            self._drop(str(reason))
            return []
        return [] if reply is None else [(reply, peer)]

    def reap(self, now: Instant) -> None:
        """Ends what has been silent for too long. `receive` does it too; call it where a BMC may hear nothing for long."""
        for session in self.sessions.reap(now):
            self._view.record(
                Kind.SESSION, None, what="expired", via="ipmi", user=session.account.name, live=len(self.sessions.live)
            )

    def _drop(self, reason: str) -> None:
        self.drops[reason] += 1
        seen = self.drops[reason]
        if str(seen).strip("0") == "1":  # 1, 10, 100, ...: a flood leaves a trace and does not drown the journal
            self._view.record(Kind.WIRE, None, protocol="ipmi", what="dropped", reason=reason, times=seen)

    # -- what kind of datagram -----------------------------------------------------------------------------------------

    def _route(self, datagram: Ping | Lan15 | RmcpPlus, peer: Peer) -> bytes | None:
        match datagram:
            case Ping():
                return rmcp.pong(datagram)
            case RmcpPlus(payload_type=kind, payload=body) if kind != rmcp.PAYLOAD_IPMI:
                return self._login.answer(kind, body, peer)
            case RmcpPlus(session_id=rmcp.NO_SESSION) | Lan15(session_id=rmcp.NO_SESSION):
                return self._sessionless(datagram, peer)
            case _:
                return self._in_session(datagram, peer)

    def _sessionless(self, datagram: Lan15 | RmcpPlus, peer: Peer) -> bytes | None:
        message = rmcp.parse_message(datagram.payload)
        row = COMMANDS.get((message.netfn, message.command))
        if row is None or not row.sessionless:
            raise Malformed("a command that needs a session, without one")
        end = self._execute(message, Origin(peer=peer))
        if end is None:
            return None
        payload = rmcp.answer(message, *end)
        return rmcp.lan15(payload) if isinstance(datagram, Lan15) else rmcp.rmcp_plus(rmcp.PAYLOAD_IPMI, payload)

    def _in_session(self, datagram: Lan15 | RmcpPlus, peer: Peer) -> bytes | None:
        session = self.sessions.live.get(datagram.session_id)
        half = self.sessions.half_open.get(datagram.session_id)
        if isinstance(half, Challenge) and isinstance(datagram, Lan15):
            return self._activate(datagram, half, peer)
        if session is None:
            raise Malformed("a session that does not exist here")
        message = session.link.open(datagram)
        if message is None:
            raise Malformed("a replay")
        self.sessions.touch(session, peer, self._view.now)
        end = self._execute(message, Origin(peer=peer, session=session))
        return None if end is None else session.link.seal(message, *end)

    def _activate(self, datagram: Lan15, challenge: Challenge, peer: Peer) -> bytes | None:
        message = rmcp.parse_message(datagram.payload)
        if (message.netfn, message.command) != ACTIVATE_SESSION:
            raise Malformed("a command in a session that was not activated")
        self.sessions.forget(challenge)  # one try for each challenge
        authenticate(self._view, challenge, datagram, peer)
        end = self._execute(message, Origin(peer=peer, challenge=challenge))
        return None if end is None else challenge.link.seal(message, *end)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _execute(self, message: Message, origin: Origin) -> tuple[int, bytes] | None:
        """(completion code, response data); None where a fault swallows the request or its answer."""
        row = COMMANDS.get((message.netfn, message.command))
        request = Request(
            protocol="ipmi",
            method="IPMI",
            path=name_of(message.netfn, message.command),
            system=self._view.first_system().id,
            reset=row.reset(message.data) if row else None,
        )
        user = origin.session.account.name if origin.session else None
        cause = self._view.record(
            Kind.REQUEST, None, protocol=request.protocol, method=request.method, path=request.path, system=request.system,
            reset=request.reset, user=user,
        )  # fmt: skip
        fault = next((f for f in self._view.faults(Seam.PROTOCOL, request, cause) if isinstance(f, Completion | Silence)), None)
        code, data = int(CompletionCode.OK), b""
        if fault is None or fault.executed:
            try:
                run = admitted(message, row, origin.session)
                data = run(Call(bmc=self._bmc, origin=origin, data=message.data, request=request, cause=cause))
            except (Refused, EmulatorError) as refusal:
                code = refusal.completion_code
        match fault:
            case Silence():
                return None
            case Completion(code=instead):
                code = instead
        self._view.record(Kind.RESPONSE, cause, protocol="ipmi", completion_code=code)
        return code, b"" if code else data
