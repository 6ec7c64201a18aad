"""Sensor records, readings and FRU: what a BMC tells about its machine."""

from __future__ import annotations

import os

import pytest

from emulator.core.bmc.sensors import SENSORS, SensorNumber
from emulator.core.journal import EventKind
from emulator.core.truth.host import News
from emulator.ipmi.management import sdr
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.state import Here
from tests.ipmi_client import PEER, Client

SDR, READING, THRESHOLDS = (0x0A, 0x23), (4, 0x2D), (4, 0x27)
LAN = (0x0C, 0x02)


@pytest.fixture
def client(bench):
    bmc = IpmiResponder(bench.view(), entropy=os.urandom, here=Here("10.1.2.3", 6230))
    return Client(lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]).login()


def test_the_repository_is_read_record_by_record_until_there_is_no_next(client):
    following, seen = b"\0\0", []
    while following != b"\xff\xff":
        code, data = client.command(*SDR, bytes(2) + following + b"\x00\xff")
        assert code == 0
        following, record = data[:2], data[2:]
        assert (record[2], record[4] + 5) == (0x51, len(record))
        seen.append(record)
    info = client.command(0x0A, 0x20)[1]
    assert int.from_bytes(info[1:3], "little") == len(seen) == len(sdr.records())
    names = {record[48:].decode() for record in seen if record[3] == sdr.FULL}
    assert names == {sensor.name for sensor in SENSORS}
    assert {record[7] for record in seen if record[3] != sdr.CONTROLLER} == {int(n) for n in SensorNumber}


def test_a_record_can_be_read_in_parts_under_a_reservation(client):
    code, key = client.command(0x0A, 0x22)
    assert code == 0
    whole = client.command(*SDR, bytes(2) + b"\x02\x00\x00\xff")[1][2:]
    parts = [client.command(*SDR, key + b"\x02\x00" + bytes((at, 16)))[1][2:] for at in range(0, len(whole), 16)]
    assert b"".join(parts) == whole
    client.command(0x0A, 0x22)
    assert client.command(*SDR, key + b"\x02\x00\x10\x10") == (0xC5, b"")
    assert client.command(*SDR, bytes(2) + b"\x63\x00\x00\xff") == (0xCB, b"")
    assert client.command(*SDR, bytes(2) + b"\x02\x00\x00\xfe") == (0xCA, b"")


def test_readings_follow_the_host(bench, client):
    watts = {}
    for power, control in (("on", None), ("off", b"\x00")):
        if control:
            client.command(0, 2, control)
            bench.advance(60)
        watts[power] = client.command(*READING, bytes((SensorNumber.POWER,)))[1][0]
        fan = client.command(*READING, bytes((SensorNumber.FAN_1,)))[1]
        assert (fan[0] == 0) is (power == "off")
        assert fan[2] & 0x3F == 0, "a fan that stands still as it should is no alarm"
    assert watts["on"] > 10 * watts["off"] > 0


def test_a_reading_beyond_a_limit_says_which(bench, client):
    number = bytes((SensorNumber.INLET_TEMPERATURE,))
    mask, *limits = client.command(*THRESHOLDS, number)[1]
    assert mask == 0b111011
    assert client.command(*READING, number)[1][2] & 0x3F == 0
    assert limits[3:] == [38, 42, 47]


def test_a_host_out_of_sight_has_no_readings(bench, client):
    bench.rack.news("node1", bench.view().first_system().id, News.OUT_OF_SIGHT)
    assert client.command(*READING, bytes((SensorNumber.POWER,)))[1][1] & 0x20
    assert client.command(0x2C, 0x02, b"\xdc\x01\x00\x00")[1][-1] == 0x00


def test_states_are_bits_and_event_sensors_have_nothing_to_read(bench, client):
    unit = bytes((SensorNumber.POWER_UNIT,))
    assert client.command(*READING, unit) == (0, b"\x00\xc0\x00\x80")
    assert client.command(*READING, bytes((SensorNumber.ACPI_POWER_STATE,))) == (0, b"\x00\xc0\x01\x80")
    client.command(0, 2, b"\x00")
    bench.advance(5)
    assert client.command(*READING, unit) == (0, b"\x00\xc0\x01\x80")
    assert client.command(*READING, bytes((SensorNumber.ACPI_POWER_STATE,))) == (0, b"\x00\xc0\x20\x80")
    assert client.command(*READING, bytes((SensorNumber.WATCHDOG,))) == (0xCB, b"")
    assert client.command(*READING, b"\x7f") == (0xCB, b"")
    assert client.command(*THRESHOLDS, unit) == (0xC1, b"")


@pytest.mark.parametrize(
    ("number", "answer"),
    [(SensorNumber.FAN_1, b"\x04\x01"), (SensorNumber.POWER_UNIT, b"\x09\x6f"), (SensorNumber.WATCHDOG, b"\x23\x6f")],
)
def test_every_sensor_has_a_type(client, number, answer):
    assert client.command(4, 0x2F, bytes((number,))) == (0, answer)


# -- FRU ---------------------------------------------------------------------------------------------------------------


def test_the_inventory_is_well_formed_and_says_what_redfish_says(bench, client):
    code, info = client.command(0x0A, 0x10, b"\0")
    assert (code, info[2]) == (0, 0)
    size = int.from_bytes(info[:2], "little")
    data = b"".join(client.command(0x0A, 0x11, b"\0" + at.to_bytes(2, "little") + b"\x20")[1][1:] for at in range(0, size, 32))
    assert len(data) == size
    assert sum(data[:8]) % 256 == 0
    for at in data[2:5]:
        area = data[at * 8 : at * 8 + data[at * 8 + 1] * 8]
        assert sum(area) % 256 == 0
    view = bench.view()
    for text in (view.profile.identity.manufacturer, view.profile.identity.model, view.first_system().serial):
        assert text.encode() in data


def test_the_inventory_has_an_end_and_cannot_be_written(client):
    assert client.command(0x0A, 0x11, b"\x00\xff\x7f\x10") == (0xC9, b"")
    assert client.command(0x0A, 0x12, b"\x00\x00\x00\x01") == (0x80, b"")
    assert client.command(0x0A, 0x10, b"\x01") == client.command(0x0A, 0x11, b"\x01\0\0\x01") == (0xCB, b"")


# -- the rest ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"\x00\x01", b"\x03", b""])
def test_other_groups_and_picmg_are_invalid_commands(client, body):
    assert client.command(0x2C, 1, body)[0] == (0xC1 if body else 0xC7)
    assert client.command(0x2C, 0, b"\0") == client.command(0x30, 1) == (0xC1, b"")


def test_reading_changes_nothing(bench, client):
    before = len(bench.events(EventKind.SETTING))
    for command, data in ((SDR, bytes(2) + b"\0\0\0\xff"), (READING, b"\x01"), (LAN, b"\x01\x03\0\0")):
        client.command(*command, data)
    assert len(bench.events(EventKind.SETTING)) == before
