"""One accepted TCP connection: decrypts and delivers what comes in, and carries out plans.

`Listener` makes it; a `Receiver` such as `HttpSession` gets its bytes and gives it plans. Everything runs in the loop's thread.
Limits are `ClientLimits`, in seconds and bytes.

Rules
  1. Nothing here blocks or sleeps. A `Wait` is a timer of the reactor, and a hung connection is an object without a timer.
  2. It knows no HTTP. The `Receiver` knows the protocol: it gets bytes by `received` and sends plans by `play`.
  3. Plans are carried out in order and to the end. Nothing that follows a Close, Reset or Hang is carried out.

Theory
  A plan is carried out one operation at a time. Bytes are encrypted in pieces, the next one when the kernel has taken the last: a
  client that does not read costs one piece of memory, and loses its connection when the stall limit is over. A proper close sends
  close_notify and FIN and then reads on for a short time: if a socket is closed with unread input, the kernel sends a RST, and a
  client would lose the last answer.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from emulator.core.clock import Instant
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Close, HalfClose, Hang, Plan, Reset, Send, Wait
from emulator.wire.reactor import Reactor
from emulator.wire.timers import LoopTimer
from emulator.wire.tls import TlsLayer

_PIECE, _READ = 65536, 16384  # bytes; OpenSSL keeps a buffer of the size that was read, for each connection
_LINGER_OFF = struct.pack("ii", 1, 0)


class Receiver(Protocol):
    """Handles a protocol on a connection. All calls come in the loop's thread."""

    def received(self, data: bytes) -> None:
        """The client has sent these bytes (plain text)."""

    def ended(self) -> None:
        """The client sends no more, but may still read."""

    def overdue(self) -> None:
        """The deadline that was set by `Connection.deadline` has passed."""

    def lost(self) -> None:
        """The connection has ended. This is the last call, and comes once."""


@dataclass(frozen=True, slots=True)
class _Linger:
    """Waits for the client's end of file, then frees the socket."""


class Connection:
    """Carries out plans on an accepted socket, and passes what comes in to its `receiver`."""

    def __init__(
        self,
        reactor: Reactor,
        sock: socket.socket,
        local: tuple[str, int],
        peer: tuple[str, int],
        limits: ClientLimits,
        gone: Callable[[Connection], object],
    ) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.local = local
        self.peer = peer
        self.closed = False
        self.secure = False
        self.receiver: Receiver | None = None
        self._reactor = reactor
        self._limits = limits
        self._gone = gone
        self._sock = sock
        self._tls: TlsLayer | None = None
        self._ops: deque[Send | Wait | HalfClose | Close | Reset | Hang | _Linger] = deque()
        self._done: Callable[[], object] | None = None
        self._plain: memoryview | None = None  # the plain text that is left of the current Send
        self._out = b""  # what the kernel has not taken yet
        self._queued = 0  # bytes of all Sends that have not gone to `_out` yet
        self._wait: LoopTimer | None = None
        self._holder = ""  # who can end the present wait or hang
        self._stall: LoopTimer | None = None
        self._deadline: Instant | None = None
        self._deadline_timer: LoopTimer | None = None
        self._advancing = False
        self._paused = False
        self._eof = False  # the client's side has ended
        self._shut = False  # our side has ended
        self._hung = False
        self._discarding = False
        self._watch = reactor.add(sock, self._readable)
        self._watch.on_failed = self.abort  # its state is unknown then

    # ---- for the receiver -------------------------------------------------------------------------------------------

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Expects a TLS handshake. `received` gets plain text from then on."""
        self._tls = TlsLayer(context)
        self.secure = True
        self.deadline(self._limits.handshake_s)

    @property
    def talking(self) -> bool:
        """Whether a plan that is given now could still reach the client."""
        return not (self.closed or self._hung or self._shut or self._discarding)

    @property
    def stalled(self) -> bool:
        """Whether the client does not read what we send."""
        return self._stall is not None

    def play(self, plan: Plan, done: Callable[[], object] | None = None) -> None:
        """Carries out `plan` after the plans before it. `done` is called at its end, if the connection is still open."""
        self._ops.extend(plan)
        for op in plan:
            self._queued += len(op.data) if isinstance(op, Send) else 0
        self._done = done or self._done
        self._advance()

    def push(self, data: bytes) -> bool:
        """Sends a piece of a stream. False: it cannot arrive any more. A client that reads too slowly is reset."""
        if not self.talking:
            return False
        if self._queued + len(data) > self._limits.max_unsent_bytes:
            self.abort()
            return False
        self.play((Send(data),))
        return not self.closed

    def deadline(self, seconds: float | None) -> None:
        """Calls `Receiver.overdue` in so many seconds. Replaces an earlier deadline; None: no deadline."""
        if seconds is None:
            self._deadline = None
            return
        self._deadline = self._reactor.now() + seconds
        timer = self._deadline_timer
        # A timer that runs too early sets itself again, so keep-alive requests need no new timer.
        if timer is None or timer.instant > self._deadline:
            if timer is not None:
                timer.cancel()
            self._deadline_timer = self._reactor.call_at(self._deadline, self._deadline_passed)

    def later(self, callback: Callable[[], object]) -> None:
        """Runs it soon, when other clients have had their turn."""
        self._reactor.defer(callback, self.abort)

    def pause(self) -> None:
        """Stops reading: TCP makes the client wait."""
        self._paused = True
        self._update_watch()

    def resume(self) -> None:
        """Reads again."""
        if self._paused:
            self._paused = False
            self._update_watch()

    def release(self, holder: str) -> None:
        """`holder` holds nothing back any more: its waits end now, and what it hung is closed properly."""
        kept = (op for op in self._ops if not (isinstance(op, Wait) and op.held_by == holder))
        self._ops = deque(Close() if op == Hang(holder) else op for op in kept)
        if self._holder != holder or self.closed:
            return
        self._holder = ""
        if self._wait is not None:
            self._wait.cancel()
        self._ops = deque((Close(),)) if self._hung else self._ops
        self._wait, self._hung = None, False
        self._advance()

    def abort(self) -> None:
        """Drops the connection with a RST, whatever it was doing."""
        if not self.closed:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
            self._drop()

    # ---- reading ----------------------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._sock.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self._drop()  # reset by the client
            return
        if self._hung or self._discarding:
            if not data:
                self._end_of_file()
        elif self._tls is not None:
            self._decrypt(self._tls, data)
        elif data:
            self._deliver(data)
        else:
            self._end_of_file()

    def _decrypt(self, tls: TlsLayer, data: bytes) -> None:
        in_handshake = tls.handshaking
        try:
            plain, ended = tls.feed(data)
        except ssl.SSLError:
            self._ops.clear()
            self._plain = self._done = None
            self.play((Close(),))  # sends the alert first
            return
        if in_handshake:
            if not tls.handshaking:
                self.deadline(self._limits.idle_s)
            self._advance()  # sends our part of the handshake
        if plain and not self.closed:
            self._deliver(plain)
        if ended and not self.closed:
            self._end_of_file()

    def _deliver(self, data: bytes) -> None:
        if self.receiver is not None:
            self.receiver.received(data)

    def _end_of_file(self) -> None:
        # A hung BMC keeps its side open, but a client that has gone must not cost a file descriptor for ever.
        if self._eof:
            return
        self._eof = True
        self._update_watch()
        if self._hung:
            self._wait = self._reactor.call_later(self._limits.hung_s, self._drop)
        elif self._discarding or self._is_in_handshake() or self.receiver is None:
            self._drop()
        else:
            self.receiver.ended()

    # ---- writing ----------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        if self._advancing:
            return  # a `done` called `play`: the loop below carries out what it added
        self._advancing = True
        try:
            while not self.closed and not self._hung and self._flush() and self._step():
                pass
        finally:
            self._advancing = False

    def _step(self) -> bool:
        """Does one piece, one operation, or the end of the plan. False: nothing can be done until an event comes."""
        if self._plain is not None:
            self._send_piece(self._plain)
            return True
        if self._wait is not None:
            return False
        if not self._ops:
            return self._finish()
        op = self._ops.popleft()
        match op:
            case Send(data):
                if data and not self._shut:
                    self._plain = memoryview(data)
            case Wait(seconds, holder):
                self._holder = holder
                self._wait = self._reactor.call_later(seconds, self._waited)
            case HalfClose():
                return self._half_close()
            case Close():
                self._ops = deque((HalfClose(), _Linger()))
            case Reset():
                self.abort()
            case Hang(holder):
                self._holder = holder
                self._hang()
            case _Linger():
                self._linger(self._limits.linger_s)
        return True

    def _finish(self) -> bool:
        done, self._done = self._done, None
        if self._shut:
            self._linger(self._limits.idle_s)  # our side is closed: nothing can be answered any more
        elif done is not None:
            done()
            return True
        return False

    def _send_piece(self, plain: memoryview) -> None:
        piece = plain[:_PIECE]
        if self._tls is None:
            self._out = bytes(piece)
        elif not self._tls.encrypt(piece):
            self._drop()
            return
        self._queued -= len(piece)
        self._plain = plain[_PIECE:] if len(plain) > _PIECE else None

    def _flush(self) -> bool:
        """Gives the kernel what is ready to be sent. True: it has taken everything."""
        if self._tls is not None:
            self._out += self._tls.take()
        while self._out:
            try:
                count = self._sock.send(self._out)
            except (BlockingIOError, InterruptedError):
                if self._stall is None:
                    self._stall = self._reactor.call_later(self._limits.stall_s, self.abort)
                    self._update_watch()
                return False
            except OSError:
                self._drop()
                return False
            self._out = self._out[count:]
            if self._stall is not None:
                self._stall.cancel()
                self._stall = None
                self._update_watch()
        return True

    def _waited(self) -> None:
        self._wait = None
        self._advance()

    def _half_close(self) -> bool:
        if self._shut:
            return True
        if self._tls is not None:
            self._tls.close()
            if not self._flush():
                self._ops.appendleft(HalfClose())  # the FIN must come after the last byte
                return False
        self._shut = True
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self._drop()
        return True

    def _linger(self, seconds: float) -> None:
        if self._eof:
            self._drop()
            return
        self._discarding = True
        self._paused = False
        self._deadline = None
        self._update_watch()
        self._wait = self._reactor.call_later(seconds, self._drop)

    def _hang(self) -> None:
        self._hung = True
        self._ops.clear()
        self._done = None
        self._deadline = None
        self._paused = False
        self._update_watch()
        if self._eof:
            self._wait = self._reactor.call_later(self._limits.hung_s, self._drop)

    # ---- the end ----------------------------------------------------------------------------------------------------

    def _update_watch(self) -> None:
        if not self.closed:
            reads = None if self._paused or self._eof else self._readable
            self._watch.set(reads, self._advance if self._stall is not None else None)

    def _deadline_passed(self) -> None:
        self._deadline_timer = None
        if self._deadline is None or self.closed:
            return
        if self._deadline > self._reactor.now():
            self._deadline_timer = self._reactor.call_at(self._deadline, self._deadline_passed)
            return
        self._deadline = None
        if self._is_in_handshake() or self.receiver is None:
            self._drop()
        else:
            self.receiver.overdue()

    def _is_in_handshake(self) -> bool:
        return self._tls is not None and self._tls.handshaking

    def _drop(self) -> None:
        if self.closed:
            return
        self.closed = True
        self._ops.clear()
        self._out = b""
        self._plain = self._done = self._tls = None
        for timer in (self._wait, self._stall, self._deadline_timer):
            if timer is not None:
                timer.cancel()
        self._watch.close()
        self._gone(self)
        receiver, self.receiver = self.receiver, None
        if receiver is not None:
            receiver.lost()
