"""What an in-process fencer is handed instead of sockets and the machine's clock (ruling 37).

Made by `SocketlessEmulator`; used in the emulator's one thread. A wait, a late answer and a hung connection take no real time.

Rules
  1. Errors are those of a real socket, of `ssl` and of `http.client`. None of them is ours.
  2. A time-out counts for the whole call, in virtual seconds, and ends it exactly then.
  3. Nobody waits beyond `until`: `OutOfTime` is raised there and at every call after that.
"""

from __future__ import annotations

import http.client
import math
import threading
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.core.clock import Instant
from emulator.wire.virtual_client import VirtualClient
from emulator.wire.virtual_loop import VirtualLoop
from emulator.wire.virtual_network import VirtualNetwork

CLOCK_READ_S: Final = 1e-4
"""Virtual seconds that a look at the clock takes, so that a busy wait comes to its end."""
NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class OutOfTime(BaseException):
    """The fencer's time is over. Not an Exception, so that no `except Exception` of a fencer takes it for an answer."""


class TransportAnswer(NamedTuple):
    """An HTTP answer. Names of headers are found in any case: `answer.headers["location"]`."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes


class TransportClock:
    """Virtual time, in seconds since the emulator started."""

    def __init__(self, loop: VirtualLoop, until: Instant) -> None:
        self._loop = loop
        self._until = until
        self._thread = threading.get_ident()
        self.is_over = False
        """Whether `OutOfTime` has been raised."""

    def now(self) -> float:
        """Seconds on the virtual clock; it never goes backwards."""
        self.pass_until(self._loop.now() + CLOCK_READ_S)
        return self._loop.now()

    monotonic = now

    def sleep(self, seconds: float) -> None:
        """Lets virtual time pass. Raises ValueError for a negative number, as `time.sleep` does."""
        if not seconds >= 0:
            raise ValueError("sleep length must be non-negative")
        self.pass_until(self._loop.now() + seconds)

    def pass_until(self, instant: Instant) -> None:
        """Lets virtual time pass until an instant. Raises OutOfTime."""
        self.check()
        self._loop.run_until(min(instant, self._until))
        if instant > self._until:
            self.check()

    def bounded(self, instant: Instant) -> Instant:
        """An instant, or the end of the fencer's time where that is earlier."""
        return min(instant, self._until)

    def check(self) -> None:
        """Raises OutOfTime at the end of the fencer's time, RuntimeError in another thread than the emulator's."""
        if threading.get_ident() != self._thread:
            raise RuntimeError("transport and clock may be used in one thread only: the one in which the fencer was called")
        if self._loop.now() >= self._until:
            self.is_over = True
            raise OutOfTime("the fencer's time is over")


class Transport:
    """The network of a socketless emulator, for one client."""

    def __init__(self, network: VirtualNetwork, clock: TransportClock, ipmi: tuple[str, int]) -> None:
        """`ipmi` is where `datagram` goes unless the caller says otherwise."""
        self._clock = clock
        self._client = VirtualClient(network, clock.bounded, clock.check)
        self._ipmi = ipmi

    def http(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] = NO_HEADERS,
        body: bytes | None = None,
        timeout: float | None = None,
        *,
        ca_file: str | None = None,
    ) -> TransportAnswer:
        """One HTTP exchange on a connection of its own; `timeout` in seconds, None: without limit. Redirects are not followed.

        With `ca_file` the certificate is verified against the certificates in that file, else it is not.

        Raises ConnectionRefusedError, ConnectionResetError, TimeoutError; ssl.SSLError and ssl.SSLCertVerificationError;
        http.client.RemoteDisconnected where the connection ends without an answer, IncompleteRead where the body ends early,
        BadStatusLine where the answer is not HTTP; OSError for an address where nobody is, socket.gaierror for a name that nobody
        knows (`localhost` is known); ValueError for a URL that is none.
        """
        return TransportAnswer(*self._client.exchange(method, url, headers, body, seconds(timeout), ca_file))

    def datagram(self, data: bytes, timeout: float | None = None, *, address: tuple[str, int] | None = None) -> bytes:
        """Sends a UDP datagram to the BMC's IPMI port, or to `address`, and waits for the next one from there.

        Empty `data` sends nothing and only waits. Late and doubled answers wait for the next call, as in a socket's queue.
        Raises TimeoutError.
        """
        return self._client.datagram(data, address or self._ipmi, seconds(timeout))


def seconds(timeout: float | None) -> float:
    """A time-out as a number. Raises ValueError for a negative one."""
    if timeout is None:
        return math.inf
    if not timeout >= 0:
        raise ValueError("Timeout value out of range")
    return timeout
