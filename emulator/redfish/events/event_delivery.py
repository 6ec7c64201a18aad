"""Delivers events to subscribers over HTTP, from two worker threads, to allowed hosts only.

`frontends` makes one ThreadedEventDelivery per emulator. `subscriptions` calls `deliver` in the emulator's thread and gets the
result in the same thread.

Rules
  1. A host is allowed if it is a loopback address or in the caller's list. Host names are never resolved to find this out.
  2. The queue is bounded. A delivery that does not fit fails at once; `subscriptions` decides whether to retry it.
  3. A delivery is one POST to one URL, without redirects, proxies and cookies. Any 2xx status is a success.
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
"""Deliveries that may wait."""
TIMEOUT_S: Final = 5.0
"""For each step of a delivery: connect, send, read the answer."""

Done = Callable[[str | None], None]


class ThreadedEventDelivery:
    """`post` runs a callback in the emulator's thread. The workers start with the first delivery and end with `close`."""

    def __init__(self, post: Callable[[Callable[[], None]], object], allowed: frozenset[str] = frozenset()) -> None:
        self._post = post
        self._allowed = allowed
        self._queue: queue.Queue[tuple[Delivery, Done] | None] = queue.Queue(QUEUE)
        self._threads: list[threading.Thread] = []

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
        for thread in self._threads:
            thread.join(3 * TIMEOUT_S)
        self._threads.clear()

    def _work(self) -> None:
        while (job := self._queue.get()) is not None:
            delivery, done = job
            self._report(done, post_event(delivery))

    def _report(self, done: Done, problem: str | None) -> None:
        self._post(lambda: done(problem))


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def post_event(delivery: Delivery) -> str | None:
    """Posts the event. Returns None for a 2xx status, else the reason in a few words, without addresses."""
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
    """An unopened connection, and path and query of the URL. Raises ValueError if it is not a URL."""
    parts = urlsplit(delivery.url)
    host = parts.hostname or ""
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if parts.scheme == "http":
        return http.client.HTTPConnection(host, parts.port, timeout=TIMEOUT_S), target
    context = ssl.create_default_context()
    if not delivery.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return http.client.HTTPSConnection(host, parts.port, timeout=TIMEOUT_S, context=context), target
