"""A connection without a socket: plans, deadlines and streams on virtual time."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from emulator.core.clock import VirtualClock
from emulator.wire.limits import ClientLimits
from emulator.wire.ops import Close, HalfClose, Hang, Plan, Reset, Send, Wait
from emulator.wire.site import NoHooks
from emulator.wire.tcp import CannotBind
from emulator.wire.tcp_port import PortState
from emulator.wire.virtual_client import VirtualClient
from emulator.wire.virtual_connection import VirtualConnection
from emulator.wire.virtual_loop import VirtualLoop
from emulator.wire.virtual_network import VirtualNetwork, VirtualPort

LIMITS = ClientLimits(idle_s=75.0, max_unsent_bytes=8)


@dataclass
class Heard:
    """A receiver that notes what it is told."""

    said: list[str] = field(default_factory=list)

    def received(self, data: bytes) -> None:
        self.said.append(data.decode())

    def ended(self) -> None:
        self.said.append("ended")

    def overdue(self) -> None:
        self.said.append("overdue")

    def lost(self) -> None:
        self.said.append("lost")


@dataclass
class Bed:
    loop: VirtualLoop = field(default_factory=lambda: VirtualLoop(VirtualClock()))
    heard: Heard = field(default_factory=Heard)
    gone: list[VirtualConnection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.connection = VirtualConnection(self.loop, ("a", 1), ("b", 2), LIMITS, self.gone.append)
        self.connection.introduce(self.heard, None)


@pytest.fixture
def bed() -> Bed:
    return Bed()


@pytest.mark.parametrize(
    ("plan", "inbox", "ended", "reset"),
    [
        ((Send(b"ab"), Wait(1), Send(b"c")), b"abc", False, False),
        ((Send(b"ab"), Close(), Send(b"c")), b"ab", True, False),
        ((HalfClose(), Send(b"c")), b"", True, False),
        ((Send(b"ab"), Reset()), b"ab", False, True),
        ((Hang(), Send(b"c")), b"", False, False),
    ],
)
def test_a_plan_is_carried_out_to_its_end(bed: Bed, plan: Plan, inbox: bytes, ended: bool, reset: bool) -> None:
    bed.connection.play(plan)
    bed.loop.run_until(5.0)
    assert (bytes(bed.connection.inbox), bed.connection.ended, bed.connection.was_reset) == (inbox, ended, reset)
    assert ("lost" in bed.heard.said) is (ended or reset)


def test_the_end_of_a_plan_is_told_and_may_bring_another_one(bed: Bed) -> None:
    bed.connection.play((Send(b"a"),), lambda: bed.connection.play((Send(b"b"),)))
    assert bytes(bed.connection.inbox) == b"ab"


def test_a_deadline_is_replaced_by_the_next_one(bed: Bed) -> None:
    bed.connection.deadline(1.0)
    bed.connection.deadline(3.0)
    bed.loop.run_until(2.0)
    assert bed.heard.said == []
    bed.loop.run_until(3.0)
    assert bed.heard.said == ["overdue"]


def test_a_client_that_never_begins_is_let_go() -> None:
    bed = Bed()
    bed.connection.introduce(bed.heard, ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    bed.loop.run_until(LIMITS.handshake_s)
    assert bed.connection.ended


def test_a_stream_ends_with_a_client_that_does_not_read(bed: Bed) -> None:
    assert bed.connection.push(b"12345678")
    assert not bed.connection.push(b"9")
    assert bed.connection.was_reset
    assert not bed.connection.push(b"9")
    bed.connection.abort()
    assert bed.heard.said == ["lost"]


def test_what_is_sent_to_a_connection_that_is_over_goes_nowhere(bed: Bed) -> None:
    bed.connection.client_closes()
    bed.connection.client_sends(b"hello")
    assert bed.heard.said == ["lost"]
    assert bed.gone == [bed.connection]


def test_a_holder_that_holds_nothing_here_changes_nothing(bed: Bed) -> None:
    bed.connection.play((Wait(2, "mine"), Send(b"a"), Wait(2, "other"), Hang("other")))
    bed.connection.release("other")
    bed.loop.run_until(1.0)
    assert bytes(bed.connection.inbox) == b""
    bed.loop.run_until(2.0)
    assert bytes(bed.connection.inbox) == b"a"
    assert bed.connection.ended
    bed.connection.release("mine")


# -- ports ---------------------------------------------------------------------------------------------------------------------


def broken(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    raise ZeroDivisionError("a bug")


def test_a_bug_of_the_application_is_a_500_and_stands_in_the_log(bed: Bed, caplog: pytest.LogCaptureFixture) -> None:
    network = VirtualNetwork(bed.loop)
    network.http(broken, NoHooks()).listen("bmc", "a", 80)
    client = VirtualClient(network, lambda instant: instant, lambda: None)
    assert client.exchange("GET", "http://a/", {}, None, 1.0, None)[0] == 500
    assert "a bug" in caplog.text


def test_a_port_is_taken_once() -> None:
    network = VirtualNetwork(VirtualLoop(VirtualClock()))
    ports = network.http(broken)
    first = ports.listen("one", "a", 0)
    assert isinstance(first, VirtualPort)
    with pytest.raises(ValueError, match="there is a listener 'one' already"):
        ports.listen("one", "a", 0)
    with pytest.raises(CannotBind, match="something else listens there already"):
        ports.listen("two", "a", first.port)
    udp = network.udp("a", 0, lambda data, peer, local: None)
    with pytest.raises(CannotBind, match="something else listens there already"):
        network.udp("a", udp.port, lambda data, peer, local: None)
    ports.shut("nobody")
    ports.close()
    udp.close()
    udp.close()
    assert ports.listen("two", "a", first.port).port == first.port


def test_connections_beyond_the_limit_wait_until_one_has_ended() -> None:
    network = VirtualNetwork(VirtualLoop(VirtualClock()))
    port = network.http(broken).listen("bmc", "a", 80)
    port.serve_at_once(1)
    first, second, third = (port.connect(("client", n)) for n in range(3))
    assert first is not None
    assert second is not None
    assert third is not None
    assert [first.is_introduced, second.is_introduced, third.is_introduced] == [True, False, False]
    second.client_closes()
    first.client_closes()
    assert third.is_introduced
    port.serve_at_once(0)
    fourth = port.connect(("client", 4))
    assert fourth is not None
    assert not fourth.is_introduced
    port.serve_at_once(None)
    assert fourth.is_introduced
    port.drop_connections()
    assert port.connections == ()


def test_a_syn_that_is_always_lost_ends_as_linux_ends_it() -> None:
    network = VirtualNetwork(VirtualLoop(VirtualClock()))
    network.http(broken).listen("bmc", "a", 80).set_door(PortState.SATURATED)
    client = VirtualClient(network, lambda instant: instant, lambda: None)
    with pytest.raises(TimeoutError, match="Connection timed out"):
        client.exchange("GET", "http://a/", {}, None, float("inf"), None)
    assert network.loop.now() == 127
