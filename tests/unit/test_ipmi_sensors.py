"""Thresholds, hysteresis and events of sensors over IPMI: they are the machine's, and a crossed limit is an event."""

from __future__ import annotations

import os

import pytest

from emulator.core.bmc.eventlog import LogKind, Severity
from emulator.core.bmc.sensors import SENSORS, SensorNumber, SensorType
from emulator.core.truth.host import News
from emulator.ipmi.management import sdr
from emulator.ipmi.responder import IpmiResponder
from tests.ipmi_client import PEER, Client

FACTORS, SET_HYST, HYST, SET_LIMITS, LIMITS = ((4, n) for n in (0x23, 0x24, 0x25, 0x26, 0x27))
SET_EVENTS, EVENTS, REARM, STATUS, READING, TYPE = ((4, n) for n in (0x28, 0x29, 0x2A, 0x2B, 0x2D, 0x2F))
CPU, FAN, INLET = bytes((SensorNumber.CPU_TEMPERATURE,)), bytes((SensorNumber.FAN_1,)), bytes((SensorNumber.INLET_TEMPERATURE,))
UNIT, DOG, POWER = (bytes((n,)) for n in (SensorNumber.POWER_UNIT, SensorNumber.WATCHDOG, SensorNumber.POWER))
UNC, UCR, UNR = 0x08, 0x10, 0x20
NOBODY = b"\x7f"


def to(bmc: IpmiResponder):
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


@pytest.fixture
def bmc(bench):
    return IpmiResponder(bench.view(), entropy=os.urandom)


@pytest.fixture
def client(bmc):
    return Client(to(bmc)).login()


def limits(number: bytes, mask: int, *values: int) -> bytes:
    """Set Sensor Thresholds: lower caution, critical, fatal, then upper."""
    return number + bytes((mask, *values, *bytes(6 - len(values))))


def entries(bench):
    return [entry for entry in bench.view().log.entries() if entry.kind is LogKind.THRESHOLD]


# -- limits ------------------------------------------------------------------------------------------------------------


def test_a_limit_that_is_set_is_told_and_the_others_stay(client):
    before = client.command(*LIMITS, CPU)[1]
    assert client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 80)) == (0, b"")
    after = client.command(*LIMITS, CPU)[1]
    assert after == before[:4] + b"\x50" + before[5:]


def test_a_reading_beyond_a_new_limit_is_a_state_and_an_event_at_once(bench, client):
    assert client.command(*SET_LIMITS, limits(CPU, UNC | UCR, 0, 0, 0, 40, 50)) == (0, b"")
    assert client.command(*READING, CPU)[1] == bytes((52, 0xC0, 0xC0 | UNC | UCR))
    assert client.command(*STATUS, CPU)[1] == b"\xc0" + (1 << 7 | 1 << 9).to_bytes(2, "little") + b"\0\0"
    caution, critical = entries(bench)
    assert (caution.severity, critical.severity) == (Severity.WARNING, Severity.CRITICAL)
    record = client.command(0x0A, 0x43, b"\0\0" + critical.id.to_bytes(2, "little") + b"\x00\xff")[1][2:]
    assert record[10:] == bytes((SensorType.TEMPERATURE, SensorNumber.CPU_TEMPERATURE, 0x01, 0x59, 52, 50))
    assert client.command(*SET_LIMITS, limits(CPU, UNC | UCR, 0, 0, 0, 85, 95)) == (0, b"")
    assert client.command(*READING, CPU)[1][2] == 0xC0
    back = entries(bench)[2:]
    assert [(entry.sel.asserted, entry.sel.data[0]) for entry in back] == [(False, 0x59), (False, 0x57)]
    assert {entry.severity for entry in back} == {Severity.OK}


def test_a_reading_that_falls_below_a_lower_limit_says_so_but_not_of_a_machine_that_is_off(bench, client):
    assert client.command(*SET_LIMITS, limits(FAN, 0x03, 60, 55)) == (0, b"")
    assert client.command(*READING, FAN)[1][2] & 0x3F == 0x03
    assert [entry.sel.data[0] for entry in entries(bench)] == [0x50, 0x52]
    client.command(0, 2, b"\x00")
    bench.advance(60)
    assert client.command(*READING, FAN)[1] == b"\x00\xc0\xc0"


def test_a_cooling_processor_leaves_its_limit_only_beyond_the_hysteresis(bench, client):
    client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 50))
    assert client.command(*SET_HYST, CPU + b"\xff\x05\x05") == (0, b"")
    assert client.command(*HYST, CPU + b"\xff") == (0, b"\x05\x05")
    client.command(0, 2, b"\x00")
    seen = []
    for _ in range(120):
        bench.advance(1)
        reading = client.command(*READING, CPU)[1]
        seen.append((reading[0], bool(reading[2] & UNC)))
    assert {beyond for value, beyond in seen if value >= 45} == {True}
    assert {beyond for value, beyond in seen if value < 45} == {False}
    assert [entry.sel.asserted for entry in entries(bench)] == [True, False], "nobody needs to look for it to be noticed"
    assert entries(bench)[1].sel.data[1] < 45


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (limits(NOBODY, UNC), 0xCB),
        (limits(UNIT, UNC), 0xC1),
        (limits(POWER, UNC), 0xC1),
        (limits(FAN, UNC), 0xCC),
        (limits(CPU, UNC)[:-1], 0xC7),
        (limits(CPU, UNC) + b"\0", 0xC7),
    ],
)
def test_limits_that_cannot_be_set(client, data, code):
    assert client.command(*SET_LIMITS, data) == (code, b"")


def test_hysteresis_needs_a_sensor_with_limits(client):
    assert client.command(*HYST, FAN + b"\xff") == (0, b"\x01\x01")
    for number, code in ((NOBODY, 0xCB), (UNIT, 0xC1), (POWER, 0xC1)):
        assert client.command(*HYST, number + b"\xff") == (code, b"")
        assert client.command(*SET_HYST, number + b"\xff\1\1") == (code, b"")
    assert client.command(*HYST, FAN) == client.command(*SET_HYST, FAN + b"\xff\1") == (0xC7, b"")


def test_a_sensor_without_limits_says_so(client):
    assert client.command(*LIMITS, POWER) == (0, bytes(7))


# -- events ------------------------------------------------------------------------------------------------------------


def test_a_sensor_whose_events_are_off_writes_none(bench, client):
    assert client.command(*SET_EVENTS, CPU + b"\x40") == (0, b"")
    client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 40))
    assert client.command(*READING, CPU)[1] == bytes((52, 0x40, 0xC0 | UNC))
    assert entries(bench) == []


def test_single_events_can_be_switched_off_and_on_again(bench, client):
    every = client.command(*EVENTS, CPU)[1]
    assert every == b"\xc0" + (1 << 7 | 1 << 9 | 1 << 11).to_bytes(2, "little") * 2
    assert client.command(*SET_EVENTS, CPU + b"\xe0\x80\x00\x00\x00") == (0, b"")
    assert client.command(*EVENTS, CPU)[1] == b"\xc0" + (1 << 9 | 1 << 11).to_bytes(2, "little") + every[3:]
    client.command(*SET_LIMITS, limits(CPU, UNC | UCR, 0, 0, 0, 40, 45))
    assert [entry.sel.data[0] for entry in entries(bench)] == [0x59]
    assert client.command(*SET_EVENTS, CPU + b"\xd0\x80") == (0, b"")
    assert client.command(*EVENTS, CPU)[1] == every


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (NOBODY + b"\xc0", 0xCB),
        (CPU + b"\xf0", 0xCC),
        (CPU + b"\xd0\x01\x00", 0xCC),
        (CPU + b"\xd0\x00\x00\x01\x00", 0xCC),
        (CPU, 0xC7),
    ],
)
def test_events_that_cannot_be_set(client, data, code):
    assert client.command(*SET_EVENTS, data) == (code, b"")


def test_a_sensor_that_is_not_scanned_has_no_reading(bench, client):
    assert client.command(*SET_EVENTS, CPU + b"\x80") == (0, b"")
    assert client.command(*SET_EVENTS, UNIT + b"\x80") == (0, b"")
    assert client.command(*READING, CPU) == (0, b"\x00\xa0\xc0")
    assert client.command(*READING, UNIT) == (0, b"\x00\xa0\x00\x80")
    assert client.command(*STATUS, CPU) == client.command(*STATUS, UNIT) == (0, b"\xa0\0\0\0\0")
    client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 40))
    assert entries(bench) == []
    assert client.command(*SET_EVENTS, CPU + b"\xc0") == (0, b"")
    assert len(entries(bench)) == 1


def test_power_events_can_be_kept_out_of_the_log(bench, client):
    assert client.command(*EVENTS, UNIT)[1] == b"\xc0\x13\x00\x11\x00"
    assert client.command(*SET_EVENTS, UNIT + b"\xe0\x01\x00") == (0, b"")
    client.command(0, 2, b"\x00")
    bench.advance(5)
    assert LogKind.POWER_OFF not in {entry.kind for entry in bench.view().log.entries()}
    client.command(0, 2, b"\x01")
    bench.advance(5)
    assert LogKind.POWER_ON in {entry.kind for entry in bench.view().log.entries()}


def test_events_of_sensors_that_only_send_them(client):
    assert client.command(*EVENTS, DOG) == (0, b"\xc0\x0f\x01\0\0")
    assert client.command(*STATUS, DOG) == (0, b"\xc0\0\0\0\0")
    assert client.command(*STATUS, UNIT) == (0, b"\xc0\0\0\0\0")
    client.command(0, 2, b"\x00")


def test_rearmed_means_told_once_more(bench, client):
    client.command(*SET_LIMITS, limits(CPU, UNC | UCR, 0, 0, 0, 40, 45))
    assert client.command(*REARM, CPU + b"\x80\x80\x00") == (0, b"")
    assert [entry.sel.data[0] for entry in entries(bench)] == [0x57, 0x59, 0x57]
    assert client.command(*REARM, CPU + b"\x00") == (0, b"")
    assert [entry.sel.data[0] for entry in entries(bench)][3:] == [0x57, 0x59]
    assert client.command(*REARM, NOBODY + b"\x00") == (0xCB, b"")
    assert client.command(*REARM, UNIT + b"\x00") == (0, b"")


# -- what does not change ----------------------------------------------------------------------------------------------


def test_factors_are_those_of_the_record(client):
    for sensor in SENSORS:
        code, data = client.command(*FACTORS, bytes((sensor.number, 0x10)))
        record = next(r for r in sdr.records() if r[3] == sdr.FULL and r[7] == sensor.number)
        assert (code, data[0], data[1:]) == (0, 0xFF, record[24:30])
    assert client.command(*FACTORS, UNIT + b"\0") == (0xC1, b"")
    assert client.command(*FACTORS, NOBODY + b"\0") == (0xCB, b"")


def test_full_records_say_what_can_be_set(client):
    by_number = {r[7]: r for r in sdr.records() if r[3] == sdr.FULL}
    cpu, power = by_number[SensorNumber.CPU_TEMPERATURE], by_number[SensorNumber.POWER]
    assert (cpu[11], cpu[18], cpu[19]) == (0x68, 0x38, 0x38)
    assert cpu[14:18] == (0x0A80).to_bytes(2, "little") + (0x7A80).to_bytes(2, "little")
    assert cpu[36:44] == bytes((100, 95, 85, 0, 0, 0, 2, 2))
    assert (power[11], power[18], power[19]) == (0x43, 0, 0)


@pytest.mark.parametrize("number", list(SensorNumber))
def test_every_sensor_answers_what_every_sensor_must(client, number):
    one = bytes((number,))
    assert client.command(*TYPE, one)[0] == client.command(*EVENTS, one)[0] == client.command(*STATUS, one)[0] == 0
    assert len(client.command(*EVENTS, one)[1]) == len(client.command(*STATUS, one)[1]) == 5
    assert client.command(*EVENTS, NOBODY) == client.command(*STATUS, NOBODY) == client.command(*TYPE, NOBODY) == (0xCB, b"")


def test_operators_set_sensors_and_users_only_read_them(bmc):
    operator, user = Client(to(bmc), privilege=3).login(), Client(to(bmc), privilege=2).login()
    for command, data in (
        (SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 80)),
        (SET_HYST, CPU + b"\xff\1\1"),
        (SET_EVENTS, CPU + b"\xc0"),
        (REARM, CPU + b"\x00"),
        ((0x0A, 0x2C), b"\x01"),
        ((0x0A, 0x5D), b"\0\0"),
    ):
        assert user.command(*command, data) == (0xD4, b"")
        assert operator.command(*command, data)[0] == 0
    for command in (LIMITS, EVENTS, STATUS, READING):
        assert user.command(*command, CPU)[0] == 0


# -- records -----------------------------------------------------------------------------------------------------------


def test_a_bmc_that_starts_again_has_its_sensors_as_their_records_say(bench, bmc, client):
    before = client.command(*LIMITS, CPU)
    client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 40))
    assert client.command(6, 2) == (0, b"")
    bench.advance(300)
    assert Client(to(bmc)).login().command(*LIMITS, CPU) == before


def test_the_initialisation_agent_does_the_same(client):
    before = client.command(*LIMITS, CPU)
    client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 40))
    assert client.command(0x0A, 0x2C, b"\x00") == (0, b"\x01")
    assert client.command(*LIMITS, CPU) != before
    assert client.command(0x0A, 0x2C, b"\x01") == (0, b"\x01")
    assert client.command(*LIMITS, CPU) == before


def test_device_records_are_those_of_the_repository(client):
    count = len(sdr.records())
    assert client.command(4, 0x20) == client.command(4, 0x20, b"\x00") == (0, bytes((len(SensorNumber), 1)))
    assert client.command(4, 0x20, b"\x01") == (0, bytes((count, 1)))
    key = client.command(4, 0x22)[1]
    following, seen = b"\0\0", []
    while following != b"\xff\xff":
        code, data = client.command(4, 0x21, key + following + b"\x00\xff")
        assert code == 0
        following = data[:2]
        seen.append(data[2:])
    assert tuple(seen) == sdr.records()


def test_the_repository_says_how_large_it_is_and_cannot_be_changed(client):
    size = sum(map(len, sdr.records()))
    code, data = client.command(0x0A, 0x21)
    assert (code, data[:2], data[2:4], data[4:8]) == (0, size.to_bytes(2, "little"), b"\1\0", bytes(4))
    assert data[8] == max(map(len, sdr.records()))
    assert client.command(0x0A, 0x20)[1][-1] == 0x03
    for command, length in ((0x24, 20), (0x25, 8), (0x26, 4), (0x27, 6), (0x2A, 0), (0x2B, 0)):
        assert client.command(0x0A, command, bytes(length)) == (0xC1, b"")


def test_the_repository_has_the_bmcs_clock(client):
    assert client.command(0x0A, 0x29, (1_700_000_000).to_bytes(4, "little")) == (0, b"")
    assert client.command(0x0A, 0x28) == client.command(0x0A, 0x48) == (0, (1_700_000_000).to_bytes(4, "little"))


def test_of_a_host_out_of_sight_nothing_changes(bench, client):
    client.command(*SET_LIMITS, limits(CPU, UNC, 0, 0, 0, 40))
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    assert client.command(*READING, CPU) == (0, b"\x00\xe0\xc0")
    assert client.command(*STATUS, CPU) == (0, b"\xe0\0\0\0\0")
    assert [entry.sel.asserted for entry in entries(bench)] == [True]
