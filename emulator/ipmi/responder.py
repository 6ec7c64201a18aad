"""One BMC on UDP port 623: datagrams in, datagrams out.

Rules
  1. No socket, no thread, no clock: whoever owns the socket hands datagrams in, and the time is the view's.
  2. Nothing that a stranger sends raises, and nothing that is malformed is answered. It is counted, by reason.
  3. A session belongs to this BMC and is found by its id alone (`sessions`); no state is shared between two BMCs.
  4. Every request meets the protocol faults once, before anything else is done about it.
  5. A BMC that is away, or has IPMI over LAN switched off, is silent; one that has just started may be too (`starting`).

Duplicates
  A datagram that comes twice (same session sequence number) is dropped. A client that repeats itself because it heard no answer
  uses a new sequence number and the old request number. What happens then is the profile's: the command runs twice, as on most
  hardware, or once, and the first answer is given again.
"""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from emulator.core.bmc.presence import HERE
from emulator.core.bmc.view import BmcView
from emulator.core.clock import Instant
from emulator.core.errors import EmulatorError
from emulator.core.faults.fault import Seam
from emulator.core.faults.trigger import ClientRequest
from emulator.core.journal import EventKind
from emulator.core.naming import derived_uuid
from emulator.core.vocab import CompletionCode
from emulator.faults.protocol import Completion, Silence, answer_instead
from emulator.ipmi import starting
from emulator.ipmi.call import Command, CompletionError, IpmiBmc, IpmiCall, RequestOrigin, Traffic
from emulator.ipmi.commands import COMMANDS, name_of
from emulator.ipmi.console.sol import Emit, Sol, nowhere
from emulator.ipmi.power import boot_options as bootoptions
from emulator.ipmi.session import rmcp
from emulator.ipmi.session.codec import RmcpPlusLink
from emulator.ipmi.session.handshake import KG_BYTES, RakpHalfOpen
from emulator.ipmi.session.lan15 import ACTIVATE_SESSION, AUTH_TYPE_OF_WORD, AuthType, Challenge, offered_beside
from emulator.ipmi.session.login import RakpLogin
from emulator.ipmi.session.login15 import authenticate
from emulator.ipmi.session.rmcp import IpmiMessage, Lan15, Malformed, Ping, RmcpPlus
from emulator.ipmi.session.sessions import (
    PRIVILEGE_OF_ROLE,
    Answered,
    LanSession,
    LanSessionTable,
    Peer,
    SessionLimits,
    limits_for,
)
from emulator.ipmi.session.strangers import Strangers
from emulator.ipmi.session.suites import enabled
from emulator.ipmi.state import NOWHERE, Here, IpmiState

P = TypeVar("P", bound=Peer)

OK = int(CompletionCode.OK)
INVALID_FOR_LUN = 0xC2
SUMMARY_EVERY = 10.0
"""Seconds between two events about what was dropped: a flood leaves a trace and does not drown the journal."""
REQUEST_NUMBER_LIVES = 5.0
"""Seconds after which the same request number is a new request (IPMI 2.0, table 4-1)."""
NOTHING_DROPPED: Counter[str] = Counter()
"""Of all the BMCs that have dropped nothing yet."""


def guid_of(view: BmcView) -> bytes:
    """The UUID that Redfish shows for the first system, in SMBIOS's byte order (first three fields little-endian).

    IPMI 2.0 (20.8) asks for another order, but most BMCs send the SMBIOS structure as it is, and ipmitool expects that first.
    """
    text = view.first_system().uuid
    try:
        known = uuid.UUID(text)
    except ValueError:  # a profile whose service shows none, or not in the usual form
        known = uuid.UUID(derived_uuid("random", f"ipmi/{view.name}"))
    return known.bytes_le


def admitted(message: IpmiMessage, row: Command | None, session: LanSession | None) -> Callable[[IpmiCall], bytes]:
    """The handler of a request that may be executed. Raises Refused."""
    if message.lun:
        raise CompletionError(INVALID_FOR_LUN)
    if row is None:
        raise CompletionError(CompletionCode.INVALID_COMMAND)
    if session is not None and session.privilege < row.privilege:
        raise CompletionError(CompletionCode.INSUFFICIENT_PRIVILEGE)
    fewest, most = row.length
    if not fewest <= len(message.data) <= most:
        raise CompletionError(CompletionCode.INVALID_LENGTH)
    return row.run


class IpmiResponder:
    """Answers for one BMC.

    `entropy(n)` gives n unpredictable bytes, for session ids and challenges. `kg` is the BMC's own key, where one is set.
    `drops` counts what was not answered, by reason.
    """

    __slots__ = ("_bmc", "_generation", "_presence", "_summarised", "_summary_at", "_system", "_view", "drops", "sessions")

    def __init__(
        self,
        view: BmcView,
        *,
        entropy: Callable[[int], bytes],
        kg: bytes | None = None,
        auth_types: frozenset[AuthType] | None = None,
        limits: SessionLimits | None = None,
        here: Here = NOWHERE,
        emit: Emit = nowhere,
    ) -> None:
        """What is None is the profile's word. `auth_types` are those of IPMI 1.5 (empty: no 1.5 at all); `here` is where clients
        find this BMC, and `emit(data, peer, here)` sends what nobody has asked for: the console's characters.

        Raises ValueError for a profile with cipher suites that are not spoken here.
        """
        rules = view.profile.ipmi
        suites = enabled(rules.cipher_suites)
        self.sessions: LanSessionTable[RakpHalfOpen | Challenge] = LanSessionTable(limits or limits_for(rules.sessions), entropy)
        self.drops: Counter[str] = NOTHING_DROPPED
        self._summarised, self._summary_at = 0, 0.0
        self._view = view
        self._system = view.first_id
        self._generation = view.generation
        self._presence = HERE
        if auth_types is None and rules.auth_types is not None:
            auth_types = frozenset(AUTH_TYPE_OF_WORD[word] for word in rules.auth_types)
        if kg is None and rules.kg is not None:
            kg = rules.kg.encode().ljust(KG_BYTES, b"\0")
        self._bmc = IpmiBmc(
            view=view,
            state=IpmiState(),
            sessions=self.sessions,
            suites=suites,
            auth_types=offered_beside(suites) if auth_types is None else auth_types,
            guid=guid_of(view),
            kg=kg,
            strangers=Strangers(),
            here=here,
            sol=Sol(view, emit, here),
            traffic=Traffic(),
        )

    def receive(self, data: bytes, peer: P) -> list[tuple[bytes, P]]:
        """The answers to a datagram, usually one or none, with the address that each goes to."""
        view = self._view
        presence = view.presence()
        if not view.ipmi_lan or (presence is not HERE and starting.silent(presence)):
            return []
        self._presence = presence
        self._reap(view.now)
        traffic = self._bmc.traffic
        traffic.heard += 1
        try:
            datagram = rmcp.parse(data)
            traffic.valid += 1
            reply = self._route(datagram, peer)
        except Malformed as reason:
            self._drop(str(reason))
            return []
        if reply is None:
            return []
        traffic.sent += 1
        return [(reply, peer)]

    def tick(self, now: Instant) -> None:
        """Call it about once a second: sessions end, boot flags lapse, the console repeats itself, drops are summed up."""
        self._reap(now)
        self._bmc.sol.tick(now)
        bootoptions.lapse(self._view, self._bmc.state, now)
        self._sum_up(now)
        if self.idle:
            self.sessions.clear()  # empty as they are: a dict keeps the room for what it has once held

    @property
    def idle(self) -> bool:
        """Whether `tick` has nothing to wait for until the next datagram."""
        waits = self.sessions.live or self.sessions.half_open or self._bmc.sol.session is not None
        return not waits and math.isinf(self._bmc.state.boot_until) and self._happenings == self._summarised

    @property
    def forgettable(self) -> bool:
        """Whether one that is made anew when somebody speaks again would be the same to its clients."""
        return self._happenings == 0 and self._bmc.state == IpmiState()

    @property
    def _happenings(self) -> int:
        return self.drops.total() + self.sessions.abandoned + self._bmc.strangers.unwritten

    def _reap(self, now: Instant) -> None:
        """Ends what has been silent for too long, and everything where the BMC has started again."""
        sol = self._bmc.sol
        if self._generation != self._view.generation:
            self._generation = self._view.generation
            sol.deactivate(tell=False)
            self.sessions.clear()
            self._bmc.state.restart()
        for session in self.sessions.reap(now):
            self._view.record(
                EventKind.SESSION, None, what="expired", via="ipmi", user=session.account.name, live=len(self.sessions.live)
            )
        if sol.session is not None and sol.session.id not in self.sessions.live:
            sol.deactivate(tell=False)

    def _drop(self, reason: str) -> None:
        if self.drops is NOTHING_DROPPED:
            self.drops = Counter()
        self.drops[reason] += 1
        if self.drops[reason] == 1:
            self._view.record(EventKind.WIRE, None, protocol="ipmi", what="dropped", reason=reason)

    def _sum_up(self, now: Instant) -> None:
        total = self._happenings
        if total == self._summarised or now < self._summary_at:
            return
        self._summarised, self._summary_at = total, now + SUMMARY_EVERY
        self._view.record(
            EventKind.WIRE, None, protocol="ipmi", what="dropped so far", reasons=dict(self.drops),
            half_open=len(self.sessions.half_open), abandoned=self.sessions.abandoned,
            unwritten=self._bmc.strangers.unwritten,
        )  # fmt: skip

    # -- what kind of datagram -----------------------------------------------------------------------------------------

    def _route(self, datagram: Ping | Lan15 | RmcpPlus, peer: Peer) -> bytes | None:
        if isinstance(datagram, Ping):
            return rmcp.pong(datagram)
        if isinstance(datagram, RmcpPlus) and datagram.payload_type != rmcp.PAYLOAD_IPMI:
            if datagram.payload_type == rmcp.PAYLOAD_SOL:
                return self._characters(datagram, peer)
            return RakpLogin(self._bmc).answer(datagram.payload_type, datagram.payload, peer)
        if datagram.session_id == rmcp.NO_SESSION:
            return self._sessionless(datagram, peer)
        return self._in_session(datagram, peer)

    def _sessionless(self, datagram: Lan15 | RmcpPlus, peer: Peer) -> bytes | None:
        message = rmcp.parse_message(datagram.payload)
        row = COMMANDS.get((message.netfn, message.command))
        if row is None or not row.sessionless:
            raise Malformed("a command that needs a session, without one")
        end = self._execute(message, RequestOrigin(peer=peer))
        if end is None:
            return None
        payload = rmcp.answer(message, *end)
        return rmcp.lan15(payload) if isinstance(datagram, Lan15) else rmcp.rmcp_plus(rmcp.PAYLOAD_IPMI, payload)

    def _in_session(self, datagram: Lan15 | RmcpPlus, peer: Peer) -> bytes | None:
        session = self._live(datagram)
        if session is None:
            half = self.sessions.half_open.get(datagram.session_id)
            if isinstance(half, Challenge) and isinstance(datagram, Lan15):
                return self._activate(datagram, half, peer)
            raise Malformed("a session that does not exist here")
        message = session.link.open(datagram)
        if message is None:
            raise Malformed("a replay")
        self.sessions.touch(session, peer, self._view.now)
        end = self._execute(message, RequestOrigin(peer=peer, session=session))
        return None if end is None else session.link.seal(message, *end)

    def _live(self, datagram: Lan15 | RmcpPlus) -> LanSession | None:
        """The session of a datagram. It ends where its account was deleted or disabled meanwhile, and loses what a lower role
        may not do; a higher one is the next login's."""
        session = self.sessions.live.get(datagram.session_id)
        if session is None:
            return None
        account = self._view.account(session.account.name)
        if account is session.account:
            return session
        if account is not None and account.over_ipmi:
            session.keep_to(PRIVILEGE_OF_ROLE[account.role])
            return session
        self.sessions.close(session.id)
        self._view.record(
            EventKind.SESSION, None, what="closed: the account is gone", via="ipmi", user=session.account.name,
            live=len(self.sessions.live),
        )  # fmt: skip
        return None

    def _characters(self, datagram: RmcpPlus, peer: Peer) -> bytes | None:
        session, sol = self._live(datagram), self._bmc.sol
        if session is None or session is not sol.session or not isinstance(session.link, RmcpPlusLink):
            raise Malformed("a payload that was not activated")
        payload = session.link.open_sol(datagram)
        if payload is None:
            raise Malformed("a replay")
        self.sessions.touch(session, peer, self._view.now)
        return sol.take(payload)

    def _activate(self, datagram: Lan15, challenge: Challenge, peer: Peer) -> bytes | None:
        message = rmcp.parse_message(datagram.payload)
        if (message.netfn, message.command) != ACTIVATE_SESSION:
            raise Malformed("a command in a session that was not activated")
        self.sessions.forget(challenge)  # one try for each challenge
        authenticate(self._view, challenge, datagram, peer)
        end = self._execute(message, RequestOrigin(peer=peer, challenge=challenge))
        return None if end is None else challenge.link.seal(message, *end)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _execute(self, message: IpmiMessage, origin: RequestOrigin) -> tuple[int, bytes] | None:
        """(completion code, response data); None where a fault swallows the request or its answer."""
        view, session = self._view, origin.session
        row = COMMANDS.get((message.netfn, message.command))
        name, reset = (name_of(message.netfn, message.command), None) if row is None else (row.name, row.reset(message.data))
        request = ClientRequest("ipmi", "IPMI", name, self._system, reset)
        known = session is not None or self._bmc.strangers.may_write(view.now)
        cause = self._write_request(request, session) if known else self._write_flood()
        fault = answer_instead(view.faults(Seam.PROTOCOL, request, cause))
        if self._presence is not HERE and starting.concerned(self._presence, request, message.netfn, message.command):
            return self._not_ready(cause, self._presence.code)
        code, data = OK, b""
        before = self._answered_before(message, session)
        if before is not None:
            code, data = before.code, before.data
            view.record(EventKind.WIRE, cause, protocol="ipmi", what="a repeated request is answered again, not run")
        elif fault is None or fault.executed:
            try:
                data = admitted(message, row, session)(IpmiCall(self._bmc, origin, message.data, request, cause))
            except CompletionError as refusal:
                code, data = refusal.completion_code, refusal.data
            except EmulatorError as refusal:
                code = refusal.completion_code
            if session is not None and view.profile.ipmi.duplicates == "once":
                session.answered = Answered(message, view.now, code, data)
        match fault:
            case Silence():
                return None
            case Completion(code=instead):
                code, data = instead, b"" if instead else data
        if known:
            view.record(EventKind.RESPONSE, cause, protocol="ipmi", completion_code=code)
        return code, data

    def _not_ready(self, cause: int, code: int | None) -> tuple[int, bytes] | None:
        """What the profile says in the first time after a start."""
        if code is None:
            self._view.record(EventKind.WIRE, cause, protocol="ipmi", what="not ready yet: no answer")
            return None
        self._view.record(EventKind.RESPONSE, cause, protocol="ipmi", completion_code=code)
        return code, b""

    def _write_request(self, request: ClientRequest, session: LanSession | None) -> int:
        user = session.account.name if session is not None else None
        return self._view.record(
            EventKind.REQUEST, None, protocol=request.protocol, method=request.method, path=request.path, system=request.system,
            reset=request.reset, user=user,
        )  # fmt: skip

    def _write_flood(self) -> int:
        """One event a second stands for all the requests of strangers beyond the rate."""
        strangers = self._bmc.strangers
        if not strangers.flood:
            strangers.flood = self._view.record(
                EventKind.WIRE, None, protocol="ipmi", what="more requests without a session than are written down",
                so_far=strangers.unwritten,
            )  # fmt: skip
        return strangers.flood

    def _answered_before(self, message: IpmiMessage, session: LanSession | None) -> Answered | None:
        """What a repeated request came to the first time, where the profile says that it runs once."""
        last = session.answered if session is not None else None
        repeated = last is not None and last.message == message and self._view.now - last.at <= REQUEST_NUMBER_LIVES
        return last if repeated else None
