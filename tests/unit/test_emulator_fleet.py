"""The responders of a fleet: made when somebody speaks to a BMC, forgotten when it has been left alone."""

from __future__ import annotations

import os

import pytest

from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.fleet import LINGER_S, Responders
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.session.strangers import PER_SECOND
from tests.conftest import make_bench, tiny_profile
from tests.ipmi_client import PEER, Client, request, sessionless

TICK = 0.5
CAPABILITIES = sessionless(request(6, 0x38, b"\x8e\x04"))


class Bed:
    """One BMC at the address "a" and its responders; `made` grows with each new responder."""

    def __init__(self) -> None:
        self.bench = make_bench(UnitSpec(name="node1", profile=tiny_profile()))
        self.made: list[str] = []
        self.responders = Responders(self._make)

    def _make(self, address: str) -> IpmiResponder | None:
        if address != "a":
            return None
        self.made.append(address)
        return IpmiResponder(self.bench.view(), entropy=os.urandom)

    def send(self, datagram: bytes) -> list[bytes]:
        return [data for data, _ in self.responders.receive(datagram, PEER, "a")]

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds / TICK)):
            self.bench.advance(TICK)
            self.responders.tick(self.bench.clock.now())


@pytest.fixture
def bed() -> Bed:
    return Bed()


def test_an_address_without_a_bmc_is_silent(bed):
    assert bed.responders.receive(CAPABILITIES, PEER, "b") == []


def test_a_bmc_that_is_left_alone_is_forgotten_and_answers_again_when_it_is_spoken_to(bed):
    client = Client(bed.send).login()
    assert client.command(0, 1)[0] == 0
    client.close()
    bed.wait(LINGER_S + 2 * TICK)
    assert bed.send(CAPABILITIES)
    assert Client(bed.send).login().command(0, 1)[0] == 0
    assert len(bed.made) == 2


def test_who_asks_often_meets_the_same_responder(bed):
    for _ in range(10):
        bed.send(CAPABILITIES)
        bed.wait(LINGER_S)
    assert len(bed.made) == 1


def test_a_session_that_is_open_is_not_forgotten_before_it_runs_out(bed):
    client = Client(bed.send).login()
    bed.wait(30)
    assert client.command(0, 1)[0] == 0
    bed.wait(61 + LINGER_S)
    assert [event.data["what"] for event in bed.bench.events(EventKind.SESSION)] == ["opened", "expired"]
    assert len(bed.made) == 1
    bed.send(CAPABILITIES)
    assert len(bed.made) == 2


def test_what_only_ipmi_knows_is_kept(bed):
    client = Client(bed.send).login()
    assert client.command(6, 0x3B, b"\x04")[0] == 0
    assert client.command(0, 8, b"\x04\x00\x00")[0] == 0  # boot option 4: no memory of the machine's
    assert client.command(0, 8, b"\x02\x01")[0] == 0
    client.close()
    bed.wait(300)
    client = Client(bed.send).login()
    assert client.command(0, 9, b"\x02\0\0") == (0, b"\x01\x02\x01")
    assert len(bed.made) == 1


def test_what_was_dropped_is_counted_on(bed):
    for _ in range(3):
        bed.send(b"\x06\x00\xff\x07\xee")
        bed.wait(60)
    dropped = [event for event in bed.bench.events(EventKind.WIRE) if event.data["what"] == "dropped"]
    assert (len(dropped), len(bed.made)) == (1, 1)


def test_strangers_gain_nothing_by_being_forgotten(bed):
    for _ in range(20):
        for _ in range(PER_SECOND):
            bed.send(CAPABILITIES)
        bed.wait(TICK)
    written = len(bed.bench.events(EventKind.REQUEST))
    assert written <= (20 * TICK + 1) * PER_SECOND
