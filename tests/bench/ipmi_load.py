"""A load generator for IPMI: one socket, one worker, whole sessions or commands in an open one."""

from __future__ import annotations

import random
import socket
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.ipmi_client import Client, open_sessionless, request, sessionless

STATUS = (0, 1)
AUTH_CAPABILITIES = sessionless(request(6, 0x38, b"\x8e\x04"))
ANSWER_WITHIN = 5.0


@dataclass(frozen=True)
class Server:
    """Where BMCs of one kind are, and how to log in."""

    name: str
    addresses: Sequence[str]
    port: int
    user: str
    password: str


class LostAnswer(Exception):
    """A server was silent."""


class Line:
    """Speaks to many BMCs from one socket. Never repeats itself: what is lost shows."""

    def __init__(self) -> None:
        self._sock = socket.socket(type=socket.SOCK_DGRAM)
        self._sock.settimeout(ANSWER_WITHIN)

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_why: object) -> None:
        self._sock.close()

    def to(self, address: str, port: int) -> Callable[[bytes], list[bytes]]:
        def send(datagram: bytes) -> list[bytes]:
            self._sock.sendto(datagram, (address, port))
            try:
                return [self._sock.recvfrom(2048)[0]]
            except TimeoutError:
                raise LostAnswer(f"{address}:{port} did not answer {datagram[:6].hex()}... for {ANSWER_WITHIN:g} s") from None

        return send


def whole_session(line: Line, server: Server, address: str) -> None:
    """Capabilities, open, RAKP 1 and 3, privilege, chassis status, close: seven round trips."""
    send = line.to(address, server.port)
    assert open_sessionless(send(AUTH_CAPABILITIES)[0])[0] == 0
    client = Client(send, user=server.user, password=server.password).login()
    code, data = client.command(*STATUS) or (None, b"")
    assert code == 0
    assert data[0] & 1
    client.close()


def sessions_in(server: Server, seconds: float, *, seed: int = 1) -> tuple[int, float]:
    """How many whole sessions, and the seconds that they took."""
    rng = random.Random(seed)
    with Line() as line:
        whole_session(line, server, server.addresses[0])  # the first one warms up
        began, done = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            whole_session(line, server, rng.choice(server.addresses))
            done += 1
        return done, time.perf_counter() - began


def command_p50(server: Server, count: int) -> float:
    """Median seconds of a chassis status in an open session."""
    with Line() as line:
        send = line.to(server.addresses[0], server.port)
        send(AUTH_CAPABILITIES)  # makes pyghmi forget an older session of a client port that has come back
        client = Client(send, user=server.user, password=server.password).login()
        took = []
        for _ in range(count):
            began = time.perf_counter()
            assert client.command(*STATUS)
            took.append(time.perf_counter() - began)
        client.close()
        return statistics.median(took)
