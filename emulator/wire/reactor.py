"""The event loop of an emulator: sockets, timers and calls from other threads, in one thread and one total order.

The composition root makes one per emulator. Instants and delays are in seconds on the loop's `Clock`.

Rules
  1. Every callback runs in the loop's thread. Other threads may use only `post`, `call`, `wake`, `start` and `stop`.
  2. The loop reads the time from its `Clock`. With a clock that does not run by itself (`VirtualClock`) it waits for sockets and
     posted calls only: the code that moves the clock calls `wake()`, or `call()`, which also waits for the due timers.
  3. An exception of a callback is reported to `on_error`, and the socket whose callback it was is dropped if its owner asks for
     that (`SocketWatch.on_failed`). Only `stop()` ends the loop.

Theory
  One turn of the loop is: wait; run due timers, then the driven sources, then ready sockets, then posted calls. So the rack's
  timers have run before it sees a request, and a posted call sees everything that was due.

  A client that got an answer often sends its next request sooner than a thread could sleep and be woken. So the loop lingers:
  for a short time after something was ready it polls without sleeping, and lets other threads run between two polls.
"""

from __future__ import annotations

import heapq
import math
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from enum import Enum
from typing import TypeVar

from emulator.core.clock import Clock, Instant
from emulator.wire.error_log import ErrorLog
from emulator.wire.timers import Callback, DrivenSource, LoopTimer
from emulator.wire.wallclock import WallClock

T = TypeVar("T")
OnError = Callable[[Exception], object]

_READABLE, _WRITABLE = select.EPOLLIN, select.EPOLLOUT  # an error or a hang-up counts as both
_READY_PER_TURN = 256
_RETRY_AFTER_ERROR_S = 0.1  # seconds on the loop's clock: a source that raises must not make the loop use all CPU time
_DEFERRED_S = 0.003  # real seconds of a turn for work that can wait
_SWEEP = 1024  # cancelled timers are removed from the heap when it has grown by this many
_LINGER_S = 0.0002  # real seconds
_LONGEST_SLEEP_S = 86_400.0  # real seconds: epoll cannot wait for a year
_yield_cpu: Callable[[], object] = getattr(os, "sched_yield", lambda: None)


class ReactorStopped(RuntimeError):
    """The caller's fault: this loop has ended and runs nothing any more."""


class SocketWatch:
    """What the loop calls when a socket is ready. Level-triggered: a socket that is not read is called again in the next turn."""

    __slots__ = ("_mask", "_reactor", "on_failed", "on_readable", "on_writable", "sock")

    def __init__(self, reactor: Reactor, sock: socket.socket) -> None:
        self._reactor = reactor
        self.sock = sock
        self.on_readable: Callback | None = None
        self.on_writable: Callback | None = None
        self.on_failed: Callback | None = None  # called when one of the other two has raised
        self._mask = 0

    def set(self, on_readable: Callback | None, on_writable: Callback | None) -> None:
        """Replaces both callbacks. None: do not wait for that."""
        self.on_readable = on_readable
        self.on_writable = on_writable
        mask = (_READABLE if on_readable else 0) | (_WRITABLE if on_writable else 0)
        if mask != self._mask:
            self._reactor._poll_for(self.sock, self._mask, mask)
            self._mask = mask

    def close(self) -> None:
        """Takes the socket out of the loop and closes it."""
        self.set(None, None)
        self._reactor._forget(self)
        self.sock.close()


class _Phase(Enum):
    NEW = 1
    RUNNING = 2
    STOPPED = 3


_report = ErrorLog()


class Reactor:
    """The loop, one per emulator. Before it runs, `add`, `call_at` and `call` may be used in the thread that made it."""

    def __init__(self, clock: Clock, on_error: OnError = _report) -> None:
        self.clock = clock
        self._on_error = on_error
        self._epoll = select.epoll()
        self._lingers = False
        self._watches: list[SocketWatch | None] = []  # by file descriptor, which are small numbers
        self._timers: list[tuple[Instant, int, LoopTimer]] = []
        self._timer_number = 0
        self._sweep_at = _SWEEP
        self._sources: list[DrivenSource] = []
        self._lock = threading.Lock()
        self._posted: deque[tuple[Callback, Future[object] | None]] = deque()
        self._deferred: deque[tuple[Callback, Callback]] = deque()
        self._phase = _Phase.NEW
        self._stopping = False
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._ident: int | None = None
        self._waker, wakee = socket.socketpair()
        self._waker.setblocking(False)
        wakee.setblocking(False)
        self._wakee = self.add(wakee, self._drain_wakes)

    # ---- from the loop's thread -------------------------------------------------------------------------------------

    def now(self) -> Instant:
        return self.clock.now()

    def add(self, sock: socket.socket, on_readable: Callback | None = None, on_writable: Callback | None = None) -> SocketWatch:
        """Watches a non-blocking socket, and closes it when the loop stops."""
        watch = SocketWatch(self, sock)
        missing = sock.fileno() + 1 - len(self._watches)
        self._watches += [None] * missing
        self._watches[sock.fileno()] = watch
        watch.set(on_readable, on_writable)
        return watch

    def call_at(self, instant: Instant, callback: Callback) -> LoopTimer:
        """Calls `callback` once, when the clock shows `instant` or later. Equal instants run in the order of these calls."""
        timer = LoopTimer(instant, callback)
        self._timer_number += 1
        heapq.heappush(self._timers, (instant, self._timer_number, timer))
        if len(self._timers) > self._sweep_at:
            self._timers = [entry for entry in self._timers if entry[2].callback is not None]
            heapq.heapify(self._timers)
            self._sweep_at = 2 * len(self._timers) + _SWEEP
        return timer

    def call_later(self, seconds: float, callback: Callback) -> LoopTimer:
        """Calls `callback` once, in so many seconds."""
        return self.call_at(self.clock.now() + seconds, callback)

    def drive(self, next_due: Callable[[], Instant | None], advance: Callable[[Instant], object]) -> None:
        """Calls `advance(now)` whenever the instant `next_due()` has come. Both run in the loop, `next_due` twice a turn."""
        self._sources.append(DrivenSource(next_due, advance))

    def defer(self, callback: Callback, on_failed: Callback) -> None:
        """Runs `callback` in a later turn, after the sockets that are ready then. Several take turns, a few of them in each turn.

        For work that one client has asked for in advance: it must not delay the others. `on_failed` runs if it raises.
        """
        self._deferred.append((callback, on_failed))

    def guard(self, callback: Callback) -> None:
        """Runs a callback and reports its exception, see rule 3."""
        try:
            callback()
        except Exception as error:  # noqa: BLE001  rule 3: any callback
            self.complain(error)

    def complain(self, error: Exception) -> None:
        """Reports an error that must not end the loop."""
        try:
            self._on_error(error)
        except Exception as worse:  # noqa: BLE001  an `on_error` that raises does not end the loop either
            _report(worse)

    # ---- from any thread --------------------------------------------------------------------------------------------

    @property
    def inside(self) -> bool:
        """Whether the caller is in the loop's thread."""
        return self._ident == threading.get_ident()

    def post(self, callback: Callback) -> None:
        """Runs `callback` in the loop soon. Raises ReactorStopped."""
        self._enqueue(callback, None)

    def wake(self) -> None:
        """Makes the loop run a turn, as is needed after a virtual clock was moved. Raises ReactorStopped."""
        self._enqueue(lambda: None, None)

    def call(self, function: Callable[[], T]) -> T:
        """Runs `function` in the loop and returns its result or raises its error.

        In the loop's thread, and before the loop runs, this is an ordinary call. Raises ReactorStopped.
        """
        if self.inside or self._phase is _Phase.NEW:
            return function()
        result: list[T] = []
        future: Future[object] = Future()
        self._enqueue(lambda: result.append(function()), future)
        future.result()
        return result[0]

    def start(self) -> None:
        """Runs the loop in a daemon thread of its own. Raises RuntimeError if it ran already."""
        self._begin()
        self._thread = threading.Thread(target=self._loop, name="fencelab-wire", daemon=True)
        self._thread.start()

    def run(self) -> None:
        """Runs the loop in this thread until `stop()` is called. Raises RuntimeError if it ran already."""
        self._begin()
        self._loop()

    def stop(self) -> None:
        """Ends the loop and closes every watched socket. Waits for that, unless called in the loop's thread."""
        with self._lock:
            self._stopping = True
            never_ran = self._phase is _Phase.NEW
            if never_ran:
                self._phase = _Phase.STOPPED
        if never_ran:
            self._close_everything()
        elif not self.inside:
            self._signal()
            self._ended.wait()
            if self._thread is not None:
                self._thread.join()

    # ---- the loop ---------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        with self._lock:
            if self._phase is not _Phase.NEW:
                raise RuntimeError("a reactor runs once; make another one")
            self._phase = _Phase.RUNNING

    def _loop(self) -> None:
        self._ident = threading.get_ident()
        try:
            while not self._stopping:
                self._turn()
        finally:
            with self._lock:
                self._phase = _Phase.STOPPED
            self._close_everything()

    def _turn(self) -> None:
        ready = self._wait()
        self._run_due()
        for watch, mask in ready:
            # Read the callback only now: an earlier one of this turn may have closed this socket.
            if watch is None:
                continue
            if mask & ~_WRITABLE and (callback := watch.on_readable) is not None:
                self._run(callback, watch.on_failed)
            if mask & ~_READABLE and (callback := watch.on_writable) is not None:
                self._run(callback, watch.on_failed)
        for _ in range(len(self._posted)):
            self._run_posted(*self._posted.popleft())
        self._run_deferred()

    def _run(self, callback: Callback, on_failed: Callback | None) -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001  rule 3
            self.complain(error)
            if on_failed is not None:
                self.guard(on_failed)

    def _run_deferred(self) -> None:
        until = time.perf_counter() + _DEFERRED_S
        for _ in range(len(self._deferred)):
            self._run(*self._deferred.popleft())
            if time.perf_counter() >= until:
                return

    def _wait(self) -> list[tuple[SocketWatch | None, int]]:
        """The sockets that are ready. Waits for one until the next timer is due."""
        limit_s = self._sleep_limit_s()
        if self._lingers and limit_s != 0.0:
            until = time.perf_counter() + (_LINGER_S if limit_s is None else min(_LINGER_S, limit_s))
            while True:
                if ready := self._poll(0.0):
                    return ready
                if time.perf_counter() >= until:
                    break
                _yield_cpu()
        ready = self._poll(limit_s)
        self._lingers = bool(ready)
        return ready

    def _poll(self, limit_s: float | None) -> list[tuple[SocketWatch | None, int]]:
        # Look up the watches now: a callback may close a socket, and the next one to be opened gets the same number.
        return [(self._watches[number], mask) for number, mask in self._epoll.poll(limit_s, _READY_PER_TURN)]

    def _sleep_limit_s(self) -> float | None:
        """Real seconds that the loop may wait for sockets; None: without limit."""
        if self._posted or self._deferred or self._stopping:
            return 0.0
        timers = self._timers
        while timers and timers[0][2].callback is None:
            heapq.heappop(timers)
        due = timers[0][0] if timers else None
        for source in self._sources:
            instant = self._due_of(source)
            if instant is not None and (due is None or instant < due):
                due = instant
        if due is None:
            return None
        if isinstance(self.clock, WallClock):
            left_s = self.clock.seconds_until(due)
            return left_s if left_s < _LONGEST_SLEEP_S else None if left_s == math.inf else _LONGEST_SLEEP_S
        return 0.0 if due <= self.clock.now() else None

    def _run_due(self) -> None:
        now = self.clock.now()
        due: list[LoopTimer] = []  # taken out first: a timer that a callback sets for now runs in the next turn
        while self._timers and self._timers[0][0] <= now:
            due.append(heapq.heappop(self._timers)[2])
        for timer in due:
            callback, timer.callback = timer.callback, None
            if callback is not None:
                self.guard(callback)
        for source in self._sources:
            instant = self._due_of(source)
            if instant is not None and instant <= now:
                try:
                    source.advance(now)
                except Exception as error:  # noqa: BLE001  rule 3
                    source.not_before = now + _RETRY_AFTER_ERROR_S
                    self.complain(error)

    def _due_of(self, source: DrivenSource) -> Instant | None:
        try:
            instant = source.next_due()
        except Exception as error:  # noqa: BLE001  rule 3
            source.not_before = self.clock.now() + _RETRY_AFTER_ERROR_S
            self.complain(error)
            return source.not_before
        return None if instant is None else max(instant, source.not_before)

    def _run_posted(self, callback: Callback, future: Future[object] | None) -> None:
        if future is None:
            self.guard(callback)
            return
        try:
            future.set_result(callback())
        except Exception as error:  # noqa: BLE001  goes to the caller, who waits in another thread
            future.set_exception(error)
        except BaseException as error:
            future.set_exception(error)
            raise

    def _enqueue(self, callback: Callback, future: Future[object] | None) -> None:
        with self._lock:
            if self._phase is _Phase.STOPPED:
                raise ReactorStopped("the wire loop has stopped")
            self._posted.append((callback, future))
        if not self.inside:
            self._signal()

    def _signal(self) -> None:
        try:
            self._waker.send(b"\0")
        except OSError:
            return  # a full pipe wakes the loop too; a closed one means that the loop has ended

    def _drain_wakes(self) -> None:
        self._wakee.sock.recv(4096)

    def _poll_for(self, sock: socket.socket, old: int, new: int) -> None:
        if new == 0:
            self._epoll.unregister(sock)
        elif old == 0:
            self._epoll.register(sock, new)
        else:
            self._epoll.modify(sock, new)

    def _forget(self, watch: SocketWatch) -> None:
        number = watch.sock.fileno()
        if number >= 0:  # otherwise the socket is closed already
            self._watches[number] = None

    def _close_everything(self) -> None:
        for _callback, future in self._posted:
            if future is not None:
                future.set_exception(ReactorStopped("the wire loop stopped before it came to this call"))
        self._posted.clear()
        self._timers.clear()
        self._sources.clear()
        for watch in tuple(self._watches):
            if watch is not None:
                watch.close()
        self._epoll.close()
        self._waker.close()
        self._ended.set()
