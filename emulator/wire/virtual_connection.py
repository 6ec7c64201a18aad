"""A TCP connection without a socket: the client's bytes go straight to the `Receiver`, plans are carried out on virtual time.

`VirtualPort` makes one per connect. The server's side is what `HttpSession` needs (`Wire`), the client's side is `inbox`,
`ended`, `was_reset` and `client_sends`. One thread.

Rules
  1. It does to the client what `Connection` does: plans in order, nothing after a Close, Reset or Hang.
  2. Bytes that have arrived can be read before a reset is seen, as on Linux.
  3. TLS is spoken only in the handshake: what follows it is plain text on both sides, since nobody could look in between.
"""

from __future__ import annotations

import ssl
from collections import deque
from collections.abc import Callable

from emulator.wire.connection import Receiver
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Close, HalfClose, Hang, Plan, Reset, Send, Wait, WireOp
from emulator.wire.tls import TlsLayer
from emulator.wire.udp import SocketAddress
from emulator.wire.virtual_loop import VirtualLoop, VirtualTimer


class VirtualConnection:
    """Both ends of one connection."""

    def __init__(
        self,
        loop: VirtualLoop,
        local: SocketAddress,
        peer: SocketAddress,
        limits: ClientLimits,
        gone: Callable[[VirtualConnection], object],
    ) -> None:
        self.local = local
        self.peer = peer
        self.secure = False
        self.context: ssl.SSLContext | None = None
        self.is_introduced = False
        """The server has accepted it and expects a TLS handshake, or a request where `context` is None."""
        self.inbox = bytearray()
        """What has arrived and was not read yet."""
        self.ended = False
        """The server sends no more."""
        self.was_reset = False
        self._loop = loop
        self._limits = limits
        self._gone = gone
        self._receiver: Receiver | None = None
        self._tls: TlsLayer | None = None
        self._ops: deque[WireOp] = deque()
        self._done: Callable[[], object] | None = None
        self._wait: VirtualTimer | None = None
        self._deadline: VirtualTimer | None = None
        self._holder = ""  # who can end the present wait or hang
        self._hung = False
        self._advancing = False

    # ---- the server's side: what `HttpSession` uses ------------------------------------------------------------------

    def introduce(self, receiver: Receiver, context: ssl.SSLContext | None) -> None:
        """The plans before the handshake are over: from now on the receiver gets what the client sends."""
        self._receiver, self.context, self.secure = receiver, context, context is not None
        self.is_introduced = True
        self.deadline(self._limits.handshake_s if context is not None else self._limits.idle_s)

    @property
    def talking(self) -> bool:
        return not (self.is_over or self._hung)

    @property
    def is_over(self) -> bool:
        """Nothing more will arrive."""
        return self.ended or self.was_reset

    def later(self, callback: Callable[[], object]) -> None:
        """Runs `callback` now: there is nobody who could wait."""
        callback()

    def play(self, plan: Plan, done: Callable[[], object] | None = None) -> None:
        """Carries out `plan` after the plans before it. `done` is called at its end, if the connection is still open."""
        self._ops.extend(plan)
        if done is not None:
            self._done = done
        self._advance()

    def push(self, data: bytes) -> bool:
        """Sends a piece of a stream. A client that reads too slowly is reset."""
        if not self.talking:
            return False
        if len(self.inbox) + len(data) > self._limits.max_unsent_bytes:
            self.abort()
            return False
        self.play((Send(data),))
        return True

    def deadline(self, seconds: float | None) -> None:
        """Calls `Receiver.overdue` in so many seconds. Replaces an earlier deadline; None: no deadline."""
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self._loop.call_later(seconds, self._overdue) if seconds is not None else None

    def pause(self) -> None:
        """A client that waits for each answer never sends ahead."""

    def resume(self) -> None:
        """See `pause`."""

    def release(self, holder: str) -> None:
        """`holder` holds nothing back any more: its waits end now, and what it hung is closed properly."""
        kept = (op for op in self._ops if not (isinstance(op, Wait) and op.held_by == holder))
        self._ops = deque(Close() if op == Hang(holder) else op for op in kept)
        if self._holder != holder or self.is_over:
            return
        self._holder = ""
        if self._wait is not None:
            self._wait.cancel()
        if self._hung:
            self._ops = deque((Close(),))
        self._wait, self._hung = None, False
        self._advance()

    def abort(self) -> None:
        """Drops the connection with a RST."""
        if not self.was_reset:
            self.was_reset = True
            self._drop()

    # ---- the client's side -------------------------------------------------------------------------------------------

    def client_sends(self, data: bytes) -> None:
        """Bytes of the client. Where TLS is expected, they must be a handshake until `handshake_is_over`."""
        if self.is_over or self._hung or self._receiver is None:
            return
        if self.context is None:
            self._receiver.received(data)
            return
        if self._tls is None:
            self._tls = TlsLayer(self.context)
        try:
            self._tls.feed(data)
        except ssl.SSLError:
            self.inbox += self._tls.take()  # the alert
            self.play((Close(),))
            return
        self.inbox += self._tls.take()

    def handshake_is_over(self) -> None:
        """Both sides go on in plain text; what is left of the handshake (session tickets) is dropped."""
        self.inbox.clear()
        self.context = self._tls = None
        self.deadline(self._limits.idle_s)

    def client_closes(self) -> None:
        """The client is gone."""
        self._drop()

    # ---- plans -------------------------------------------------------------------------------------------------------

    def _advance(self) -> None:
        if self._advancing:
            return  # a `done` called `play`: the loop below carries out what it added
        self._advancing = True
        try:
            while self.talking and self._wait is None:
                if self._ops:
                    self._carry_out(self._ops.popleft())
                elif self._done is not None:
                    done, self._done = self._done, None
                    done()
                else:
                    return
        finally:
            self._advancing = False

    def _carry_out(self, op: WireOp) -> None:
        match op:
            case Send(data):
                self.inbox += data
            case Wait(seconds, holder):
                self._holder = holder
                self._wait = self._loop.call_later(seconds, self._waited)
            case Reset():
                self.abort()
            case Hang(holder):
                self._holder, self._hung = holder, True
                self.deadline(None)
            case HalfClose() | Close():
                self.ended = True
                self._drop()

    def _waited(self) -> None:
        self._wait = None
        self._advance()

    def _overdue(self) -> None:
        self._deadline = None
        if self.context is not None or self._receiver is None:
            self.ended = True
            self._drop()
        else:
            self._receiver.overdue()

    def _drop(self) -> None:
        """Once: no timer and no receiver is left."""
        self._ops.clear()
        self._done = None
        for timer in (self._wait, self._deadline):
            if timer is not None:
                timer.cancel()
        self._wait = self._deadline = None
        self._gone(self)
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            receiver.lost()
