"""Serial over LAN: packets with characters, acknowledgements and retries (IPMI 2.0, chapter 15).

`payloads` activates it, the responder passes packets and ticks, and log entries of the BMC make the console write; all in the
emulator's one thread. Times are in seconds on the rack's clock.

Rules
  1. A BMC has one console, for one session at a time. Without a session nothing is stored or sent.
  2. The next packet is sent when the one before was acknowledged. A packet without acknowledgement is dropped after the retries,
     as the standard says.
  3. A packet that a client sends again is acknowledged again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.core.bmc.eventlog import LogEntry
from emulator.core.bmc.view import BmcView
from emulator.core.clock import Instant
from emulator.core.journal import EventKind
from emulator.ipmi.console import boot_text as console
from emulator.ipmi.session.codec import RmcpPlusLink
from emulator.ipmi.session.rmcp import Malformed
from emulator.ipmi.session.sessions import LanSession, Peer
from emulator.ipmi.state import Here

CHARACTERS = 200
PAYLOAD_BYTES = CHARACTERS + 4
"""Characters in a packet at most, and the packet size that Activate Payload answers, in bytes."""
RETRIES, RETRY_EVERY = 7, 0.5
BACKLOG = 8192
"""Characters that are kept for a client that does not acknowledge; older ones are lost, as on a serial line."""

NACK, UNAVAILABLE, DEACTIVATING = 0x40, 0x20, 0x10
NUMBERS = 15
HEADER_BYTES = 4

Emit = Callable[[bytes, Peer, Here], object]
"""Sends a datagram: the data, the receiver's address, and our address to send it from."""


def nowhere(_data: bytes, _peer: Peer, _here: Here) -> None:
    """An `Emit` that sends nothing, for tests without a network."""


@dataclass(slots=True)
class Waiting:
    """A packet that the client has not acknowledged yet."""

    number: int
    characters: bytes
    since: Instant
    tries: int = 1


@dataclass(slots=True)
class _Line:
    """The state of an active console session."""

    session: LanSession
    link: RmcpPlusLink
    hang_up: Callable[[], None]
    retries: int
    every: float
    backlog: bytes = b""
    waiting: Waiting | None = None
    number: int = 0


class Sol:
    """The serial console of a BMC. `emit` sends a datagram that is not an answer."""

    __slots__ = ("_emit", "_here", "_line", "_view")

    def __init__(self, view: BmcView, emit: Emit, here: Here) -> None:
        self._view = view
        self._emit = emit
        self._here = here
        self._line: _Line | None = None

    @property
    def session(self) -> LanSession | None:
        """The session that has the console; None where none has."""
        return self._line.session if self._line is not None else None

    # -- life ----------------------------------------------------------------------------------------------------------

    def activate(
        self, session: LanSession, link: RmcpPlusLink, cause: int, *, retries: int = RETRIES, every: float = RETRY_EVERY
    ) -> None:
        """Gives the console to a session. `every` is the time between two retries, in seconds."""
        self._line = _Line(session, link, self._view.on_log(self._happened), retries, every)
        self._view.record(EventKind.SESSION, cause, what="console activated", via="ipmi", user=session.account.name)

    def deactivate(self, cause: int | None = None, *, tell: bool = True) -> None:
        """Ends the console session. `tell`: send the client a packet that says so."""
        line = self._line
        if line is None:
            return
        if tell:
            self._say(line, bytes((0, 0, 0, DEACTIVATING)))
        line.hang_up()
        self._line = None
        self._view.record(EventKind.SESSION, cause, what="console deactivated", via="ipmi", user=line.session.account.name)

    # -- from the host -------------------------------------------------------------------------------------------------

    def _happened(self, entry: LogEntry) -> None:
        text = console.text(self._view, entry)
        if text and self._line is not None:
            self._line.backlog = (self._line.backlog + text.encode())[-BACKLOG:]
            self._send_next(self._line)

    def _send_next(self, line: _Line) -> None:
        if line.waiting is None and line.backlog:
            line.number = line.number % NUMBERS + 1
            characters, line.backlog = line.backlog[:CHARACTERS], line.backlog[CHARACTERS:]
            line.waiting = Waiting(line.number, characters, self._view.now)
            self._send_again(line, line.waiting)

    def _send_again(self, line: _Line, waiting: Waiting) -> None:
        self._say(line, bytes((waiting.number, 0, 0, self._status)) + waiting.characters)

    def _say(self, line: _Line, packet: bytes) -> None:
        self._emit(line.link.seal_sol(packet), line.session.peer, self._here)

    @property
    def _status(self) -> int:
        return UNAVAILABLE if self._view.last_power_event() == "Off" else 0

    def tick(self, now: Instant) -> None:
        """Sends a packet again that was not acknowledged in time, or drops it after the last retry."""
        line = self._line
        if line is None or line.waiting is None or now - line.waiting.since < line.every * line.waiting.tries:
            return
        if line.waiting.tries > line.retries:
            line.waiting = None
            self._send_next(line)
            return
        line.waiting.tries += 1
        self._send_again(line, line.waiting)

    # -- from the client -----------------------------------------------------------------------------------------------

    def take(self, payload: bytes) -> bytes | None:
        """Handles a packet of the client. Returns the datagram that acknowledges it, None where none is due. Raises Malformed."""
        if len(payload) < HEADER_BYTES:
            raise Malformed("the serial-over-LAN packet is cut off")
        number, acknowledged, accepted, operation = payload[:HEADER_BYTES]
        line = self._line
        if line is None:
            return None
        if acknowledged & 0x0F:
            self._acknowledged(line, acknowledged & 0x0F, accepted, bool(operation & NACK))
        number &= 0x0F
        if number == 0:
            return None
        status = self._status
        typed = len(payload) - HEADER_BYTES
        if status & UNAVAILABLE and typed:
            return line.link.seal_sol(bytes((0, number, 0, status | NACK)))
        return line.link.seal_sol(bytes((0, number, min(typed, 0xFF), status)))

    def _acknowledged(self, line: _Line, number: int, accepted: int, refused: bool) -> None:
        waiting = line.waiting
        if waiting is None or waiting.number != number or refused:
            return  # after a NACK `tick` sends it again
        line.waiting = None
        line.backlog = waiting.characters[accepted:] + line.backlog
        self._send_next(line)
