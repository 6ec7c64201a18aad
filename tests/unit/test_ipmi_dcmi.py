"""DCMI: capabilities, power and its limit, temperatures, names and how it asks for an address."""

from __future__ import annotations

import os

import pytest

from emulator.core.truth.host import News
from emulator.ipmi.responder import IpmiResponder
from tests.ipmi_client import PEER, Client

DCMI = 0x2C
LIMIT = b"\x11\x2c\x01\xe8\x03\x00\x00\x00\x00\x05\x00"  # log only, 300 W, 1000 ms, 5 s


@pytest.fixture
def client(bench):
    bmc = IpmiResponder(bench.view(), entropy=os.urandom)
    return Client(lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]).login()


def ask(client, command, body=b""):
    return client.command(DCMI, command, b"\xdc" + body)


@pytest.mark.parametrize("parameter", [1, 2, 3, 4, 5])
def test_dcmi_says_what_it_can(client, parameter):
    code, data = ask(client, 1, bytes((parameter,)))
    assert (code, data[:4]) == (0, b"\xdc\x01\x05\x02")
    assert ask(client, 1, b"\x06") == ask(client, 1, b"") == (0xCC, b"")


def test_dcmi_power_has_least_greatest_and_average(bench, client):
    bench.advance(30)
    client.command(0, 2, b"\x00")
    bench.advance(30)
    code, data = ask(client, 2, b"\x01\x00\x00")
    now, low, high, average = (int.from_bytes(data[at : at + 2], "little") for at in (1, 3, 5, 7))
    assert code == 0
    assert now == low < average < high
    assert int.from_bytes(data[13:17], "little") == 60_000
    assert ask(client, 2, b"\x02\x05\x00") == (0xCC, b""), "no rolling averages, and capability 5 says so"


def test_a_power_limit_is_told_with_its_code_until_it_is_active(bench, client):
    watts = bench.view().profile.inventory.psu_watts
    assert ask(client, 3, b"\0\0") == (0x80, b"\xdc\0\0\0" + watts.to_bytes(2, "little") + b"\xe8\x03\0\0\0\0\x01\0")
    assert ask(client, 4, bytes(3) + LIMIT) == (0, b"\xdc")
    assert ask(client, 3, b"\0\0") == (0x80, b"\xdc\0\0" + LIMIT)
    assert ask(client, 5, b"\x01\0\0") == (0, b"\xdc")
    assert ask(client, 3, b"\0\0") == (0, b"\xdc\0\0" + LIMIT)
    assert ask(client, 5, b"\x00\0\0") == (0, b"\xdc")
    assert ask(client, 3, b"\0\0")[0] == 0x80


@pytest.mark.parametrize(
    ("command", "body", "code"),
    [
        (4, LIMIT, 0xC7),
        (4, bytes(3) + b"\x12" + LIMIT[1:], 0xCC),
        (4, bytes(3) + b"\x00\x00\x00" + LIMIT[3:], 0x84),
        (4, bytes(3) + LIMIT[:3] + bytes(4) + LIMIT[7:], 0x85),
        (5, b"\x02\0\0", 0xCC),
        (5, b"\x01", 0xCC),
    ],
)
def test_a_limit_that_cannot_be_is_refused(client, command, body, code):
    assert ask(client, command, body) == (code, b"")
    assert ask(client, 3, b"\0\0")[0] == 0x80


@pytest.mark.parametrize(("entity", "record"), [(0x40, b"\x02\x00"), (0x37, b"\x02\x00"), (0x41, b"\x03\x00"), (0x42, b"")])
def test_temperature_sensors_are_found_under_both_names(client, entity, record):
    count = len(record) // 2
    assert ask(client, 7, bytes((1, entity, 0, 0))) == (0, bytes((0xDC, count, count)) + record)
    assert ask(client, 7, bytes((1, entity, 1, 0))) == (0, bytes((0xDC, count, count)) + record)
    assert ask(client, 7, bytes((1, entity, 9, 0))) == ask(client, 7, bytes((1, entity, 0, 2))) == (0, b"\xdc\0\0")


def test_temperatures_are_the_sensors(bench, client):
    assert ask(client, 0x10, b"\x01\x40\x00\x00") == (0, b"\xdc\x01\x01\x17\x01")
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    assert ask(client, 0x10, b"\x01\x41\x00\x00") == (0, b"\xdc\x00\x00")


@pytest.mark.parametrize(("body", "code"), [(b"\x02\x40\0\0", 0xCC), (b"\x01\x50\0\0", 0xCC), (b"\x01\x40\0", 0xC7)])
def test_sensors_that_dcmi_does_not_know_are_refused(client, body, code):
    assert ask(client, 7, body) == ask(client, 0x10, body) == (code, b"")


def test_the_inlets_limit_is_kept(client):
    assert ask(client, 0x0C, b"\x40\x01") == (0, b"\xdc" + bytes(4))
    assert ask(client, 0x0B, b"\x37\x01\x40\x2d\x3c\x00") == (0, b"\xdc")
    assert ask(client, 0x0C, b"\x40\x01") == (0, b"\xdc\x40\x2d\x3c\x00")
    assert ask(client, 0x0C, b"\x41\x01") == ask(client, 0x0B, b"\x40\x02" + bytes(4)) == (0xCC, b"")
    assert ask(client, 0x0C, b"\x40") == ask(client, 0x0B, b"\x40\x01") == (0xC7, b"")


# -- names -------------------------------------------------------------------------------------------------------------


def test_the_asset_tag_is_the_machines(bench, client):
    assert ask(client, 8, b"\x00\x05rack7") == (0, b"\xdc\x05")
    assert bench.view().chassis.asset_tag() == "rack7"
    assert ask(client, 6, b"\x00\x10") == (0, b"\xdc\x05rack7")
    assert ask(client, 6, b"\x09\x10") == ask(client, 8, b"\x40\x01x") == (0xC9, b"")
    assert ask(client, 8, b"\x00\x09x") == ask(client, 8, b"\x00\x01\xff") == ask(client, 6, b"\0\x11") == (0xCC, b"")


def test_a_tag_may_come_padded_to_the_end(bench, client):
    padded = b"a tag of twenty char".ljust(63, b"\0")
    for at in range(0, 63, 16):
        piece = padded[at : at + 16]
        assert ask(client, 8, bytes((at, len(piece))) + piece) == (0, bytes((0xDC, at + len(piece))))
    assert bench.view().chassis.asset_tag() == "a tag of twenty char"


def test_the_controllers_name_is_that_of_its_interface(bench, client):
    network = bench.view().network
    assert ask(client, 9, b"\x00\x10")[1][2:] == network.interface().host_name.encode() + b"\0"
    assert ask(client, 0x0A, b"\x00\x06bmc-7\0") == (0, b"\xdc\x06")
    assert network.interface().host_name == "bmc-7"
    assert ask(client, 9, b"\x00\x10") == (0, b"\xdc\x06bmc-7\0")
    assert ask(client, 0x0A, b"\x00\x01\xff") == (0xCC, b"")


def test_how_it_asks_for_an_address_is_kept(client):
    assert ask(client, 0x13, b"\x04\x00") == (0, b"\xdc\x01\x05\x01\x78\x00")
    assert ask(client, 0x12, b"\x04\x00\x3c\x00") == (0, b"\xdc")
    assert ask(client, 0x13, b"\x04\x00") == (0, b"\xdc\x01\x05\x01\x3c\x00")
    assert ask(client, 0x12, b"\x03\x00\x08\x00") == (0, b"\xdc"), "one client always sends two bytes"
    assert ask(client, 0x13, b"\x03\x00") == (0, b"\xdc\x01\x05\x01\x08")
    assert ask(client, 0x12, b"\x01\x00\x01") == (0, b"\xdc")


@pytest.mark.parametrize(
    ("command", "body", "code"),
    [(0x13, b"\x01\x00", 0x83), (0x13, b"\x06\x00", 0x80), (0x13, b"\x02", 0xC7), (0x12, b"\x06\x00\x01", 0x80),
     (0x12, b"\x04\x00\x01", 0xC7), (0x12, b"\x03\x00\x01\x01", 0xC7), (0x12, b"\x02", 0xC7)],
)  # fmt: skip
def test_configuration_that_is_not_there_is_refused(client, command, body, code):
    assert ask(client, command, body) == (code, b"")
