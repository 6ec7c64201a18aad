"""Nothing that a stranger or a broken client sends can hurt a BMC: no exception, no growth, and the next session works."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.rack import UnitSpec
from emulator.ipmi import rmcp
from emulator.ipmi.responder import SUMMARY_EVERY, IpmiResponder
from emulator.ipmi.rmcp import Malformed
from emulator.ipmi.window import Window
from tests.conftest import Bench, make_bench, tiny_profile
from tests.ipmi_client import PEER, RMCP, Client, Client15, handshake, request, sessionless

PACKETS = 20_000
ROUNDS = 20


def fresh() -> tuple[Bench, IpmiResponder]:
    bench = make_bench(UnitSpec(name="node1", profile=tiny_profile()))
    return bench, IpmiResponder(bench.view(), entropy=os.urandom)


def client_of(bmc: IpmiResponder) -> Client:
    return Client(lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)])


def still_serves(bmc: IpmiResponder) -> None:
    client = client_of(bmc).login()
    assert client.command(0, 1)[0] == 0
    assert client.close() == (0, b"")


def killers(client: Client) -> list[bytes]:
    """Each of these ended another server's process, sent by anybody after one open session request."""
    rakp1 = bytes((0, 0, 0, 0)) + client.managed + bytes(16) + bytes((4, 0, 0))
    return [
        RMCP,
        RMCP[:3],
        b"",
        handshake(0x12, bytes((0, 0, 0, 0)) + client.managed),
        handshake(0x12, rakp1),
        handshake(0x12, rakp1 + b"\x04\xff\xfe\xc3\x28"),
        handshake(0x12, rakp1 + b"\xff" + bytes(255)),
        handshake(0x12, rakp1 + b"\x00"),
        handshake(0x14, bytes((0, 0, 0, 0)) + client.managed + bytes(20)),
        handshake(0x14, b""),
        handshake(0x15, bytes(40)),
        handshake(0x13, bytes((0, 0, 0, 0)) + client.managed + bytes(60)),
        handshake(0x11, bytes(36)),
        handshake(0x10, bytes(6)),
        handshake(0x10, bytes(20)),
        RMCP + bytes((6, 0x40)) + client.managed + bytes((1, 0, 0, 0, 7, 0)) + request(0, 1),
        RMCP + bytes((6, 0xC0)) + client.managed + bytes((1, 0, 0, 0, 32, 0)) + bytes(50),
        RMCP + bytes((6, 0xC2)) + client.managed + bytes(50),
        (RMCP + bytes(9))[:10],
        RMCP + bytes((2,)) + bytes(12),
        RMCP + bytes(9) + b"\xff",
        sessionless(request(6, 0x38)),
        sessionless(b""),
    ]


def test_the_packets_that_ended_other_servers_do_nothing_here():
    _bench, bmc = fresh()
    for _ in range(ROUNDS):
        client = client_of(bmc)
        client.open()
        for packet in killers(client):
            bmc.receive(packet, PEER)
        still_serves(bmc)


def test_an_authenticated_client_cannot_hurt_either():
    _bench, bmc = fresh()
    rng = random.Random(5)
    client = client_of(bmc).login()
    for _ in range(2_000):
        message = rng.choice(
            (rng.randbytes(rng.randrange(0, 40)), request(rng.randrange(64), rng.randrange(256), rng.randbytes(3)))
        )
        client.sequence += 1
        body = rng.choice(
            (message, client.aes(bytes(16)), client.aes(b"\xff" * 32), client.aes(message + bytes(-len(message) % 16)))
        )
        head = RMCP + bytes((6, 0xC0)) + client.managed + client.sequence.to_bytes(4, "little")
        bmc.receive(client.sign(head + len(body).to_bytes(2, "little") + body), PEER)
        if message[5:6] == b"\x3c":
            client = client_of(bmc).login()
    assert bmc.drops["an unreadable payload"] > 0
    still_serves(bmc)


def corpus() -> list[bytes]:
    """One good datagram of every kind, to be spoilt."""
    _bench, bmc = fresh()
    seen: list[bytes] = []

    def send(datagram: bytes) -> list[bytes]:
        seen.append(datagram)
        return [data for data, _peer in bmc.receive(datagram, PEER)]

    client = Client(send).login()
    for netfn, command, data in ((0, 1, b""), (0, 2, b"\x03"), (6, 1, b""), (6, 0x54, b"\x0e\x00\x80"), (0, 9, b"\x05\x00\x00")):
        client.command(netfn, command, data)
    Client15(send).login().command(0, 1)
    return [
        *seen,
        *killers(client),
        sessionless(request(6, 0x38, b"\x8e\x04")),
        sessionless(request(6, 0x54, b"\x0e\x00\x80"), v2=True),
        sessionless(request(6, 0x39, b"\x02" + b"root".ljust(16, b"\0"))),
        sessionless(request(6, 0x3A, bytes(22))),
        bytes.fromhex("0600ff06000011be80010000"),
    ]


def spoil(rng: random.Random, packet: bytes, live: bytes) -> bytes:
    data = bytearray(packet)
    for _ in range(rng.randrange(1, 4)):
        match rng.randrange(6):
            case 0 if data:
                data[rng.randrange(len(data))] = rng.randrange(256)
            case 1:
                del data[rng.randrange(len(data) + 1) :]
            case 2:
                data += rng.randbytes(rng.randrange(1, 60))
            case 3 if len(data) >= 10:
                data[6:10] = live
            case 4 if len(data) >= 24:
                data[20:24] = live
            case _ if data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


@pytest.mark.timeout(110)
def test_random_and_spoilt_packets_neither_raise_nor_grow_anything_and_a_session_survives_them():
    bench, bmc = fresh()
    rng = random.Random(2026)
    good = corpus()
    client = client_of(bmc).login()
    for n in range(PACKETS):
        packet = rng.randbytes(rng.randrange(0, 80)) if n % 4 == 0 else spoil(rng, rng.choice(good), client.managed)
        bmc.receive(packet, ("127.0.0.1", 1024 + n % 60000))
        if n % 500 == 0:
            assert client.command(0, 1)[0] == 0
            bench.advance(1)
    assert len(bmc.sessions.live) == 1
    assert len(bmc.sessions.half_open) <= bmc.sessions.limits.half_open
    assert len(bmc.drops) < 40
    assert sum(bmc.drops.values()) > PACKETS / 2
    still_serves(bmc)


def test_a_flood_leaves_a_few_events_in_the_journal_and_does_not_drown_it():
    bench, bmc = fresh()
    for n in range(5_000):
        bmc.receive(b"\x06\x00\xff\x07\x00", PEER)
        if n % 100 == 0:
            bmc.tick(bench.clock.now())
    bench.clock.advance(SUMMARY_EVERY + 1)
    bmc.tick(bench.clock.now())
    bmc.tick(bench.clock.now())
    told = [event.data for event in bench.rack.journal if str(event.data.get("what")).startswith("dropped")]
    assert told[0]["reason"] in bmc.drops
    assert [sum(data["reasons"].values()) for data in told[1:]] == [1, 5_000]


@given(st.binary(max_size=120))
@settings(max_examples=500, deadline=None)
def test_parsing_ends_in_a_value_or_in_malformed(data):
    try:
        rmcp.parse(RMCP + data)
        rmcp.parse(data)
        rmcp.parse_message(data)
    except Malformed:
        pass


@given(
    netfn=st.integers(0, 31).map(lambda n: n * 2),
    command=st.integers(0, 255),
    data=st.binary(max_size=40),
    seq=st.integers(0, 63),
)
def test_a_message_reads_back_as_it_was_written(netfn, command, data, seq):
    message = rmcp.parse_message(request(netfn, command, data, seq))
    assert (message.netfn, message.command, message.data, message.rq_seq) == (netfn, command, data, seq)


@given(st.lists(st.integers(0, 80), max_size=200))
def test_a_window_admits_each_number_once_and_never_an_old_one(numbers):
    window, seen, highest = Window(), set(), 0
    for number in numbers:
        expected = number not in seen and number != 0 and number > highest - window.width
        assert window.admits(number) is expected
        if expected:
            seen.add(number)
            highest = max(highest, number)
