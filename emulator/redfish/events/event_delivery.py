"""Delivers events to subscribers over HTTP, from two worker threads, to allowed hosts only.

`frontends` makes one ThreadedEventDelivery per emulator. `subscriptions` calls `deliver` in the emulator's thread and gets the
result in the same thread.

Rules
  1. A host is allowed if it is a loopback address or in the caller's list. Host names are never resolved to find this out.
  2. The queue is bounded. A delivery that does not fit fails at once; `subscriptions` decides whether to retry it.
  3. A delivery is one POST to one URL, without redirects, proxies and cookies. Any 2xx status is a success.
  4. A delivery ends within TOTAL_S, whatever the server sends. `close` does not wait for one.
"""

from __future__ import annotations

import contextlib
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import h11

from emulator.redfish.events.subscriptions import Delivery

WORKERS: Final = 2
QUEUE: Final = 256
"""Deliveries that may wait."""
STEP_S: Final = 5.0
"""For each step of a delivery: connect, send, read a piece of the answer."""
TOTAL_S: Final = 10.0
"""For a delivery as a whole."""
READ_BYTES: Final = 16 * 1024
CLOSE_S: Final = 1.0
"""How long `close` waits for the workers, whose connections it has ended."""

Done = Callable[[str | None], None]


class ThreadedEventDelivery:
    """`post` runs a callback in the emulator's thread. The workers start with the first delivery and end with `close`."""

    def __init__(self, post: Callable[[Callable[[], None]], object], allowed: frozenset[str] = frozenset()) -> None:
        self._post = post
        self._allowed = allowed
        self._queue: queue.Queue[tuple[Delivery, Done] | None] = queue.Queue(QUEUE)
        self._threads: list[threading.Thread] = []
        self._under_way: set[_Exchange] = set()

    def allows(self, host: str) -> bool:
        return host in self._allowed or is_loopback(host)

    def deliver(self, delivery: Delivery, done: Done) -> None:
        if not self._threads:
            for n in range(WORKERS):
                thread = threading.Thread(target=self._work, name=f"fencelab-event-delivery-{n}", daemon=True)
                self._threads.append(thread)
                thread.start()
        try:
            self._queue.put_nowait((delivery, done))
        except queue.Full:
            done("too many deliveries are waiting")

    def close(self) -> None:
        """Ends the workers and drops waiting deliveries. May be called twice."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._queue.put(None)
        for exchange in tuple(self._under_way):
            exchange.abort()
        until = time.monotonic() + CLOSE_S
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))
        self._threads.clear()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            delivery, done = job
            exchange = _Exchange(delivery)
            self._under_way.add(exchange)
            problem = post_event(exchange)
            self._under_way.discard(exchange)
            if not exchange.is_aborted:
                self._report(done, problem)

    def _report(self, done: Done, problem: str | None) -> None:
        self._post(lambda: done(problem))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Exchange:
    """One POST over one connection, which `abort` can end from another thread."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._until = time.monotonic() + TOTAL_S
        self._sock: socket.socket | None = None
        self.is_aborted = False

    def abort(self) -> None:
        """Makes the exchange fail now."""
        self.is_aborted = True
        if (sock := self._sock) is not None:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def status(self) -> int:
        """Posts the event and returns the status of the answer.

        Raises ValueError for a destination that is not a URL, OSError, h11.ProtocolError.
        """
        delivery, parts = self._delivery, urlsplit(self._delivery.url)
        host, is_plain = parts.hostname or "", parts.scheme == "http"
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        machine = h11.Connection(h11.CLIENT)
        named = {name.lower() for name, _value in delivery.headers}
        own = (("Host", parts.netloc.rpartition("@")[2]), ("Content-Length", str(len(delivery.body))), ("Connection", "close"))
        headers = [*((name, value) for name, value in own if name.lower() not in named), *delivery.headers]
        head = machine.send(h11.Request(method="POST", target=target, headers=headers)) or b""
        request = head + (machine.send(h11.Data(data=delivery.body)) or b"") + (machine.send(h11.EndOfMessage()) or b"")
        with contextlib.closing(self._connected(host, parts.port or (80 if is_plain else 443))) as plain:
            sock = plain if is_plain else _context(delivery.verify).wrap_socket(plain, server_hostname=host)
            with contextlib.closing(sock):
                self._sock = sock
                self._time_left(sock)
                sock.sendall(request)
                return self._final_status(sock, machine)

    def _connected(self, host: str, port: int) -> socket.socket:
        sock = socket.create_connection((host, port), timeout=min(STEP_S, self._seconds_left()))
        self._sock = sock
        return sock

    def _final_status(self, sock: socket.socket, machine: h11.Connection) -> int:
        """Skips informational answers (1xx), of which a server may send any number until the time is over."""
        while True:
            event = machine.next_event()
            if isinstance(event, h11.Response):
                return event.status_code
            if isinstance(event, h11.ConnectionClosed):
                raise ConnectionError("the connection was closed without an answer")
            if event is h11.NEED_DATA:
                self._time_left(sock)
                machine.receive_data(sock.recv(READ_BYTES))

    def _time_left(self, sock: socket.socket) -> None:
        sock.settimeout(min(STEP_S, self._seconds_left()))

    def _seconds_left(self) -> float:
        left = self._until - time.monotonic()
        if left <= 0 or self.is_aborted:
            raise TimeoutError
        return left


def _context(verify: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def post_event(exchange: _Exchange) -> str | None:
    """Posts the event. Returns None for a 2xx status, else the reason in a few words, without addresses."""
    try:
        status = exchange.status()
    except TimeoutError:
        return "no answer in time"
    except ssl.SSLError:
        return "TLS failed"
    except OSError:
        return "no connection"
    except h11.RemoteProtocolError:
        return "the answer is not HTTP"
    except (h11.LocalProtocolError, ValueError):
        return "the destination is not a URL"
    return None if 200 <= status < 300 else f"status {status}"
