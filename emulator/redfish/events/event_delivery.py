"""Carries events to subscribers from threads of its own, and to allowed hosts only.

Rules
  1. A host is allowed if it is a loopback address or on the caller's list; names are never looked up to find out.
  2. The queue is bounded: what does not fit has failed at once, and the desk decides about another try.
  3. No redirects, no proxies, no cookies: one POST to one place, and any 2xx is a delivery.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import ssl
import threading
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

from emulator.redfish.events.subscriptions import Delivery

WORKERS: Final = 2
QUEUE: Final = 256
TIMEOUT: Final = 5.0
"""Seconds for each step of a delivery: connecting, sending, reading the answer."""

Done = Callable[[str | None], None]


class ThreadedEventDelivery:
    """`post` runs a callback in the rack's thread. Threads start with the first delivery and end with `close`."""

    def __init__(self, post: Callable[[Callable[[], None]], object], allowed: frozenset[str] = frozenset()) -> None:
        self._post = post
        self._allowed = allowed
        self._queue: queue.Queue[tuple[Delivery, Done] | None] = queue.Queue(QUEUE)
        self._threads: list[threading.Thread] = []

    def allows(self, host: str) -> bool:
        return host in self._allowed or is_loopback(host)

    def carry(self, delivery: Delivery, done: Done) -> None:
        if not self._threads:
            for n in range(WORKERS):
                thread = threading.Thread(target=self._work, name=f"fencelab-courier-{n}", daemon=True)
                self._threads.append(thread)
                thread.start()
        try:
            self._queue.put_nowait((delivery, done))
        except queue.Full:
            done("too many deliveries are waiting")

    def close(self) -> None:
        """Ends the threads; what is waiting is dropped. Safe to call twice."""
        while True:
            try:
                self._queue.get_nowait()
            except queue.Empty:
                break
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(3 * TIMEOUT)
        self._threads.clear()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            delivery, done = job
            self._report(done, sent(delivery))

    def _report(self, done: Done, problem: str | None) -> None:
        self._post(lambda: done(problem))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def sent(delivery: Delivery) -> str | None:
    """POSTs; None for a 2xx, else what went wrong in a few words without addresses."""
    try:
        connection, target = _connection(delivery)
    except ValueError:
        return "the destination is not a URL"
    try:
        connection.request("POST", target, delivery.body, dict(delivery.headers))
        status = connection.getresponse().status
    except TimeoutError:
        return "no answer in time"
    except ssl.SSLError:
        return "TLS failed"
    except OSError:
        return "no connection"
    except (http.client.HTTPException, ValueError):
        return "the answer is not HTTP"
    finally:
        connection.close()
    return None if 200 <= status < 300 else f"status {status}"


def _connection(delivery: Delivery) -> tuple[http.client.HTTPConnection, str]:
    """Raises ValueError."""
    parts = urlsplit(delivery.url)
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT), target
    context = ssl.create_default_context()
    if not delivery.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT, context=context), target
