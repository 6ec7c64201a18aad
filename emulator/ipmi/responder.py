"""Answers the IPMI datagrams of one BMC (UDP port 623).

The front end that owns the socket calls `receive` with each datagram and sends what it returns; it calls `tick` about once a
second. Both run in the emulator's one thread. Times are in seconds on the rack's clock, read from the view.

Rules
  1. Nothing here has a socket, a thread or a clock.
  2. No datagram, whatever it contains, raises an exception. Malformed datagrams are not answered; they are counted by reason.
  3. A session belongs to one BMC and is found by its id alone (`sessions`). Two BMCs share no state.
  4. Protocol faults are asked once for every request, before it is executed.
  5. A BMC that is away, or has IPMI over LAN switched off, answers nothing. One that has just started may answer nothing either
     (`starting`).

Duplicates
  A datagram that comes twice (same session sequence number) is dropped. A client that repeats a request because it got no answer
  uses a new sequence number and the old request number. The profile says what happens then: the command runs twice, as on most
  hardware, or it runs once and the first answer is sent again.
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
from emulator.core.power.system import Look
from emulator.core.vocab import CompletionCode
from emulator.faults.protocol import Completion, Silence, answer_instead
from emulator.ipmi import starting
from emulator.ipmi.call import Command, CompletionError, IpmiBmc, IpmiCall, RequestOrigin, Traffic
from emulator.ipmi.commands import COMMANDS, classified
from emulator.ipmi.console.sol import Emit, Sol, nowhere
from emulator.ipmi.oem import oem_command
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
"""Seconds between two journal events about dropped datagrams, so that a flood cannot fill the journal."""
REQUEST_NUMBER_LIVES = 5.0
"""Seconds after which the same request number is a new request (IPMI 2.0, table 4-1)."""
NOTHING_DROPPED: Counter[str] = Counter()
"""Shared by all BMCs that have dropped nothing yet."""


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
    """The handler of a request that may be executed. Raises CompletionError for one that may not."""
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

    `entropy(n)` gives n unpredictable bytes, for session ids and challenges. `kg` is the BMC key K_g, if there is one. `drops`
    counts the datagrams that were not answered, by reason.
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
        """For arguments that are None the profile decides. `auth_types` are those of IPMI 1.5 (empty: no IPMI 1.5). `here` is the
        address of this BMC's socket. `emit(data, peer, here)` sends a datagram that is no answer: characters of the console.

        Raises ValueError for a profile with cipher suites that are not supported.
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
        """The answers to a datagram, usually one or none, each with the address to which it goes."""
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
        """Call it about once a second.

        It ends sessions that are idle or whose account is gone, expires boot flags, resends console packets, and journals drops.
        """
        for session in tuple(self.sessions.live.values()):
            self._still_allowed(session)
        self._reap(now)
        self._bmc.sol.tick(now)
        bootoptions.lapse(self._view, self._bmc.state, now)
        self._sum_up(now)
        if self.idle:
            self.sessions.clear()  # they are empty; `clear` frees the memory that the dicts still use

    @property
    def idle(self) -> bool:
        """Whether `tick` has nothing to do until the next datagram."""
        waits = self.sessions.live or self.sessions.half_open or self._bmc.sol.session is not None
        return not waits and math.isinf(self._bmc.state.boot_until) and self._happenings == self._summarised

    @property
    def forgettable(self) -> bool:
        """Whether clients could not tell this responder from a new one, so that it need not be kept."""
        return self._happenings == 0 and self._bmc.state == IpmiState()

    @property
    def _happenings(self) -> int:
        return self.drops.total() + self.sessions.abandoned + self._bmc.strangers.unwritten

    def _reap(self, now: Instant) -> None:
        """Ends sessions that have been idle for too long, and all sessions where the BMC has started again."""
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
        """The session of a datagram; None where there is none."""
        session = self.sessions.live.get(datagram.session_id)
        return session if session is not None and self._still_allowed(session) else None

    def _still_allowed(self, session: LanSession) -> bool:
        """Ends the session if its account was deleted or disabled meanwhile.

        If the account has a lower role now, the session's privilege is lowered too; a higher role has effect only at the next
        login.
        """
        account = self._view.account(session.account.name)
        if account is session.account:
            return True
        if account is not None and account.over_ipmi:
            session.keep_to(PRIVILEGE_OF_ROLE[account.role])
            return True
        self.sessions.close(session.id)
        self._view.record(
            EventKind.SESSION, None, what="closed: the account is gone", via="ipmi", user=session.account.name,
            live=len(self.sessions.live),
        )  # fmt: skip
        return False

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
        self.sessions.forget(challenge)  # every challenge has one try
        authenticate(self._view, challenge, datagram, peer)
        end = self._execute(message, RequestOrigin(peer=peer, challenge=challenge))
        return None if end is None else challenge.link.seal(message, *end)

    # -- commands ------------------------------------------------------------------------------------------------------

    def _execute(self, message: IpmiMessage, origin: RequestOrigin) -> tuple[int, bytes] | None:
        """Executes a request: (completion code, response data); None for no answer, by a fault or before the BMC is ready."""
        view, session = self._view, origin.session
        row = COMMANDS.get((message.netfn, message.command)) or oem_command(view.profile, message.netfn, message.command)
        request = classified(message.netfn, message.command, message.data, self._system)
        known = session is not None or self._bmc.strangers.may_write(view.now)
        cause = self._write_request(request, session) if known else self._write_flood()
        fault = answer_instead(view.faults(Seam.PROTOCOL, request, cause))
        if self._presence is not HERE and starting.concerned(self._presence, request, message.netfn, message.command):
            return self._not_ready(cause, self._presence.code)
        code, data = OK, b""
        looks: tuple[Look, ...] = ()
        before = self._answered_before(message, session)
        if before is not None:
            code, data, looks = before.code, before.data, before.looks
            view.record(EventKind.WIRE, cause, protocol="ipmi", what="a repeated request is answered again, not run")
        elif fault is None or fault.executed:
            call = IpmiCall(self._bmc, origin, message.data, request, cause, [])
            try:
                data = admitted(message, row, session)(call)
                looks = tuple(call.looks)
            except CompletionError as refusal:
                code, data = refusal.completion_code, refusal.data
            except EmulatorError as refusal:
                code = refusal.completion_code
            if session is not None and view.profile.ipmi.duplicates == "once":
                session.answered = Answered(message, view.now, code, data, looks)
        match fault:
            case Silence():
                return None
            case Completion(code=instead):
                code, data = instead, b"" if instead else data
                looks = () if instead else looks
        if known:
            view.record(EventKind.RESPONSE, cause, protocol="ipmi", completion_code=code)
        if looks:
            view.told(looks, cause)
        return code, data

    def _not_ready(self, cause: int, code: int | None) -> tuple[int, bytes] | None:
        """The profile's answer for a BMC that is not ready yet; None: no answer."""
        if code is None:
            self._view.record(EventKind.WIRE, cause, protocol="ipmi", what="not ready yet: no answer")
            return None
        self._view.record(EventKind.RESPONSE, cause, protocol="ipmi", completion_code=code)
        return code, b""

    def _write_request(self, request: ClientRequest, session: LanSession | None) -> int:
        user = session.account.name if session is not None else None
        return self._view.record_request(request, request.path, user=user)

    def _write_flood(self) -> int:
        """The journal event for requests that are only counted: one per second, for all of them."""
        strangers = self._bmc.strangers
        if not strangers.flood:
            strangers.flood = self._view.record(
                EventKind.WIRE, None, protocol="ipmi", what="more requests without a session than are written down",
                so_far=strangers.unwritten,
            )  # fmt: skip
        return strangers.flood

    def _answered_before(self, message: IpmiMessage, session: LanSession | None) -> Answered | None:
        """The first answer to a request that the client repeats, where the profile says that it runs once; None otherwise."""
        last = session.answered if session is not None else None
        repeated = last is not None and last.message == message and self._view.now - last.at <= REQUEST_NUMBER_LIVES
        return last if repeated else None
