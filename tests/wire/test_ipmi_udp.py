"""IPMI on real UDP sockets: each BMC answers for itself, from the address that was asked."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from tests.conftest import tiny_profile
from tests.ipmi_client import Client
from tests.ipmi_lan import Lan

HOSTS = {"node1": "127.0.71.1", "node2": "127.0.71.2"}


@pytest.fixture
def lan() -> Iterator[Lan]:
    with Lan([UnitSpec(name=name, profile=tiny_profile()) for name in HOSTS], list(HOSTS.values())) as lan:
        yield lan


@pytest.mark.parametrize("suite", [3, 17])
def test_two_bmcs_on_one_port_spoken_to_from_one_socket_each_answer_for_themselves(lan, suite):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)

        def to(address: str) -> Client:
            def send(datagram: bytes) -> list[bytes]:
                sock.sendto(datagram, (address, lan.port))
                data, source = sock.recvfrom(2048)
                assert source == (address, lan.port)
                return [data]

            return Client(send, suite=suite)

        one, two = (to(address) for address in HOSTS.values())
        for step in ("open", "rakp1", "rakp3"):
            getattr(one, step)()
            getattr(two, step)()
        assert one.guid != two.guid
        assert two.command(6, 0x3B, b"\x04") == one.command(6, 0x3B, b"\x04") == (0, b"\x04")
        assert two.command(0, 2, b"\x00") == (0, b"")
        assert [e.bmc for e in lan.events(EventKind.COMMAND)] == ["node2"]
        assert one.command(0, 1)[1][0] & 1 == 1
        assert one.close() == two.close() == (0, b"")
    assert lan.host("node1").rail is Rail.UP
