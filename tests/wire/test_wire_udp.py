"""UDP endpoints and the fleet's socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from emulator.wire.reactor import Reactor
from emulator.wire.tcp import CannotBind
from emulator.wire.udp import UdpEndpoint, UdpFleet
from emulator.wire.wallclock import WallClock


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def reactor(errors: list[Exception]) -> Iterator[Reactor]:
    reactor = Reactor(WallClock(), errors.append)
    reactor.start()
    yield reactor
    reactor.stop()
    assert errors == []


@pytest.fixture
def client() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(10)
        yield sock


def echo(reactor, make):
    """An endpoint that answers with the address that was asked."""

    def build():
        endpoint = make(lambda data, peer, local: endpoint.send(data + b"@" + local[0].encode(), peer, local))
        return endpoint

    return reactor.call(build)


def test_the_answer_comes_from_the_address_that_was_asked(reactor, client):
    endpoint = echo(reactor, lambda on: UdpEndpoint(reactor, "127.0.5.5", 0, on))
    client.sendto(b"ping", ("127.0.5.5", endpoint.port))
    assert client.recvfrom(100) == (b"ping@127.0.5.5", ("127.0.5.5", endpoint.port))


def test_two_addresses_share_a_port_and_answer_one_client_each_for_itself(reactor, client):
    one = echo(reactor, lambda on: UdpEndpoint(reactor, "127.0.5.6", 0, on))
    echo(reactor, lambda on: UdpEndpoint(reactor, "127.0.5.7", one.port, on))
    for address in ("127.0.5.6", "127.0.5.7"):
        client.sendto(b"who", (address, one.port))
        assert client.recvfrom(100) == (f"who@{address}".encode(), (address, one.port))


def test_a_fleet_answers_from_every_address_of_its_network_and_from_no_other(reactor, client):
    fleet = echo(reactor, lambda on: UdpFleet(reactor, 0, on, network="127.9.0.0/16"))
    client.sendto(b"outside", ("127.8.0.1", fleet.port))
    for address in ("127.9.0.1", "127.9.3.7", "127.9.255.254"):
        client.sendto(b"who", (address, fleet.port))
        assert client.recvfrom(100) == (f"who@{address}".encode(), (address, fleet.port))
    assert fleet.dropped == 1


def test_a_wildcard_endpoint_answers_from_the_address_that_was_asked(reactor, client):
    endpoint = echo(reactor, lambda on: UdpEndpoint(reactor, "0.0.0.0", 0, on, device="lo"))
    client.sendto(b"who", ("127.0.5.8", endpoint.port))
    assert client.recvfrom(100)[1] == ("127.0.5.8", endpoint.port)


def test_a_burst_larger_than_one_turn_is_answered_completely(reactor, client):
    endpoint = echo(reactor, lambda on: UdpEndpoint(reactor, "127.0.5.5", 0, on))

    def burst():  # from inside the loop, so that all of it waits when the loop looks
        for number in range(150):
            client.sendto(b"%d" % number, ("127.0.5.5", endpoint.port))

    reactor.call(burst)
    assert [client.recv(100) for _ in range(150)] == [b"%d@127.0.5.5" % number for number in range(150)]


def test_a_callback_that_raises_is_reported_and_the_next_datagram_is_served(reactor, client, errors):
    def on_datagram(data, peer, local):
        if data == b"bad":
            raise ValueError("bad datagram")
        endpoint.send(data, peer, local)

    endpoint = reactor.call(lambda: UdpEndpoint(reactor, "127.0.5.5", 0, on_datagram))
    client.sendto(b"bad", ("127.0.5.5", endpoint.port))
    client.sendto(b"", ("127.0.5.5", endpoint.port))
    assert client.recv(100) == b""
    assert [str(error) for error in errors] == ["bad datagram"]
    errors.clear()


def test_what_cannot_be_sent_is_dropped_and_counted(reactor):
    endpoint = reactor.call(lambda: UdpEndpoint(reactor, "127.0.5.5", 0, lambda *_: None))
    reactor.call(lambda: endpoint.send(b"x" * 70_000, ("127.0.0.1", 9), ("127.0.5.5", endpoint.port)))
    assert endpoint.dropped == 1


def test_a_busy_port_is_one_sentence_and_a_closed_one_is_free(reactor):
    endpoint = reactor.call(lambda: UdpEndpoint(reactor, "127.0.5.5", 0, lambda *_: None))
    with pytest.raises(CannotBind, match="something else listens there already"):
        UdpEndpoint(reactor, "127.0.5.5", endpoint.port, lambda *_: None)
    reactor.call(endpoint.close)
    reactor.call(endpoint.close)
    again = reactor.call(lambda: UdpEndpoint(reactor, "127.0.5.5", endpoint.port, lambda *_: None))
    assert again.port == endpoint.port


def test_a_network_that_is_none_is_refused(reactor):
    with pytest.raises(ValueError, match="not a valid netmask"):
        UdpFleet(reactor, 0, lambda *_: None, network="127.9.0.0/99")
