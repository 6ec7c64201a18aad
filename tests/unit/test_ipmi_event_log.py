"""The SEL over IPMI is the machine's event log."""

from __future__ import annotations

import os

import pytest

from emulator.core.bmc.eventlog import LogKind, Overflow
from emulator.core.rack import UnitSpec
from emulator.ipmi.responder import IpmiResponder
from tests.conftest import Bench, make_bench, tiny_profile
from tests.ipmi_client import PEER, Client

INFO, RESERVE, GET, ADD, DELETE, CLEAR = (0x0A, 0x40), (0x0A, 0x42), (0x0A, 0x43), (0x0A, 0x44), (0x0A, 0x46), (0x0A, 0x47)
FIRST, LAST = b"\0\0", b"\xff\xff"
EVENT = bytes.fromhex("0000 02 00000000 4100 04 01 30 01 57 23 5f")


def client_on(bench: Bench) -> Client:
    bmc = IpmiResponder(bench.view(), entropy=os.urandom)
    return Client(lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]).login()


@pytest.fixture
def client(bench):
    return client_on(bench)


def reservation(client: Client) -> bytes:
    code, data = client.command(*RESERVE)
    assert code == 0
    return data


def records(client: Client) -> list[bytes]:
    found, following = [], FIRST
    while following != LAST:
        code, data = client.command(*GET, bytes(2) + following + b"\x00\xff")
        if code == 0xCB:
            return found
        assert code == 0
        following = data[:2]
        found.append(data[2:])
    return found


def test_power_events_of_the_host_land_in_it_with_the_bmcs_time(bench, client):
    assert client.command(0, 2, b"\x00") == (0, b"")
    bench.advance(5)
    (entry,) = [e for e in bench.view().log.entries() if e.kind is LogKind.POWER_OFF]
    (off,) = records(client)
    assert off[2] == 0x02
    assert int.from_bytes(off[3:7], "little") == int(entry.wall)
    assert off[10:13] == bytes((0x09, 0x40, 0x6F))
    assert off[13] & 0x0F == 0


def test_an_event_of_a_clients_is_seen_by_every_protocol(bench, client):
    code, data = client.command(*ADD, EVENT)
    assert code == 0
    (entry,) = bench.view().log.entries()
    assert (entry.kind, entry.id) == (LogKind.ADDED, int.from_bytes(data, "little"))
    assert (entry.sel.sensor_type, entry.sel.sensor_number, entry.sel.data) == (0x01, 0x30, (0x57, 0x23, 0x5F))
    assert records(client)[0][7:] == EVENT[7:], "as it came, but for its number and its time"
    assert client.command(*ADD, EVENT[:2] + b"\x03" + EVENT[3:]) == (0xCC, b"")


@pytest.mark.parametrize("kind", [0xC0, 0xDF, 0xE0, 0xFF])
def test_a_makers_own_record_is_kept_as_it_came(bench, client, kind):
    sent = bytes((9, 9, kind, 1, 2, 3, 4, 0xA2, 0x02, 0x00, 5, 6, 7, 8, 9, 10))
    code, number = client.command(*ADD, sent)
    assert (code, number) == (0, b"\x01\x00")
    (entry,) = bench.view().log.entries()
    stamp = int(entry.wall).to_bytes(4, "little") if kind < 0xE0 else sent[3:7]
    assert records(client) == [number + bytes((kind,)) + stamp + sent[7:]]
    assert f"0x{kind:02X}" in entry.text
    assert ("manufacturer 674: 05060708090A" in entry.text) is (kind < 0xE0)


def test_a_record_can_be_added_in_parts_that_come_in_order(bench, client):
    key = reservation(client)
    assert client.command(0x0A, 0x45, key + b"\0\0\x00\x00" + EVENT[:10]) == (0, b"\0\0")
    assert client.command(0x0A, 0x45, key + b"\0\0\x0a\x01" + EVENT[10:]) == (0, b"\x01\x00")
    assert records(client)[0][7:] == EVENT[7:]


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([b"\x04\x00" + EVENT[:10]], 0x80),
        ([b"\x00\x00" + EVENT[:10], b"\x0b\x01" + EVENT[11:]], 0x80),
        ([b"\x00\x01" + EVENT[:10]], 0x80),
        ([b"\x00\x00" + EVENT[:10], b"\x0a\x00" + EVENT[:10]], 0x80),
        ([b"\x00\x02" + EVENT], 0xCC),
        ([b"\x00\x00"], 0xC7),
    ],
)
def test_parts_that_make_no_record_are_refused(bench, client, parts, code):
    key = reservation(client)
    for part in parts:
        last = client.command(0x0A, 0x45, key + b"\0\0" + part)
    assert last == (code, b"")
    assert not bench.view().log.entries()
    assert client.command(0x0A, 0x45, b"\x77\x77" + b"\0\0\x00\x01" + EVENT) == (0xC5, b"")


def test_allocation_is_told_in_records(bench, client):
    client.command(*ADD, EVENT)
    limit = bench.view().log.limit
    expected = b"".join(n.to_bytes(2, "little") for n in (limit, 16, limit - 1, limit - 1)) + b"\x01"
    assert client.command(0x0A, 0x41) == (0, expected)
    assert client.command(*INFO)[1][-1] == 0x0F


def test_the_offset_from_utc_is_kept(bench, client):
    assert client.command(0x0A, 0x5C) == (0, b"\0\0")
    assert client.command(0x0A, 0x5D, (-330).to_bytes(2, "little", signed=True)) == (0, b"")
    assert client.command(0x0A, 0x5C) == (0, (-330).to_bytes(2, "little", signed=True))
    assert client.command(0x0A, 0x5D, b"\xa1\x05") == (0xC9, b"")
    assert client.command(0x0A, 0x5D, b"\xff\x07") == (0, b"")
    assert bench.view().log.utc_offset() is None
    assert client.command(0x0A, 0x5C) == (0, b"\xff\x07")


@pytest.mark.parametrize("head", [b"\x04", b"\x41\x04"])
def test_a_platform_event_is_taken_with_and_without_a_generator(bench, client, head):
    assert client.command(4, 2, head + bytes.fromhex("01 30 81 57 ff ff")) == (0, b"")
    (entry,) = bench.view().log.entries()
    assert (entry.sel.sensor_number, entry.sel.event_type, entry.sel.asserted) == (0x30, 0x01, False)


def test_reading_in_parts_and_changing_need_the_newest_reservation(client):
    for _ in range(3):
        client.command(*ADD, EVENT)
    old, new = reservation(client), reservation(client)
    part = FIRST + b"\x04\x04"
    assert client.command(*GET, old + part) == (0xC5, b"")
    assert client.command(*GET, new + part)[0] == 0
    assert client.command(*DELETE, old + b"\x02\x00") == (0xC5, b"")
    assert client.command(*DELETE, new + b"\x02\x00") == (0, b"\x02\x00")
    assert client.command(*DELETE, new + b"\x03\x00") == (0xC5, b""), "a deletion ends the reservation"
    assert [r[0] for r in records(client)] == [1, 3]


def test_an_empty_log_has_no_first_entry_and_info_says_so(client):
    code, data = client.command(*INFO)
    assert (code, data[0], data[1:3], data[5:13]) == (0, 0x51, b"\0\0", bytes(8))
    assert client.command(*GET, bytes(2) + FIRST + b"\x00\xff") == (0xCB, b"")


def test_clearing_asks_for_the_right_word_and_leaves_its_trace(bench, client):
    client.command(*ADD, EVENT)
    bench.advance(30)
    key = reservation(client)
    assert client.command(*CLEAR, key + b"CLX\xaa") == (0xCC, b"")
    assert client.command(*CLEAR, key + b"CLR\xaa") == client.command(*CLEAR, key + b"CLR\x00") == (0, b"\x01")
    assert [e.kind for e in bench.view().log.entries()] == [LogKind.LOG_CLEARED]
    assert client.command(*INFO)[1][9:13] != bytes(4)


def test_a_full_log_that_refuses_says_out_of_space_and_overflow():
    bench = make_bench(UnitSpec(name="node1", profile=tiny_profile(), log_limit=1, log_overflow=Overflow.REFUSE))
    client = client_on(bench)
    assert client.command(*ADD, EVENT)[0] == 0
    assert client.command(*ADD, EVENT) == (0xC4, b"")
    assert client.command(*INFO)[1][13] & 0x80


def test_a_log_that_drops_its_oldest_ends_the_reservation_of_who_reads_it():
    bench = make_bench(UnitSpec(name="node1", profile=tiny_profile(), log_limit=2))
    client = client_on(bench)
    for _ in range(2):
        client.command(*ADD, EVENT)
    key = reservation(client)
    assert client.command(*GET, key + LAST + b"\x01\xff")[0] == 0
    client.command(*ADD, EVENT)
    assert client.command(*GET, key + LAST + b"\x01\xff") == (0xC5, b"")
    assert client.command(*GET, key + b"\x09\x00\x00\xff") == (0xCB, b"")


def test_the_clock_can_be_set_and_older_entries_keep_their_times(bench, client):
    client.command(*ADD, EVENT)
    before = records(client)[0][3:7]
    assert client.command(0x0A, 0x49, (1_800_000_000).to_bytes(4, "little")) == (0, b"")
    bench.advance(2)
    assert client.command(0x0A, 0x48) == (0, (1_800_000_002).to_bytes(4, "little"))
    client.command(*ADD, EVENT)
    first, second = records(client)
    assert first[3:7] == before
    assert second[3:7] == (1_800_000_002).to_bytes(4, "little")
    assert client.command(0x0A, 0x49, b"\xff" * 4) == (0xCC, b"")


def test_a_log_that_is_off_takes_only_what_a_client_adds(bench, client):
    assert client.command(6, 0x2F) == (0, b"\x08")
    assert client.command(6, 0x2E, b"\x00") == (0, b"")
    assert client.command(6, 0x2F) == (0, b"\x00")
    client.command(0, 2, b"\x00")
    bench.advance(5)
    assert client.command(4, 2, bytes.fromhex("04 01 30 81 57 ff ff")) == (0, b"")
    assert bench.view().log.entries() == ()
    assert client.command(*ADD, EVENT)[0] == 0
    assert client.command(6, 0x2E, b"\x0b") == (0, b"")
    assert client.command(6, 0x2F) == (0, b"\x0b")
    client.command(0, 2, b"\x01")
    bench.advance(5)
    assert [entry.kind for entry in bench.view().log.entries()] == [LogKind.ADDED, LogKind.POWER_ON, LogKind.BOOT]


def test_the_bmc_is_its_own_event_receiver(client):
    assert client.command(4, 1) == (0, b"\x20\x00")
    assert client.command(4, 0, b"\x20\x00") == (0, b"")
    assert client.command(4, 0, b"\xff\x00") == client.command(4, 0, b"\x22\x00") == (0xCC, b"")
