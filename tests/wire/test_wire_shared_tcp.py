"""One listening socket for many BMCs: a connection reaches the BMC whose address was meant, and each port has its own state."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from emulator.wire import shared_tcp
from emulator.wire.limits import ClientLimits
from emulator.wire.shared_tcp import SharedListener, SharedPort
from emulator.wire.tcp import CannotBind
from emulator.wire.tcp_port import PortState
from tests.wire.conftest import Client, Lan

NETWORK = "127.9.0.0/16"
SHORT_S = 0.3


@pytest.fixture
def listener(lan: Lan) -> Iterator[SharedListener]:
    made = lan.reactor.call(lambda: SharedListener(lan.reactor, NETWORK, "lo", 0))
    yield made
    lan.reactor.call(made.close)
    lan.reactor.call(made.close)


@pytest.fixture
def one(lan: Lan, listener: SharedListener) -> SharedPort:
    return lan.server.join("one", "127.9.0.1", listener)


@pytest.fixture
def two(lan: Lan, listener: SharedListener) -> SharedPort:
    return lan.server.join("two", "127.9.200.7", listener)


def client(lan: Lan, port: SharedPort, timeout: float = 10) -> Client:
    sock = socket.create_connection((port.address, port.port), timeout=timeout)
    lan.sockets.append(sock)
    return lan.client(sock)


def answers(lan: Lan, port: SharedPort) -> bool:
    return client(lan, port).get().answer()[0] == 200


def is_reset(address: str, port: int) -> None:
    """Connects, and is reset: soon enough to make the connect fail, or after it."""
    with pytest.raises(ConnectionResetError), socket.create_connection((address, port), timeout=10) as sock:
        sock.recv(1)


def set_door(lan: Lan, port: SharedPort, door: PortState) -> None:
    lan.reactor.call(lambda: port.set_door(door))


def test_each_address_is_its_own_bmc(lan: Lan, one: SharedPort, two: SharedPort) -> None:
    assert answers(lan, one)
    assert answers(lan, two)
    assert [request["emulator.bmc"] for request in lan.app.requests] == ["one", "two"]


def test_an_address_without_a_bmc_resets_whoever_connects(lan: Lan, one: SharedPort) -> None:
    for address in ("127.9.0.2", "127.8.0.1"):
        is_reset(address, one.port)
    assert answers(lan, one)


def test_a_refused_port_resets_before_anything_is_answered_and_its_neighbour_answers(
    lan: Lan, one: SharedPort, two: SharedPort
) -> None:
    inside = client(lan, one)
    inside.get().answer()
    set_door(lan, one, PortState.REFUSED)
    is_reset(one.address, one.port)
    assert answers(lan, two)
    assert inside.get().answer()[0] == 200, "who was inside stays inside"
    set_door(lan, one, PortState.OPEN)
    assert answers(lan, one)


def test_a_saturated_port_drops_the_connect_and_its_neighbour_answers(lan: Lan, one: SharedPort, two: SharedPort) -> None:
    inside = client(lan, one)
    inside.get().answer()
    set_door(lan, one, PortState.SATURATED)
    with pytest.raises(TimeoutError):
        client(lan, one, SHORT_S)
    assert answers(lan, two)
    assert inside.get().answer()[0] == 200
    set_door(lan, two, PortState.SATURATED)
    set_door(lan, one, PortState.OPEN)
    assert answers(lan, one)
    with pytest.raises(TimeoutError):
        client(lan, two, SHORT_S)


def test_a_client_that_still_tries_gets_in_when_the_port_opens(lan: Lan, one: SharedPort) -> None:
    set_door(lan, one, PortState.SATURATED)
    trying = threading.Event()
    result: list[bool] = []

    def connect() -> None:
        trying.set()
        result.append(answers(lan, one))

    thread = threading.Thread(target=connect)
    thread.start()
    trying.wait()
    set_door(lan, one, PortState.OPEN)
    thread.join(20)
    assert result == [True]


def test_where_the_filter_has_no_room_clients_connect_and_wait(
    lan: Lan, one: SharedPort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_tcp, "MAX_RANGES", 0)
    set_door(lan, one, PortState.SATURATED)
    waiting = client(lan, one).get()
    assert waiting.is_silent()
    set_door(lan, one, PortState.OPEN)
    assert waiting.answer()[0] == 200
    set_door(lan, one, PortState.SATURATED)
    reset = client(lan, one).get()
    assert reset.is_silent()
    set_door(lan, one, PortState.REFUSED)
    with pytest.raises(ConnectionResetError):
        reset.sock.recv(1)


def test_a_silent_port_connects_and_answers_nothing(lan: Lan, one: SharedPort) -> None:
    set_door(lan, one, PortState.SILENT)
    assert client(lan, one).get().is_silent()
    set_door(lan, one, PortState.OPEN)
    assert answers(lan, one)


def test_few_served_at_a_time_and_the_next_when_one_has_gone(lan: Lan, one: SharedPort, two: SharedPort) -> None:
    lan.reactor.call(lambda: one.serve_at_once(1))
    first = client(lan, one)
    assert first.get().answer()[0] == 200
    second, third = client(lan, one).get(), client(lan, one).get()
    assert second.is_silent()
    assert answers(lan, two)
    first.sock.close()
    assert second.answer()[0] == 200
    assert third.is_silent()
    lan.reactor.call(lambda: one.serve_at_once(None))
    assert third.answer()[0] == 200


def test_who_waits_for_too_long_is_reset(frozen: Lan, clock) -> None:
    listener = frozen.reactor.call(lambda: SharedListener(frozen.reactor, NETWORK, "lo", 0))
    one = frozen.server.join("one", "127.9.0.1", listener)
    frozen.reactor.call(lambda: one.serve_at_once(1))
    first, second = client(frozen, one), client(frozen, one).get()
    frozen.until(lambda: one.waiting)
    frozen.reactor.call(lambda: clock.advance(ClientLimits().idle_s + 1))
    frozen.reactor.wake()
    with pytest.raises(ConnectionResetError):
        second.sock.recv(1)
    assert first.rest() == b"", "idle for as long, it is closed properly"


def test_a_closed_port_is_an_address_without_a_bmc(lan: Lan, one: SharedPort, two: SharedPort) -> None:
    inside = client(lan, one)
    inside.get().answer()
    set_door(lan, one, PortState.SATURATED)
    lan.server.shut("one")
    with pytest.raises(ConnectionResetError):
        inside.sock.recv(1)
    is_reset(one.address, one.port)
    assert answers(lan, two)


def test_more_than_the_most_connections_are_reset(lan: Lan, listener: SharedListener) -> None:
    crowded = lan.server.join("few", "127.9.0.9", listener, limits=ClientLimits(max_connections=1))
    first = client(lan, crowded)
    assert first.get().answer()[0] == 200
    is_reset(crowded.address, crowded.port)
    assert first.get().answer()[0] == 200


def test_a_second_socket_for_the_whole_device_is_refused_by_network_port_and_device(lan: Lan, one: SharedPort) -> None:
    with pytest.raises(CannotBind) as caught:
        SharedListener(lan.reactor, "127.10.0.0/16", "lo", one.port)
    assert str(caught.value).startswith(
        f"cannot listen on 127.10.0.0/16 (device lo) port {one.port}: something else has that port"
    )


def test_a_device_that_is_none_is_refused(lan: Lan) -> None:
    with pytest.raises(CannotBind, match=r"127\.10\.0\.0/16 \(device none9\) port 0: no such device"):
        SharedListener(lan.reactor, "127.10.0.0/16", "none9", 0)
