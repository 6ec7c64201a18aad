"""Nothing that a stranger or a broken client sends can hurt a BMC: no exception, no growth, and the next session works."""

from __future__ import annotations

import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.rack import UnitSpec
from emulator.ipmi.commands import COMMANDS
from emulator.ipmi.responder import SUMMARY_EVERY, IpmiResponder
from emulator.ipmi.session import rmcp
from emulator.ipmi.session.rmcp import Malformed
from emulator.ipmi.session.window import SequenceWindow
from tests.conftest import Bench, make_bench, tiny_profile
from tests.effort import examples
from tests.ipmi_client import PEER, RMCP, Client, request
from tests.ipmi_hostile import corpus, killers, spoil

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


@pytest.mark.timeout(110)
def test_random_and_spoilt_packets_neither_raise_nor_grow_anything_and_a_session_survives_them():
    bench, bmc = fresh()
    rng = random.Random(2026)
    _other, victim = fresh()
    good = corpus(lambda datagram: [data for data, _peer in victim.receive(datagram, PEER)])
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
@settings(max_examples=examples(500), deadline=None)
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
    window, seen, highest = SequenceWindow(), set(), 0
    for number in numbers:
        expected = number not in seen and number != 0 and number > highest - window.width
        assert window.admits(number) is expected
        if expected:
            seen.add(number)
            highest = max(highest, number)


ENDS_A_SESSION = {(6, 0x02), (6, 0x03), (6, 0x3B), (6, 0x3C), (6, 0x40), (6, 0x43), (6, 0x45), (6, 0x47)}
"""Resets of the BMC, a lower privilege, a close, a channel that is switched off, and what may change the account behind it."""


@given(command=st.sampled_from(sorted(COMMANDS)), data=st.data())
@settings(max_examples=examples(300), deadline=None)
def test_every_command_answers_whatever_data_it_is_given(command, data):
    """Of the lengths that its row takes, where handlers read what they are given."""
    _bench, bmc = fresh()
    client = client_of(bmc).login()
    fewest, most = COMMANDS[command].length
    for _ in range(5):
        end = client.command(*command, data.draw(st.binary(min_size=fewest, max_size=min(most, 40))))
        assert end is not None or command in ENDS_A_SESSION
        if end is None or command in ENDS_A_SESSION:
            return
        code, answer = end
        assert 0 <= code <= 0xFF
        # A refusal carries no data, but for DCMI's "no active power limit", which still tells the limit (DCMI 1.5, 6.6.2).
        assert not code or not answer or (command, code) == ((0x2C, 0x03), 0x80)
