"""Any plan, and any garbage, on real sockets."""

from __future__ import annotations

import socket
import ssl
from wsgiref.types import WSGIEnvironment

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.wire.certs import CertificateSpec, CertificateStore
from emulator.wire.http import HttpServer, NoHooks
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Close, HalfClose, Plan, Reset, Send, Wait, text_of
from emulator.wire.reactor import Reactor
from emulator.wire.wallclock import WallClock

ADDRESS = "127.0.5.2"
RATE = 1000.0
PATIENT = ClientLimits(
    handshake_s=10 * RATE, request_s=30 * RATE, idle_s=75 * RATE, stall_s=60 * RATE, linger_s=10 * RATE, hung_s=60 * RATE
)


class Instead(NoHooks):
    plan: Plan | None = None

    def before(self, listener_name: str, environ: WSGIEnvironment) -> Plan | None:
        return self.plan


class Stage:
    """A server whose clock is so fast that every Wait is over at once."""

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self.hooks = Instead()
        self.reactor = Reactor(WallClock(rate=RATE), self.errors.append)
        server = HttpServer(self.reactor, self.app, hooks=self.hooks, limits=PATIENT)
        store = CertificateStore()
        spec = CertificateSpec("CN=bmc", addresses=(ADDRESS,))
        self.context = ssl.create_default_context(cadata=store.certificate(spec).ca_pem.decode())
        self.plain = server.listen("plain", ADDRESS, 0)
        self.tls = server.listen("tls", ADDRESS, 0, tls=store.context(spec))

    @staticmethod
    def app(environ, start_response):
        start_response("200 OK", [])
        return [b"alive"]

    def ask(self, secure: bool, request: bytes) -> socket.socket:
        listener = self.tls if secure else self.plain
        sock = socket.create_connection((ADDRESS, listener.port), timeout=10)
        if secure:
            sock = self.context.wrap_socket(sock, server_hostname=ADDRESS, suppress_ragged_eofs=False)
        sock.sendall(request)
        return sock


@pytest.fixture(scope="module")
def stage():
    stage = Stage()
    stage.reactor.start()
    yield stage
    stage.reactor.stop()
    assert stage.errors == []


def plan_of(pieces: list[Send | Wait | int]) -> Plan:
    return tuple(Send(b"z" * piece) if isinstance(piece, int) else piece for piece in pieces)


def read_into(sock: socket.socket, data: bytearray) -> None:
    while chunk := sock.recv(65536):
        data += chunk


def read_all(sock: socket.socket) -> bytes:
    data = bytearray()
    read_into(sock, data)
    return bytes(data)


PIECES = st.one_of(
    st.binary(max_size=50).map(Send),
    st.integers(60_000, 300_000),  # a Send of that size, which would be unreadable in a report
    st.floats(0, 2).map(Wait),
)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=8), st.sampled_from([(Close(),), (HalfClose(), Close()), (HalfClose(),)]), st.booleans())
def test_a_client_reads_exactly_the_text_of_the_plan(stage, pieces, ending, secure):
    stage.hooks.plan = (*plan_of(pieces), *ending)
    with stage.ask(secure, GET) as sock:
        assert read_all(sock) == text_of(stage.hooks.plan)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(PIECES, max_size=5), st.lists(PIECES, max_size=3))
def test_nothing_after_a_reset_is_sent(stage, pieces, never):
    stage.hooks.plan = (*plan_of(pieces), Reset(), *plan_of(never))
    with stage.ask(False, GET) as sock:
        data = bytearray()
        with pytest.raises(ConnectionResetError):
            read_into(sock, data)
    assert text_of(plan_of(pieces)).startswith(bytes(data))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(min_size=1, max_size=400), st.booleans())
def test_garbage_on_any_port_leaves_the_server_alive(stage, garbage, secure):
    stage.hooks.plan = None
    port = (stage.tls if secure else stage.plain).port
    with socket.create_connection((ADDRESS, port), timeout=10) as sock:
        sock.sendall(garbage)
        sock.shutdown(socket.SHUT_WR)
        answer = read_all(sock)
    if not secure and answer:
        assert answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5"))
    with stage.ask(secure, b"GET / HTTP/1.0\r\n\r\n") as sock:
        assert read_all(sock).endswith(b"alive")
    assert stage.errors == []
