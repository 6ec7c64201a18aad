"""Time limits for a whole call: closes its connections at a deadline, and bounds name resolution.

The transports use it in their caller's thread; it starts one timer thread or resolver thread per call. Times are seconds.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from types import TracebackType

from fencer.outcome import Cause, Failure
from fencer.transport.base import CallFailed


class CallDeadline:
    """Shuts down the connections of one call after `seconds`. Use it as a context manager.

    Socket time-outs do not bound a call: a BMC that sends one byte per second never exceeds them.
    """

    def __init__(self, seconds: float) -> None:
        self.passed = False
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._cut_connections)
        self._timer.daemon = True

    def watch(self, connection: socket.socket) -> None:
        """Adds a connection of the call. Keeps a duplicate, because TLS detaches the original; a shutdown affects both."""
        with self._lock:
            self._connections.append(connection.dup())
            if self.passed:
                _shut_down(self._connections[-1])

    def _cut_connections(self) -> None:
        with self._lock:
            self.passed = True
            for connection in self._connections:
                _shut_down(connection)

    def __enter__(self) -> CallDeadline:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()


def _shut_down(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the BMC has closed it already
        return


ResolvedAddress = tuple[socket.AddressFamily, str]


def addresses(host: str, timeout: float) -> list[ResolvedAddress]:
    """Resolves a host name. The system's resolver has no time-out, so it runs in a thread of its own.

    Raises CallFailed.
    """
    try:
        version = ipaddress.ip_address(host.partition("%")[0]).version
    except ValueError:
        pass
    else:
        return [(socket.AF_INET6 if version == 6 else socket.AF_INET, host)]
    answers: queue.SimpleQueue[list[ResolvedAddress] | str] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(str(error))
        else:
            answers.put([(family, str(address[0])) for family, _, _, _, address in found])

    threading.Thread(target=resolve, daemon=True).start()
    try:
        answer = answers.get(timeout=timeout)
    except queue.Empty:
        answer = f"no answer from the resolver within {timeout:.1f} s"
    if isinstance(answer, str):
        text = f"the name {host} does not resolve ({answer})"
        raise CallFailed(Failure(cause=Cause.UNREACHABLE, text=text))
    return answer
