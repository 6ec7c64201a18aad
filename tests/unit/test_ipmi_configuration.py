"""Serial over LAN, PEF, system information, users without accounts, mailbox, panel and clock: what is set is kept and told."""

from __future__ import annotations

import os
from functools import partial

import pytest

from emulator.ipmi.management import pef
from emulator.ipmi.responder import IpmiResponder
from tests.ipmi_client import PEER, Client

SET_SOL, SOL = (0x0C, 0x21), (0x0C, 0x22)
SET_PEF, PEF = (4, 0x12), (4, 0x13)
SET_INFO, INFO = (6, 0x58), (6, 0x59)
ACTIVATE = (6, 0x48)
CONSOLE = b"\x01\x01\xc0\0\0\0"


@pytest.fixture
def bmc(bench):
    return IpmiResponder(bench.view(), entropy=os.urandom)


def to(bmc):
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


@pytest.fixture
def client(bmc):
    return Client(to(bmc)).login()


# -- serial over LAN ---------------------------------------------------------------------------------------------------


def sol(client, number):
    code, data = client.command(*SOL, bytes((1, number, 0, 0)))
    assert (code, data[:1]) == (0, b"\x11")
    return data[1:]


def set_sol(client, number, value):
    return client.command(*SET_SOL, bytes((1, number)) + value)[0]


@pytest.mark.parametrize(
    ("number", "value"),
    [(0, b"\x01"), (1, b"\x00"), (2, b"\xc4"), (3, b"\x0c\x60"), (4, b"\x03\x14"), (5, b"\x06"), (6, b"\x09")],
)
def test_sol_parameters_are_kept(client, number, value):
    assert sol(client, number) != value
    assert set_sol(client, number, value) == 0
    assert sol(client, number) == value


@pytest.mark.parametrize(
    ("number", "value", "code"),
    [
        (0, b"\x02", 0xC9), (1, b"\x02", 0xC9), (2, b"\xc1", 0xC9), (3, b"\x00\x10", 0xC9), (4, b"\x08\x10", 0xC9),
        (5, b"\x05", 0xC9), (6, b"\x0b", 0xC9), (3, b"\x01", 0xC7), (1, b"\x01\x00", 0xC7),
        (7, b"\x01", 0x82), (8, b"\x6f\x02", 0x82), (9, b"\x00", 0x80),
    ],
)  # fmt: skip
def test_what_sol_cannot_be_is_refused(client, number, value, code):
    assert set_sol(client, number, value) == code


def test_no_console_where_it_is_switched_off(client):
    set_sol(client, 1, b"\x00")
    assert client.command(*ACTIVATE, CONSOLE) == (0x81, b"")
    set_sol(client, 1, b"\x01")
    assert client.command(*ACTIVATE, CONSOLE)[0] == 0


def test_the_privilege_that_the_console_takes_is_enforced(bmc, client):
    operator, user = (Client(to(bmc), privilege=level).login() for level in (3, 2))
    assert user.command(*ACTIVATE, CONSOLE) == (0xD4, b"")
    set_sol(client, 2, b"\xc4")
    assert operator.command(*ACTIVATE, CONSOLE) == (0xD4, b"")
    set_sol(client, 2, b"\xc2")
    assert user.command(*ACTIVATE, CONSOLE)[0] == 0
    set_sol(client, 2, b"\xc3")
    assert user.command(6, 0x49, CONSOLE) == (0xD4, b"")
    assert operator.command(6, 0x49, CONSOLE) == (0, b"")


def test_a_console_in_clear_is_refused_whatever_is_set(client):
    set_sol(client, 2, b"\x03")
    assert client.command(*ACTIVATE, b"\x01\x01\x00\0\0\0") == (0x84, b"")


def test_a_bit_rate_that_does_not_last_follows_the_lasting_one_after_a_restart(bench, bmc, client):
    set_sol(client, 5, b"\x08")
    assert sol(client, 6) == b"\x08", "nobody has set another"
    set_sol(client, 6, b"\x06")
    client.command(6, 0x02)
    bench.advance(600)
    client = Client(to(bmc)).login()
    assert (sol(client, 5), sol(client, 6)) == (b"\x08", b"\x08")


# -- PEF ---------------------------------------------------------------------------------------------------------------


def get_pef(client, number, selector=0, block=0):
    code, data = client.command(*PEF, bytes((number, selector, block)))
    return (code, data[1:])


def set_pef(client, number, value):
    return client.command(*SET_PEF, bytes((number,)) + value)[0]


def test_pef_says_how_much_there_is_and_that_it_does_nothing(client):
    assert client.command(4, 0x10) == (0, bytes((0x51, 0x00, pef.FILTERS)))
    assert get_pef(client, 5) == (0, bytes((pef.FILTERS,)))
    assert get_pef(client, 8) == (0, bytes((pef.POLICIES,)))
    assert client.command(*PEF, b"\x81\0\0") == (0, b"\x11")


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (0, b"\x01"), (1, b"\x01"), (2, b"\x0e"), (3, b"\x1e"), (4, b"\x3c"),
        (6, b"\x03" + bytes(range(0x80, 0x94))), (7, b"\x10\x80"), (9, b"\x10\x18\x11\x01"), (10, b"\x01" + bytes(range(16))),
        (12, b"\x08\x03\x02"), (13, b"\x08\x05sixteen bytes!!!"),
    ],
)  # fmt: skip
def test_pef_parameters_are_kept(client, number, value):
    selector = value[0] if number in (6, 7, 9, 12, 13) else 0
    block = value[1] if number == 13 else 0
    assert get_pef(client, number, selector, block) != (0, value)
    assert set_pef(client, number, value) == 0
    assert get_pef(client, number, selector, block) == (0, value)


def test_the_first_byte_of_a_filter_is_the_filters(client):
    set_pef(client, 6, b"\x03" + bytes(range(20)))
    set_pef(client, 7, b"\x03\x80")
    assert get_pef(client, 6, 3) == (0, b"\x03\x80" + bytes(range(1, 20)))


@pytest.mark.parametrize(
    ("number", "value", "code"),
    [
        (1, b"\x10", 0xC9), (2, b"\x40", 0xC9), (6, bytes(21), 0xC9), (6, b"\x11" + bytes(20), 0xC9), (6, b"\x01", 0xC7),
        (7, b"\x11\x80", 0xC9), (9, b"\x11\0\0\0", 0xC9), (12, b"\x09\0\0", 0xC9), (13, b"\x09\x01x", 0xC9),
        (13, b"\x01\x06x", 0xC9), (13, b"\x01\x00x", 0xC9), (5, b"\x01", 0x82), (11, b"\x01", 0x82), (14, b"\x01", 0x80),
    ],
)  # fmt: skip
def test_what_pef_cannot_be_is_refused(client, number, value, code):
    assert set_pef(client, number, value) == code


def test_selectors_beyond_the_tables_are_out_of_range(client):
    assert [get_pef(client, *at)[0] for at in ((6, 0), (6, 17), (9, 17), (12, 9), (13, 9, 1), (13, 1, 6), (14, 0))] == [
        0xC9, 0xC9, 0xC9, 0xC9, 0xC9, 0xC9, 0x80,
    ]  # fmt: skip


def test_the_last_processed_events_are_told(client):
    assert client.command(4, 0x15)[1][4:] == bytes(6)
    client.command(4, 0x02, b"\x41\x04\x01\x30\x01\x09\xff\xff")
    assert client.command(4, 0x14, b"\x00\x01\x00") == client.command(4, 0x14, b"\x01\x02\x00") == (0, b"")
    code, data = client.command(4, 0x15)
    assert (code, data[4:]) == (0, b"\x01\x00\x01\x00\x02\x00")


def test_the_postpone_timer_tells_what_was_set(client):
    assert client.command(4, 0x11, b"\xff") == (0, b"\x00")
    assert client.command(4, 0x11, b"\x1e") == client.command(4, 0x11, b"\xff") == (0, b"\x1e")


# -- system information ------------------------------------------------------------------------------------------------


def info(client, number, at=0):
    code, data = client.command(*INFO, bytes((0, number, at, 0)))
    assert (code, data[:2]) == (0, bytes((0x11, at)))
    return data[2:]


def text(client, number):
    first = info(client, number)
    rest = b"".join(info(client, number, at) for at in range(1, 1 + (first[1] + 1) // 16))
    return (first + rest)[2 : 2 + first[1]].decode()


def write(client, number, words):
    whole = bytes((1, len(words))) + words.encode()
    codes = {
        client.command(*SET_INFO, bytes((number, at // 16)) + whole[at : at + 16].ljust(16, b"\0"))[0]
        for at in range(0, len(whole), 16)
    }
    assert codes == {0}


def test_the_bmc_knows_some_of_it_by_itself(bench, client):
    assert text(client, 1) == bench.view().profile.identity.bios_version
    assert text(client, 2) == bench.view().chassis.host_name()
    assert text(client, 6) == f"https://{bench.view().network.interface().address}/"
    assert [text(client, number) for number in (3, 4, 5, 7)] == [""] * 4


@pytest.mark.parametrize("number", range(1, 8))
def test_strings_of_several_blocks_are_kept_whole(client, number):
    words = "a string that is longer than two blocks of sixteen bytes"
    write(client, number, words)
    assert text(client, number) == words
    write(client, number, "short")
    assert text(client, number) == "short"


def test_the_systems_name_is_the_machines(bench, client):
    write(client, 2, "node77.example.com")
    assert bench.view().chassis.host_name() == "node77.example.com"
    bench.view().chassis.set_host_name("other")
    assert text(client, 2) == "other"


def test_blocks_beyond_the_end_and_unknown_parameters_are_refused(client):
    assert client.command(*INFO, b"\x00\x03\x11\x00") == client.command(*SET_INFO, b"\x03\x11x") == (0xC9, b"")
    assert client.command(*INFO, b"\x00\x08\x00\x00") == client.command(*SET_INFO, b"\x08\x00x") == (0x80, b"")
    assert client.command(*INFO, b"\x80\x08\x00\x00") == (0, b"\x11")
    assert client.command(*SET_INFO, b"\x03\x00" + bytes(17)) == (0xC7, b"")
    assert [client.command(*SET_INFO, b"\x00\x01")[0] for _ in range(2)] == [0, 0x81]


# -- users -------------------------------------------------------------------------------------------------------------


def access(client, number):
    return client.command(6, 0x44, bytes((1, number)))[1][3]


def test_what_is_set_of_an_empty_user_id_waits_for_its_account(bench, client):
    assert (access(client, 1), access(client, 5)) == (0x0F, 0x0F)
    assert client.command(6, 0x43, b"\x91\x05\x03") == (0, b"")
    assert access(client, 5) == 0x13
    assert client.command(6, 0x45, b"\x05" + b"bob".ljust(16, b"\0")) == (0, b"")
    assert bench.view().users.in_slot(5).role == "Operator"
    assert access(client, 5) == 0x13


def test_no_access_disables_and_is_told_until_somebody_gives_access(bench, client):
    client.command(6, 0x45, b"\x05" + b"bob".ljust(16, b"\0"))
    client.command(6, 0x47, b"\x05\x02" + b"s3cret".ljust(16, b"\0"))
    client.command(6, 0x47, b"\x05\x01")
    assert client.command(6, 0x43, b"\xf1\x05\x0f") == (0, b"")
    assert (access(client, 5), bench.view().users.in_slot(5).enabled) == (0x7F, False)
    client.command(6, 0x43, b"\x91\x05\x04")
    client.command(6, 0x47, b"\x05\x01")
    assert (access(client, 5), bench.view().users.in_slot(5).role) == (0x14, "Administrator")


def test_to_disable_nobody_is_no_error_but_to_enable_nobody_is(client):
    assert client.command(6, 0x47, b"\x09\x00") == (0, b"")
    assert client.command(6, 0x47, b"\x09\x01") == (0xCC, b"")
    assert client.command(6, 0x47, b"\x11\x00") == (0xCC, b"")


# -- the rest ----------------------------------------------------------------------------------------------------------


def test_the_boot_mailbox_has_five_blocks(client):
    put, get = partial(client.command, 0, 0x08), partial(client.command, 0, 0x09)
    assert put(b"\x07\x00\x57\x01\x00hello") == (0, b"")
    assert put(b"\x07\x04" + bytes(range(16))) == (0, b"")
    assert get(b"\x07\x00\x00") == (0, b"\x01\x07\x00" + b"\x57\x01\x00hello".ljust(16, b"\0"))
    assert get(b"\x07\x04\x00") == (0, b"\x01\x07\x04" + bytes(range(16)))
    assert get(b"\x07\x01\x00") == (0, b"\x01\x07\x01" + bytes(16))
    assert get(b"\x07\x05\x00") == put(b"\x07\x05x") == (0xC9, b"")
    assert put(b"\x07\x00" + bytes(17)) == (0xC7, b"")


def test_the_panels_buttons_can_be_made_dead(client):
    assert client.command(0, 0x0A, b"\x05") == (0, b"")
    assert client.command(0, 0x01)[1][3] == 0xF5


def test_the_hosts_interface_is_kcs(client):
    assert client.command(6, 0x57, b"\x01") == (0, b"\x00\x00\x28")
    assert client.command(6, 0x57, b"\x00") == (0xCC, b"")
