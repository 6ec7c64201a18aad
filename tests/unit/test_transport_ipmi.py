"""IPMI datagrams without sockets, with a session of a client that shares no code with the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator import Armed, Rail, make_fault
from tests.ipmi_client import Client, open_sessionless, request, sessionless
from tests.virtual_bmc import NAME, PASSWORD, VirtualBmc, virtual_bmc

AUTH_CAPABILITIES = sessionless(request(6, 0x38, b"\x8e\x04"))


@pytest.fixture
def bmc() -> Iterator[VirtualBmc]:
    with virtual_bmc() as made:
        yield made


def client(bmc: VirtualBmc) -> Client:
    def send(data: bytes) -> list[bytes]:
        try:
            return [bmc.transport.datagram(data, 1.0)]
        except TimeoutError:
            return []

    return Client(send, password=PASSWORD, suite=3)


def test_a_session_reads_and_cuts_the_power(bmc: VirtualBmc) -> None:
    session = client(bmc).login()
    assert session.command(0, 1, b"") is not None
    assert session.command(0, 2, b"\x00") == (0, b"")
    bmc.clock.sleep(30)
    assert bmc.emulator.host(NAME).rail is Rail.DOWN
    assert session.close() == (0, b"")


def test_a_session_that_is_idle_too_long_has_ended(bmc: VirtualBmc) -> None:
    session = client(bmc).login()
    bmc.clock.sleep(300)
    assert session.command(0, 1) is None


def test_a_lost_datagram_takes_the_time_out(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("udp.loss", direction="out"), count=1))
    with pytest.raises(TimeoutError):
        bmc.transport.datagram(AUTH_CAPABILITIES, 1.5)
    assert bmc.elapsed() == 1.5
    assert open_sessionless(bmc.transport.datagram(AUTH_CAPABILITIES, 1.5))[0] == 0


def test_a_late_answer_waits_for_the_next_call(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("udp.delay", seconds=2.0)))
    with pytest.raises(TimeoutError):
        bmc.transport.datagram(AUTH_CAPABILITIES, 1)
    assert open_sessionless(bmc.transport.datagram(b"", 5))[0] == 0
    assert bmc.elapsed() == 2


def test_a_doubled_answer_is_read_twice(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("udp.duplicate", direction="out")))
    assert bmc.transport.datagram(AUTH_CAPABILITIES, 1) == bmc.transport.datagram(b"", 1)
    with pytest.raises(TimeoutError):
        bmc.transport.datagram(b"", 1)


def test_nobody_is_at_another_port(bmc: VirtualBmc) -> None:
    with pytest.raises(TimeoutError):
        bmc.transport.datagram(AUTH_CAPABILITIES, 1, address=("198.18.0.1", 9))


def test_a_bmc_behind_a_swallowing_network_is_silent(bmc: VirtualBmc) -> None:
    bmc.arm(Armed(fault=make_fault("wire.blackhole")))
    with pytest.raises(TimeoutError):
        bmc.transport.datagram(AUTH_CAPABILITIES, 3)
