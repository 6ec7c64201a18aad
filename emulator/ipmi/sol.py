"""Serial over LAN: the payload, its acknowledgements and retries (IPMI 2.0, chapter 15).

Rules
  1. One console, one session at a time. Without it nothing is kept, listened to or sent.
  2. A packet with characters waits for its acknowledgement before the next one leaves; one that is never acknowledged is dropped
     after RETRIES, as the standard says.
  3. What a client sends twice under one number is taken once and acknowledged twice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.core.clock import Instant
from emulator.core.eventlog import LogEntry
from emulator.core.journal import Kind
from emulator.core.view import BmcView
from emulator.ipmi import console
from emulator.ipmi.codec import RmcpPlusLink
from emulator.ipmi.rmcp import Malformed
from emulator.ipmi.sessions import Peer, Session

CHARACTERS = 200
PAYLOAD_BYTES = CHARACTERS + 4
"""Most characters in a packet, and what Activate Payload calls the size of one."""
RETRIES, RETRY_EVERY = 7, 0.5
BACKLOG = 8192
"""So many characters wait for a client that does not acknowledge; older ones are lost, as on a serial line."""

NACK, UNAVAILABLE, DEACTIVATING = 0x40, 0x20, 0x10
NUMBERS = 15
HEADER_BYTES = 4

Emit = Callable[[bytes, Peer], object]


def nowhere(_data: bytes, _peer: Peer) -> None:
    """For a BMC that only answers, such as one in a test without a network."""


@dataclass(slots=True)
class Waiting:
    """A packet that has not been acknowledged."""

    number: int
    characters: bytes
    since: Instant
    tries: int = 1


class Sol:
    """The serial port of a BMC. `emit` sends a datagram that nobody has asked for."""

    __slots__ = (
        "_backlog",
        "_emit",
        "_every",
        "_heard",
        "_link",
        "_number",
        "_retries",
        "_stop_listening",
        "_view",
        "_waiting",
        "session",
    )

    def __init__(self, view: BmcView, emit: Emit) -> None:
        self._view = view
        self._emit = emit
        self.session: Session | None = None
        self._link: RmcpPlusLink | None = None
        self._stop_listening: Callable[[], None] | None = None
        self._backlog = b""
        self._waiting: Waiting | None = None
        self._number = 0
        self._heard = 0
        self._retries, self._every = RETRIES, RETRY_EVERY

    # -- life ----------------------------------------------------------------------------------------------------------

    def activate(
        self, session: Session, link: RmcpPlusLink, cause: int, *, retries: int = RETRIES, every: float = RETRY_EVERY
    ) -> None:
        """`retries` and the seconds between them are as they were configured when it was activated."""
        self.session, self._link = session, link
        self._retries, self._every = retries, every
        self._backlog, self._waiting, self._number, self._heard = b"", None, 0, 0
        self._stop_listening = self._view.on_log(self._happened)
        self._view.record(Kind.SESSION, cause, what="console activated", via="ipmi", user=session.account.name)

    def deactivate(self, cause: int | None = None, *, tell: bool = True) -> None:
        """`tell` the client, unless it asked for it itself or is gone."""
        session, link = self.session, self._link
        if session is None or link is None:
            return
        if tell:
            self._emit(link.seal_sol(bytes((0, 0, 0, DEACTIVATING))), session.peer)
        if self._stop_listening is not None:
            self._stop_listening()
        self.session = self._link = self._stop_listening = self._waiting = None
        self._backlog = b""
        self._view.record(Kind.SESSION, cause, what="console deactivated", via="ipmi", user=session.account.name)

    # -- from the host -------------------------------------------------------------------------------------------------

    def _happened(self, entry: LogEntry) -> None:
        text = console.text(self._view, entry)
        if text:
            self._backlog = (self._backlog + text.encode())[-BACKLOG:]
            self._send_next()

    def _send_next(self) -> None:
        if self._waiting is None and self._backlog:
            self._number = self._number % NUMBERS + 1
            characters, self._backlog = self._backlog[:CHARACTERS], self._backlog[CHARACTERS:]
            self._waiting = Waiting(self._number, characters, self._view.now)
            self._send_waiting()

    def _send_waiting(self) -> None:
        if self._waiting is not None and self._link is not None and self.session is not None:
            packet = bytes((self._waiting.number, 0, 0, self._status)) + self._waiting.characters
            self._emit(self._link.seal_sol(packet), self.session.peer)

    @property
    def _status(self) -> int:
        return UNAVAILABLE if self._view.last_power_event() == "Off" else 0

    def tick(self, now: Instant) -> None:
        """Sends again what was not acknowledged in time."""
        waiting = self._waiting
        if waiting is None or now - waiting.since < self._every * waiting.tries:
            return
        if waiting.tries > self._retries:
            self._waiting = None
            self._send_next()
            return
        waiting.tries += 1
        self._send_waiting()

    # -- from the client -----------------------------------------------------------------------------------------------

    def take(self, payload: bytes) -> bytes | None:
        """The datagram that acknowledges a payload; None where nothing is to be acknowledged. Raises Malformed."""
        if len(payload) < HEADER_BYTES:
            raise Malformed("the serial-over-LAN packet is cut off")
        number, acknowledged, accepted, operation = payload[:HEADER_BYTES]
        if acknowledged & 0x0F:
            self._acknowledged(acknowledged & 0x0F, accepted, bool(operation & NACK))
        number &= 0x0F
        if number == 0 or self._link is None:
            return None
        status = self._status
        typed = len(payload) - HEADER_BYTES
        if status & UNAVAILABLE and typed:
            return self._link.seal_sol(bytes((0, number, 0, status | NACK)))
        self._heard = number
        return self._link.seal_sol(bytes((0, number, min(typed, 0xFF), status)))

    def _acknowledged(self, number: int, accepted: int, refused: bool) -> None:
        waiting = self._waiting
        if waiting is None or waiting.number != number or refused:
            return  # refused: `tick` sends it again
        self._waiting = None
        self._backlog = waiting.characters[accepted:] + self._backlog
        self._send_next()
