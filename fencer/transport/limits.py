"""Ways to end a call on time, whatever the other side does."""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
from types import TracebackType

from fencer.outcome import Cause, Failure
from fencer.transport.base import Unread


class Wall:
    """Cuts the connections of one call when its time is up.

    Time-outs of single reads do not bound a call: a BMC that sends one byte a second meets every one of them.
    """

    def __init__(self, seconds: float) -> None:
        self.fell = False
        self._lock = threading.Lock()
        self._held: list[socket.socket] = []
        self._timer = threading.Timer(seconds, self._fall)
        self._timer.daemon = True

    def hold(self, connection: socket.socket) -> None:
        """Takes a duplicate: TLS detaches the original, and shutting down either ends both."""
        with self._lock:
            self._held.append(connection.dup())
            if self.fell:
                _shut(self._held[-1])

    def _fall(self) -> None:
        with self._lock:
            self.fell = True
            for connection in self._held:
                _shut(connection)

    def __enter__(self) -> Wall:
        self._timer.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._timer.cancel()
        with self._lock:
            for connection in self._held:
                connection.close()
            self._held.clear()


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other side was faster
        return


ResolvedAddress = tuple[socket.AddressFamily, str]


def addresses(host: str, timeout: float) -> list[ResolvedAddress]:
    """The addresses of a host name. The system's resolver knows no time-out, so it runs in a thread of its own.

    Raises Unread.
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
        raise Unread(Failure(cause=Cause.UNREACHABLE, text=text))
    return answer
