"""`fencer.fence` against a server that breaks HTTP itself: bytes that http.client takes for something else, floods, bombs."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace

import pytest

from fencer import Cause, FenceVerdict, Limits, Outcome, Target, fence
from tests.commands import PATIENCE
from tests.redfish_service import CHASSIS, RESET, SYSTEM, Service, system

pytestmark = pytest.mark.long

LIMITS = Limits(deadline=3, stable_for=0.1, poll=0.05, poll_max=0.1)
ROOT = {"@odata.id": "/redfish/v1", "Systems": {"@odata.id": "/redfish/v1/Systems"}}
SYSTEMS = {"@odata.id": "/redfish/v1/Systems", "Members": [{"@odata.id": SYSTEM}], "Members@odata.count": 1}

Spoil = Callable[[socket.socket, str, bytes], bool]
"""Sends what it likes in place of the honest answer (path, JSON body) and returns whether the connection stays open."""


def plain(body: bytes, *more: str) -> bytes:
    lines = ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *more)
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


@dataclass
class RawServer:
    """A BMC whose System may be answered by `spoil`; the rest is honest. A running host goes off with the first POST."""

    spoil: Spoil
    only: str = SYSTEM
    service: Service = field(default_factory=lambda: Service(up=False))
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.stopped = False

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            if self.stopped:
                connection.close()
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection: socket.socket) -> None:
        with closing(connection), suppress(OSError):
            while head := _head(connection):
                method, path = head.split(" ")[:2]
                self.requests.append(f"{method} {path}")
                if method == "POST":
                    self.service.up = False
                    connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")
                    return
                body = json.dumps(self.document(path)).encode()
                if path != self.only:
                    connection.sendall(plain(body))
                elif not self.spoil(connection, path, body):
                    return

    def document(self, path: str) -> object:
        here = {"/redfish/v1": ROOT, "/redfish/v1/Systems": SYSTEMS, CHASSIS: {"@odata.id": CHASSIS, "Id": "1"}}
        return system(self.service) if path == SYSTEM else here.get(path, {})


def _head(connection: socket.socket) -> str:
    raw = b""
    while b"\r\n\r\n" not in raw:
        block = connection.recv(65536)
        if not block:
            return ""
        raw += block
    return raw.decode("latin-1")


@pytest.fixture
def spoilt() -> Iterator[Callable[..., RawServer]]:
    servers: list[RawServer] = []

    def start(spoil: Spoil, only: str = SYSTEM, *, up: bool = False) -> RawServer:
        server = RawServer(spoil, only, Service(up=up))
        servers.append(server)
        threading.Thread(target=server.serve, daemon=True).start()
        return server

    yield start
    for server in servers:
        server.stopped = True
        with suppress(OSError), socket.create_connection(server.listener.getsockname()):
            pass
        server.listener.close()


def fenced(server: RawServer, limits: Limits = LIMITS) -> Outcome:
    url = f"http://127.0.0.1:{server.listener.getsockname()[1]}"
    with ThreadPoolExecutor(1) as pool:
        target = Target(host="", url=url, user="admin", password="s3cret")
        return pool.submit(fence, target, limits).result(PATIENCE)  # a hang is a TimeoutError


def sending(make: Callable[[bytes], bytes], *, stays: bool = False) -> Spoil:
    def spoil(connection: socket.socket, path: str, body: bytes) -> bool:
        connection.sendall(make(body))
        return stays

    return spoil


def chunked(body: bytes, *, extension: bytes = b"") -> bytes:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in (body[:7], body[7:]))
    return head + chunks + b"0\r\nX-Trailer: 1\r\n\r\n"


# --- odd, and right ---------------------------------------------------------------------------------------------------

INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
ODD: dict[str, Spoil] = {
    "HTTP/1.0": sending(lambda body: plain(body).replace(b"HTTP/1.1", b"HTTP/1.0", 1)),
    "no length": sending(lambda body: b"HTTP/1.1 200 OK\r\n\r\n" + body),
    "a long body, and the end": sending(lambda body: plain(body + b" " * 500_000, "Connection: close")),
    "100 Continue": sending(lambda body: b"HTTP/1.1 100 Continue\r\n\r\n" + plain(body), stays=True),
    "102 and 103": sending(lambda body: b"HTTP/1.1 102 Processing\r\n\r\n" + INTERIM * 3 + plain(body), stays=True),
    "chunk extensions": sending(lambda body: chunked(body, extension=b';a="b;c"')),
    "cookies": sending(lambda body: plain(body, "Set-Cookie: a=b; Secure", "Set-Cookie: c=d"), stays=True),
    "a folded header": sending(lambda body: plain(body, "X-Long: a\r\n b")),
    "a BOM": sending(lambda body: plain(b"\xef\xbb\xbf" + body)),
    "gzip": sending(lambda body: plain(gzip.compress(body), "Content-Encoding: gzip")),
    "deflate": sending(lambda body: plain(zlib.compress(body), "Content-Encoding: deflate")),
    "raw deflate": sending(lambda body: plain(zlib.compress(body, wbits=-15), "Content-Encoding: deflate")),
    "closed without a word": sending(plain),
    "bytes after the body": sending(lambda body: plain(body) + b"\r\n\r\nHTTP/1.1 200 OK\r\n", stays=True),
}


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("what", ODD)
def test_an_odd_answer_is_understood(spoilt: Callable[..., RawServer], what: str, up: bool) -> None:
    outcome = fenced(spoilt(ODD[what], up=up))
    assert outcome.verdict is FenceVerdict.CONFIRMED, outcome.failure
    assert outcome.commands_sent == int(up)


def test_a_connection_that_is_announced_to_be_closed_costs_no_request(spoilt: Callable[..., RawServer]) -> None:
    outcome = fenced(spoilt(sending(lambda body: plain(body, "Connection: close"))))
    assert outcome.verdict is FenceVerdict.CONFIRMED
    assert [reading.repeated for reading in outcome.readings] == [0] * len(outcome.readings)


def test_a_connection_that_is_closed_without_a_word_costs_one_request_at_most(spoilt: Callable[..., RawServer]) -> None:
    """A request can meet the close on its way; nobody can know that beforehand (RFC 9112 9.3.1). It is sent once more."""
    outcome = fenced(spoilt(sending(plain)))
    assert outcome.verdict is FenceVerdict.CONFIRMED
    assert all(reading.repeated <= 1 for reading in outcome.readings)


# --- wrong ------------------------------------------------------------------------------------------------------------


def word(value: object) -> Callable[[bytes], bytes]:
    return lambda body: plain(json.dumps({**json.loads(body), "PowerState": value}).encode())


def text(change: Callable[[str], str]) -> Spoil:
    return sending(lambda body: plain(change(body.decode()).encode()))


WRONG: dict[str, Spoil] = {
    "a list": sending(word(["Off"])),
    "an object": sending(word({"PowerState": "Off"})),
    "true": sending(word(True)),
    "lower case": sending(word("off")),
    "a blank": sending(word("Off ")),
    "a NUL": sending(word("Off\0")),
    "a long word": sending(word("Off" * 100_000)),
    "another alphabet": sending(word("\uff2fff")),
    "two words": text(lambda body: body.replace('"PowerState": "Off"', '"PowerState": "On", "PowerState": "Off"')),
    "two spellings": text(lambda body: body.replace('"PowerState": "Off"', '"PowerState": "On", "Power\\u0053tate": "Off"')),
    "NaN": text(lambda body: body.replace('"PowerState": "Off"', '"PowerState": NaN')),
    "another case": text(lambda body: body.replace('"PowerState"', '"powerstate"')),
    "UTF-16": sending(lambda body: plain(body.decode().encode("utf-16"))),
    "a body after 204": sending(lambda body: plain(body).replace(b"200 OK", b"204 No Content", 1), stays=True),
    "206": sending(lambda body: plain(body).replace(b"200 OK", b"206 Partial Content", 1)),
    "203 of a proxy": sending(lambda body: plain(body).replace(b"200 OK", b"203 Non-Authoritative", 1)),
    "too short": sending(lambda body: plain(body)[:-9]),
    "a chunk that is missing": sending(lambda body: chunked(body)[:-60]),
    "deep nesting": sending(lambda body: plain(b'{"a":' * 100_000 + b"1" + b"}" * 100_000)),
    "a long number": sending(lambda body: plain(b'{"a":' + b"9" * 100_000 + b"}")),
    "a header of 1 MB": sending(lambda body: plain(body, "X-Long: " + "a" * 1_000_000)),
    "a thousand headers": sending(lambda body: plain(body, *(f"X-{number}: a" for number in range(1000)))),
    "interim answers for ever": sending(lambda body: INTERIM * 100_000),
    "HTTP/0.9": sending(lambda body: body),
    "to http": sending(lambda body: b"HTTP/1.1 301 M\r\nLocation: http://127.0.0.1:1/redfish/v1/Systems/1\r\n\r\n"),
    "to itself": sending(
        lambda body: b"HTTP/1.1 307 M\r\nContent-Length: 0\r\nLocation: /redfish/v1/Systems/1\r\n\r\n", stays=True
    ),
    "a bomb": sending(lambda body: plain(gzip.compress(b" " * 200_000_000), "Content-Encoding: gzip")),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_no_off_and_one_clear_failure(spoilt: Callable[..., RawServer], what: str) -> None:
    outcome = fenced(spoilt(WRONG[what]), replace(LIMITS, deadline=1.0))
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert outcome.failure is not None
    assert outcome.failure.cause in (Cause.BAD_RESPONSE, Cause.UNREACHABLE, Cause.TIMEOUT)
    assert len(outcome.failure.text) < 1000
    assert all(len(reading.word or "") < 250 for reading in outcome.readings)


def negative_chunk(connection: socket.socket, path: str, body: bytes) -> bool:
    """http.client reads a chunk of -1 bytes to the end of the connection."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
    while True:
        connection.sendall(b" " * 1_000_000)


def endless_body(connection: socket.socket, path: str, body: bytes) -> bool:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b" " * 1_000_000)


def endless_trailer(connection: socket.socket, path: str, body: bytes) -> bool:
    connection.sendall(chunked(body)[:-2])
    while True:
        connection.sendall(b"X-Trailer: 1\r\n" * 50_000)


@pytest.mark.parametrize("flood", [negative_chunk, endless_body, endless_trailer])
def test_a_flood_is_cut_and_takes_no_memory(spoilt: Callable[..., RawServer], flood: Spoil) -> None:
    server = spoilt(flood)
    tracemalloc.start()
    try:
        outcome = fenced(server, replace(LIMITS, deadline=1.0))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert peak < 40_000_000, peak


# --- which System -----------------------------------------------------------------------------------------------------

MEMBER = {"@odata.id": SYSTEM}
COLLECTIONS: dict[str, object] = {
    "a number as text": {"Members": [MEMBER], "Members@odata.count": "2"},
    "a number with a point": {"Members": [MEMBER], "Members@odata.count": 2.0},
    "a member without a link": {"Members": [MEMBER, {"Name": "the other"}]},
    "a member that is null": {"Members": [MEMBER, None]},
    "a member that is a text": {"Members": [MEMBER, "/redfish/v1/Systems/2"]},
    "members in an object": {"Members": {"1": MEMBER}},
    "members in a text": {"Members": SYSTEM},
    "a page that leads to itself": {"Members": [MEMBER], "Members@odata.nextLink": "/redfish/v1/Systems"},
    "a page elsewhere": {"Members": [MEMBER], "Members@odata.nextLink": "https://192.0.2.1/redfish/v1/Systems?page=2"},
}


@pytest.mark.parametrize("what", COLLECTIONS)
def test_systems_that_are_counted_and_not_named_are_not_guessed(spoilt: Callable[..., RawServer], what: str) -> None:
    answer = json.dumps(COLLECTIONS[what]).encode()
    server = spoilt(sending(lambda body: plain(answer)), "/redfish/v1/Systems")
    outcome = fenced(server, replace(LIMITS, deadline=1.0))
    assert outcome.verdict is FenceVerdict.UNKNOWN
    assert f"GET {SYSTEM}" not in server.requests


@pytest.mark.parametrize("target", ["/redfish/v1/Systems/2/Actions/ComputerSystem.Reset", ""])
def test_a_power_command_for_another_system_or_for_none_is_not_sent(spoilt: Callable[..., RawServer], target: str) -> None:
    changed = text(lambda body: body.replace(f'"{RESET}"', f'"{target}"'))
    server = spoilt(changed, up=True)
    outcome = fenced(server, replace(LIMITS, deadline=1.5))
    assert outcome.verdict is not FenceVerdict.CONFIRMED
    assert not [line for line in server.requests if line.startswith("POST")]
