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
from emulator.ipmi.console import boot_text
from emulator.ipmi.session.codec import RmcpPlusLink
from emulator.ipmi.session.rmcp import Malformed
from emulator.ipmi.session.sessions import LanSession, Peer
from emulator.ipmi.state import Here

CHARACTERS = 200
PAYLOAD_BYTES = CHARACTERS + 4
"""Characters in a packet at most, and the packet size that Activate Payload answers, in bytes."""
RETRIES, RETRY_EVERY_S = 7, 0.5
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
class _ConsoleSession:
    """The state of an active console session."""

    session: LanSession
    link: RmcpPlusLink
    remove_listener: Callable[[], None]
    retries: int
    retry_every_s: float
    backlog: bytes = b""
    waiting: Waiting | None = None
    number: int = 0


class Sol:
    """The serial console of a BMC. `emit` sends a datagram that is not an answer."""

    __slots__ = ("_active", "_emit", "_here", "_view")

    def __init__(self, view: BmcView, emit: Emit, here: Here) -> None:
        self._view = view
        self._emit = emit
        self._here = here
        self._active: _ConsoleSession | None = None

    @property
    def session(self) -> LanSession | None:
        """The session that has the console; None where none has."""
        return self._active.session if self._active is not None else None

    # -- life ----------------------------------------------------------------------------------------------------------

    def activate(
        self, session: LanSession, link: RmcpPlusLink, cause: int, *, retries: int = RETRIES, retry_every_s: float = RETRY_EVERY_S
    ) -> None:
        """Gives the console to a session. `retry_every_s` is the time between two retries, in seconds."""
        self._active = _ConsoleSession(session, link, self._view.on_log(self._on_log_entry), retries, retry_every_s)
        self._view.record(EventKind.SESSION, cause, what="console activated", via="ipmi", user=session.account.name)

    def deactivate(self, cause: int | None = None, *, tell: bool = True) -> None:
        """Ends the console session. `tell`: send the client a packet that says so."""
        console = self._active
        if console is None:
            return
        if tell:
            self._send(console, bytes((0, 0, 0, DEACTIVATING)))
        console.remove_listener()
        self._active = None
        self._view.record(EventKind.SESSION, cause, what="console deactivated", via="ipmi", user=console.session.account.name)

    # -- from the host -------------------------------------------------------------------------------------------------

    def _on_log_entry(self, entry: LogEntry) -> None:
        text = boot_text.text(self._view, entry)
        if text and self._active is not None:
            self._active.backlog = (self._active.backlog + text.encode())[-BACKLOG:]
            self._send_next(self._active)

    def _send_next(self, console: _ConsoleSession) -> None:
        if console.waiting is None and console.backlog:
            console.number = console.number % NUMBERS + 1
            characters, console.backlog = console.backlog[:CHARACTERS], console.backlog[CHARACTERS:]
            console.waiting = Waiting(console.number, characters, self._view.now)
            self._send_again(console, console.waiting)

    def _send_again(self, console: _ConsoleSession, waiting: Waiting) -> None:
        self._send(console, bytes((waiting.number, 0, 0, self._status)) + waiting.characters)

    def _send(self, console: _ConsoleSession, packet: bytes) -> None:
        self._emit(console.link.seal_sol(packet), console.session.peer, self._here)

    @property
    def _status(self) -> int:
        return UNAVAILABLE if self._view.last_power_event() == "Off" else 0

    def tick(self, now: Instant) -> None:
        """Sends a packet again that was not acknowledged in time, or drops it after the last retry."""
        console = self._active
        waiting = console.waiting if console is not None else None
        if console is None or waiting is None or now - waiting.since < console.retry_every_s * waiting.tries:
            return
        if waiting.tries > console.retries:
            console.waiting = None
            self._send_next(console)
            return
        waiting.tries += 1
        self._send_again(console, waiting)

    # -- from the client -----------------------------------------------------------------------------------------------

    def take(self, payload: bytes) -> bytes | None:
        """Handles a packet of the client. Returns the datagram that acknowledges it, None where none is due. Raises Malformed."""
        if len(payload) < HEADER_BYTES:
            raise Malformed("the serial-over-LAN packet is cut off")
        number, acknowledged, accepted, operation = payload[:HEADER_BYTES]
        console = self._active
        if console is None:
            return None
        if acknowledged & 0x0F:
            self._acknowledged(console, acknowledged & 0x0F, accepted, bool(operation & NACK))
        number &= 0x0F
        if number == 0:
            return None
        status = self._status
        typed = len(payload) - HEADER_BYTES
        if status & UNAVAILABLE and typed:
            return console.link.seal_sol(bytes((0, number, 0, status | NACK)))
        return console.link.seal_sol(bytes((0, number, min(typed, 0xFF), status)))

    def _acknowledged(self, console: _ConsoleSession, number: int, accepted: int, refused: bool) -> None:
        waiting = console.waiting
        if waiting is None or waiting.number != number or refused:
            return  # after a NACK `tick` sends it again
        console.waiting = None
        console.backlog = waiting.characters[accepted:] + console.backlog
        self._send_next(console)
