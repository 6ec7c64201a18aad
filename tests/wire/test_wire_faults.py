"""What a client sees when a plan is not an ordinary answer. One test per behaviour, with raw sockets."""

from __future__ import annotations

import errno
import os
import resource
import socket
import ssl
import threading

import pytest

from emulator.core.clock import VirtualClock
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Close, HalfClose, Hang, Reset, Send, Wait, text_of
from emulator.wire.tcp import CannotBind, Listener
from emulator.wire.tcp_port import PortState

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789"


@pytest.fixture(params=["plain", "tls"])
def listener(request, lan):
    return getattr(lan, request.param)()


def test_reset_is_connection_reset_by_peer(lan, listener):
    lan.hooks.on_before = lambda: (Reset(),)
    client = lan.connect(listener).get()
    with pytest.raises(ConnectionResetError):
        client.ending()
    assert lan.app.requests == []


def test_reset_after_the_request_was_executed(lan, listener):
    lan.hooks.on_after = lambda plan: (Reset(),)
    client = lan.connect(listener).get()
    with pytest.raises(ConnectionResetError):
        client.ending()
    assert len(lan.app.requests) == 1


def test_reset_in_the_middle_of_an_answer_delivers_what_came_before(lan, listener):
    lan.hooks.on_after = lambda plan: (Send(text_of(plan)[:20]), Reset())
    client = lan.connect(listener).get()
    assert len(client.until(b"HTTP/1.1 200 OK\r\n")) == 17
    with pytest.raises(ConnectionResetError):
        client.ending()


def test_hang_keeps_the_connection_open_and_silent(lan, listener):
    lan.hooks.on_before = lambda: (Hang(),)
    client = lan.connect(listener).get()
    assert client.is_silent()
    assert client.get().is_silent()


def test_a_hung_connection_is_freed_some_time_after_its_client_left(frozen, clock: VirtualClock):
    listener = frozen.plain(limits=ClientLimits(hung_s=60))
    frozen.hooks.on_before = lambda: (Hang(),)
    client = frozen.connect(listener).get()
    frozen.until(lambda: frozen.hooks.seen[-1:] == [("before", "plain", "GET", "/")])
    client.sock.shutdown(socket.SHUT_WR)
    for seconds, left in ((59, 1), (2, 0)):
        frozen.reactor.call(lambda: None)
        frozen.reactor.call(lambda seconds=seconds: clock.advance(seconds))
        frozen.reactor.call(lambda: None)
        assert len(listener.connections) == left


def test_a_drip_arrives_piece_by_piece_on_the_clock(frozen, clock: VirtualClock):
    frozen.hooks.on_before = lambda: tuple(op for byte in OK for op in (Send(bytes([byte])), Wait(1.0)))
    client = frozen.connect(frozen.tls()).get()
    for byte in OK:
        assert client.sock.recv(100) == bytes([byte])
        assert client.is_silent(0.001)
        frozen.reactor.call(lambda: clock.advance(1.0))
        frozen.reactor.wake()
    assert client.get().sock.recv(100) == OK[:1]  # and then the connection is open for the next request


def test_a_delay_comes_before_the_answer_and_pipelined_requests_wait_behind_it(frozen, clock: VirtualClock):
    frozen.hooks.on_after = lambda plan: (Wait(300.0), *plan)
    client = frozen.connect(frozen.plain()).get("/1").get("/2")
    frozen.until(lambda: len(frozen.app.requests) == 1)
    frozen.reactor.call(lambda: clock.advance(299.0))
    frozen.reactor.wake()
    assert client.is_silent(0.05)
    frozen.reactor.call(lambda: clock.advance(1.0))
    frozen.reactor.wake()
    assert client.answer()[2] == b"GET /1  "
    frozen.until(lambda: len(frozen.app.requests) == 2)


def test_truncation_ends_properly_before_the_content_length(lan, listener):
    lan.hooks.on_after = lambda plan: (Send(OK[:-3]), Close())
    assert lan.connect(listener).get().rest() == OK[:-3]  # over TLS a missing close_notify would raise


def test_half_close_ends_the_answer_and_still_takes_what_the_client_sends(lan, listener):
    lan.hooks.on_before = lambda: (Send(OK), HalfClose(), Hang())
    client = lan.connect(listener).get()
    assert client.rest() == OK
    for _ in range(3):
        client.get()  # no reset comes back: the other half is open


def test_nothing_is_sent_after_a_half_close(lan):
    lan.hooks.on_before = lambda: (Send(b"a"), HalfClose(), Send(b"b"), Close())
    assert lan.connect(lan.plain()).get().rest() == b"a"


def test_a_plan_in_place_of_the_answer_leaves_the_connection_usable(lan, listener):
    plans = [(Send(OK),), None]
    lan.hooks.on_before = lambda: plans.pop(0)
    client = lan.connect(listener)
    assert client.get("/first").answer()[2] == b"0123456789"
    assert client.get("/second").answer()[2] == b"GET /second  "
    assert len(lan.app.requests) == 1


def test_an_after_hook_may_take_the_close_away(lan):
    lan.hooks.on_after = lambda plan: tuple(op for op in plan if not isinstance(op, Close))
    client = lan.connect(lan.plain())
    client.get("/1", "Connection: close").answer()
    assert client.get("/2").answer()[2] == b"GET /2  "


def test_hooks_see_listener_method_and_decoded_path(lan):
    lan.connect(lan.plain("u1")).get("/redfish/v1/Systems/a%2Fb?x=1").answer()
    assert lan.hooks.seen == [
        ("connected", "u1", "127.0.0.1"),
        ("before", "u1", "GET", "/redfish/v1/Systems/a/b"),
        ("after", "u1", "GET", "/redfish/v1/Systems/a/b"),
    ]


@pytest.mark.parametrize("hook", ["on_before", "on_after"])
def test_a_hook_that_raises_is_reported_and_the_client_gets_a_500(lan, hook):
    setattr(lan.hooks, hook, lambda *plan: (_ for _ in ()).throw(RuntimeError("bad hook")))
    assert lan.connect(lan.plain()).get().answer()[0] == 500
    assert [str(error) for error in lan.errors] == ["bad hook"]
    lan.errors.clear()


def test_a_connect_fault_replaces_the_handshake(lan):
    lan.hooks.on_connected = lambda: (Send(b"SSH-2.0-surprise\r\n"), Close())
    assert lan.raw(lan.tls()).rest() == b"SSH-2.0-surprise\r\n"


def test_a_reset_before_the_handshake(lan):
    lan.hooks.on_connected = lambda: (Reset(),)
    listener = lan.tls()
    with pytest.raises(ConnectionResetError):  # in connect() or when reading
        lan.raw(listener).ending()


def test_a_late_handshake_still_succeeds(frozen, clock: VirtualClock):
    frozen.hooks.on_connected = lambda: (Wait(5.0),)
    listener = frozen.tls()
    got: list[bytes] = []
    thread = threading.Thread(target=lambda: got.append(frozen.connect(listener).get("/late").answer()[2]))
    thread.start()
    frozen.until(lambda: listener.connections)
    assert frozen.app.requests == []
    frozen.reactor.call(lambda: clock.advance(5.0))
    frozen.reactor.wake()
    thread.join(10)
    assert got == [b"GET /late  "]


def test_a_silent_door_accepts_and_never_shakes_hands(lan):
    listener = lan.tls()
    lan.reactor.call(lambda: listener.set_door(PortState.SILENT))
    client = lan.raw(listener)
    context = ssl.create_default_context()
    client.sock.settimeout(0.2)
    with pytest.raises(TimeoutError):
        context.wrap_socket(client.sock, server_hostname="x")
    lan.reactor.call(lambda: listener.set_door(PortState.OPEN))
    assert lan.connect(listener).get().answer()[0] == 200


def test_a_refused_door_refuses_keeps_its_port_and_opens_again(lan):
    listener = lan.plain()
    client = lan.connect(listener)
    lan.reactor.call(lambda: listener.set_door(PortState.REFUSED))
    with pytest.raises(ConnectionRefusedError):
        lan.raw(listener)
    assert client.get().answer()[0] == 200  # who was inside stays inside
    lan.reactor.call(lambda: listener.set_door(PortState.OPEN))
    assert lan.connect(listener).get().answer()[0] == 200


def a_stranger_can_bind(listener: Listener) -> bool:
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            stranger.bind((listener.address, listener.port))
        except OSError:
            return False
        return True


def test_nobody_can_take_the_port_while_a_door_is_closed_and_opened(lan, monkeypatch):
    listener = lan.plain()
    release, was_free = Listener._release, []

    def released(self: Listener) -> None:
        release(self)
        was_free.append(a_stranger_can_bind(self))

    with monkeypatch.context() as patched:
        patched.setattr(Listener, "_release", released)
        lan.reactor.call(lambda: listener.set_door(PortState.REFUSED))
    assert was_free == [False]
    assert not a_stranger_can_bind(listener)
    lan.reactor.call(lambda: listener.set_door(PortState.OPEN))
    assert not a_stranger_can_bind(listener)


def test_a_saturated_door_makes_the_clients_connect_time_out(lan):
    listener = lan.plain()
    lan.reactor.call(lambda: listener.set_door(PortState.SATURATED))
    with pytest.raises(TimeoutError):
        socket.create_connection((listener.address, listener.port), timeout=0.3)
    lan.hooks.seen.clear()
    lan.reactor.call(lambda: listener.set_door(PortState.OPEN))
    assert lan.connect(listener).get().answer()[0] == 200
    assert [call for call in lan.hooks.seen if call[0] == "connected"] == [("connected", "plain", "127.0.0.1")]


def test_dropping_connections_resets_them(lan):
    listener = lan.plain()
    client = lan.connect(listener)
    client.get().answer()
    lan.reactor.call(listener.drop_connections)
    with pytest.raises(ConnectionResetError):
        client.ending()


def test_connections_above_the_limit_are_reset(lan):
    listener = lan.plain(limits=ClientLimits(max_connections=2))
    inside = [lan.connect(listener) for _ in range(2)]
    for client in inside:
        client.get().answer()
    with pytest.raises(ConnectionResetError):
        lan.connect(listener).rest()
    assert inside[0].get().answer()[0] == 200


def test_a_handshake_that_never_comes_ends_after_its_time(frozen, clock: VirtualClock):
    listener = frozen.tls(limits=ClientLimits(handshake_s=10))
    client = frozen.raw(listener)
    frozen.until(lambda: listener.connections)
    frozen.reactor.call(lambda: clock.advance(11))
    frozen.reactor.wake()
    assert client.rest() == b""


def test_plain_http_on_a_tls_port_ends_and_harms_nobody(lan):
    listener = lan.tls()
    client = lan.raw(listener).get()
    assert b"HTTP" not in client.rest()
    assert lan.connect(listener).get().answer()[0] == 200


def test_a_busy_port_is_one_sentence(lan):
    taken = lan.plain("first")
    with pytest.raises(CannotBind) as caught:
        lan.plain("second", port=taken.port)
    assert str(caught.value) == f"cannot listen on 127.0.5.1 port {taken.port}: something else listens there already"
    assert (caught.value.address, caught.value.port) == ("127.0.5.1", taken.port)


@pytest.mark.parametrize(
    ("address", "port", "reason"),
    [
        ("192.0.2.1", 0, "does not have that address"),
        ("nonsense.invalid", 0, "not an IP address"),
        ("127.0.5.1", 70000, "0 to 65535"),
    ],
)
def test_an_impossible_address_is_one_sentence(lan, address, port, reason):
    with pytest.raises(CannotBind, match=reason):
        lan.plain("impossible", address, port)


@pytest.mark.long
def test_a_thousand_hung_connections_do_not_disturb_a_healthy_one(lan):
    listener, threads = lan.tls(), threading.active_count()
    lan.hooks.on_before = lambda: (Hang(),)
    for _ in range(1000):
        lan.connect(listener).get()
    lan.until(lambda: sum(call[0] == "before" for call in lan.hooks.seen) == 1000)
    lan.hooks.on_before = lambda: None
    healthy = lan.connect(listener)
    assert all(healthy.get().answer()[0] == 200 for _ in range(20))
    assert len(listener.connections) == 1001
    assert threading.active_count() <= threads


def test_running_out_of_descriptors_is_reported_and_passes(frozen, clock: VirtualClock):
    listener = frozen.plain()
    with socket.socket() as sock:
        sock.settimeout(10)
        free = os.dup(sock.fileno())
        os.close(free)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
        try:
            sock.connect((listener.address, listener.port))
            frozen.until(lambda: frozen.errors)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        frozen.reactor.call(lambda: clock.advance(0.2))
        frozen.reactor.wake()
        assert frozen.client(sock).get().answer()[0] == 200
    assert [error.errno for error in frozen.errors] == [errno.EMFILE]  # once, not once per turn
    frozen.errors.clear()
