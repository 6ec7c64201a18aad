"""A running wire with a small WSGI application behind it, and raw sockets as clients."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from emulator.assembly import Emulator
from emulator.core.clock import VirtualClock
from emulator.core.rack import UnitSpec
from emulator.wire.certs import CertificateSpec, CertificateStore
from emulator.wire.http import HttpServer, NoHooks
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Plan
from emulator.wire.reactor import Reactor
from emulator.wire.stream import Stream
from emulator.wire.tcp import Listener
from emulator.wire.wallclock import WallClock
from fencer.transport import redfish_reader, refused_logins
from profiles.loader import load
from profiles.model import Span
from tests.redfish_lab import Lab
from tests.redfish_service import Service, serve

ADDRESS = "127.0.5.1"


@pytest.fixture(autouse=True)
def repeated_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that failed is repeated after some milliseconds."""
    monkeypatch.setattr(redfish_reader, "REPEAT_AFTER_S", 0.01)


@pytest.fixture
def service() -> Iterator[Service]:
    """A Redfish service of a few lines that answers whatever the test tells it to."""
    yield from serve()


@pytest.fixture
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second log-in after a refused one comes soon."""
    monkeypatch.setattr(refused_logins, "REFUSED_LOGIN_GAP_S", 0.2)


@dataclass
class Hooks(NoHooks):
    """Hooks that a test sets one by one, and what they saw."""

    on_connected: Callable[[], Plan | None] = lambda: None
    on_before: Callable[[], Plan | None] = lambda: None
    on_after: Callable[[Plan], Plan] = lambda plan: plan
    seen: list[tuple[str, ...]] = field(default_factory=list)

    def connected(self, listener_name: str, peer: tuple[str, int]) -> Plan | None:
        self.seen.append(("connected", listener_name, peer[0]))
        return self.on_connected()

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        self.seen.append(("before", listener_name, environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return self.on_before()

    def after(self, listener_name: str, environ: WSGIEnvironment, plan: Plan) -> Plan:
        self.seen.append(("after", listener_name, environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return self.on_after(plan)


@dataclass
class App:
    """Answers `METHOD path query body`; some paths do something else."""

    requests: list[Mapping[str, object]] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    stream_opened: threading.Event = field(default_factory=threading.Event)
    stream_closed: threading.Event = field(default_factory=threading.Event)

    def __call__(self, environ: dict[str, object], start_response: StartResponse) -> Iterable[bytes]:
        self.requests.append(environ)
        path = str(environ["PATH_INFO"])
        if path == "/boom":
            raise RuntimeError("the application is broken")
        if path == "/events":
            stream = environ["emulator.stream"]
            assert isinstance(stream, Stream)
            stream.attach(self.stream_closed.set)
            self.streams.append(stream)
            start_response("200 OK", [("Content-Type", "text/event-stream"), ("Content-Length", "3")])
            self.stream_opened.set()
            return [b":hi\n\n"]
        if path == "/none":
            start_response("204 No Content", [])
            return []
        if path == "/large":
            start_response("200 OK", [])
            return [b"x" * (8 << 20)]
        if path == "/liar":
            start_response("200 OK", [("Content-Length", "5")])
            return [b"too long for five"]
        body = environ["wsgi.input"].read()  # type: ignore[attr-defined]
        text = f"{environ['REQUEST_METHOD']} {path} {environ['QUERY_STRING']} ".encode() + body
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [text]


class Client:
    """A raw TCP or TLS client with a generous time-out, so that a wrong server fails a test and does not hang it."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.buffer = b""

    def send(self, data: bytes) -> Client:
        self.sock.sendall(data)
        return self

    def get(self, path: str = "/", *headers: str) -> Client:
        return self.send("\r\n".join([f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode())

    def until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            data = self.sock.recv(65536)
            assert data, f"end of file before {mark!r}: {self.buffer!r}"
            self.buffer += data
        head, _mark, self.buffer = self.buffer.partition(mark)
        return head + mark

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        head = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _colon, value in (line.partition(": ") for line in head[1:] if line)}
        size = int(headers.get("content-length", "0"))
        while len(self.buffer) < size:
            data = self.sock.recv(65536)
            assert data, f"end of file after {len(self.buffer)} of {size} bytes"
            self.buffer += data
        body, self.buffer = self.buffer[:size], self.buffer[size:]
        return int(head[0].split()[1]), headers, body

    def rest(self) -> bytes:
        """Everything up to a proper end of file; a TLS client raises ssl.SSLEOFError if close_notify is missing."""
        data = self.buffer
        while chunk := self.sock.recv(65536):
            data += chunk
        return data

    def ending(self) -> bytes:
        """What TCP says at the end, below TLS: OpenSSL in Python 3.11 shows a reset as an end of file."""
        data = b""
        while chunk := socket.socket.recv(self.sock, 65536):
            data = chunk
        return data

    def is_silent(self, seconds: float = 0.2) -> bool:
        self.sock.settimeout(seconds)
        try:
            return self.sock.recv(1) == b"never"
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(10)


@dataclass
class Lan:
    """Server, clients, and what was reported."""

    reactor: Reactor
    server: HttpServer
    hooks: Hooks
    app: App
    store: CertificateStore
    errors: list[Exception]
    sockets: list[socket.socket] = field(default_factory=list)

    def plain(self, name: str = "plain", address: str = ADDRESS, port: int = 0, limits: ClientLimits | None = None) -> Listener:
        return self.server.listen(name, address, port, limits=limits)

    def tls(self, name: str = "tls", address: str = ADDRESS, limits: ClientLimits | None = None) -> Listener:
        spec = CertificateSpec("CN=bmc", addresses=(address,))
        return self.server.listen(name, address, 0, tls=self.store.context(spec), limits=limits)

    def connect(self, listener: Listener, source: str | None = None) -> Client:
        sock = socket.create_connection(
            (listener.address, listener.port), timeout=10, source_address=(source, 0) if source else None
        )
        self.sockets.append(sock)
        if listener.tls is not None:
            context = ssl.create_default_context(
                cadata=self.store.certificate(CertificateSpec("CN=bmc", addresses=(listener.address,))).ca_pem.decode()
            )
            sock = context.wrap_socket(sock, server_hostname=listener.address, suppress_ragged_eofs=False)
            self.sockets.append(sock)
        return Client(sock)

    def until(self, condition: Callable[[], object]) -> None:
        """Lets the loop turn until `condition` holds; each turn handles what has become ready."""
        for _ in range(200_000):
            if self.reactor.call(condition):
                return
        raise AssertionError("it never became true")

    @staticmethod
    def client(sock: socket.socket) -> Client:
        return Client(sock)

    def raw(self, listener: Listener) -> Client:
        sock = socket.create_connection((listener.address, listener.port), timeout=10)
        self.sockets.append(sock)
        return Client(sock)


def _lan(reactor: Reactor, errors: list[Exception]) -> Lan:
    hooks = Hooks()
    app = App()
    return Lan(reactor, HttpServer(reactor, app, hooks=hooks), hooks, app, CertificateStore(), errors)


@pytest.fixture
def lan() -> Iterator[Lan]:
    """On the wall's clock. The test fails if the loop reported an error that it did not take from `errors`."""
    errors: list[Exception] = []
    reactor = Reactor(WallClock(), errors.append)
    lan = _lan(reactor, errors)
    reactor.start()
    yield lan
    for sock in lan.sockets:
        sock.close()
    reactor.stop()
    assert errors == []


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def frozen(clock: VirtualClock) -> Iterator[Lan]:
    """On a clock that stands still until the test moves it."""
    errors: list[Exception] = []
    reactor = Reactor(clock, errors.append)
    lan = _lan(reactor, errors)
    reactor.start()
    yield lan
    for sock in lan.sockets:
        sock.close()
    reactor.stop()
    assert errors == []


@pytest.fixture
def lab() -> Iterator[Lab]:
    """A whole emulator with one dmtf-generic BMC that is soon back after a reset."""
    profile = load("dmtf-generic")
    rules = replace(profile.bmc_reset, grace_s=Span(0.1, 0.1), outage_s=Span(0.3, 0.3), after=None)
    units = [UnitSpec(name="b1", profile=replace(profile, bmc_reset=rules))]
    with Emulator(units) as emulator:
        lab = Lab(emulator)
        yield lab
        for client in lab.clients:
            client.close()
