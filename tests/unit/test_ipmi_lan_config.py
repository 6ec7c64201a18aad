"""LAN configuration parameters, channel access, keys and statistics: what is set is kept, told and enforced."""

from __future__ import annotations

import os

import pytest

from emulator.core.bmc.network import Network
from emulator.ipmi.management.lan import PARAMETERS
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.state import Here
from tests.ipmi_client import PEER, Client, Client15, Refused, open_sessionless, request, sessionless

SET, GET, STATISTICS = (0x0C, 0x01), (0x0C, 0x02), (0x0C, 0x04)
SET_ACCESS, ACCESS, KEYS = (6, 0x40), (6, 0x41), (6, 0x56)
NOT_AUTHORIZED, NO_SUITE = 0x0A, 0x11


@pytest.fixture
def bmc(bench):
    bench.view().network.found_at("10.1.2.3")
    return IpmiResponder(bench.view(), entropy=os.urandom, here=Here("10.1.2.3", 6230))


def to(bmc):
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


@pytest.fixture
def client(bmc):
    return Client(to(bmc)).login()


def get(client, number, selector=0):
    code, data = client.command(*GET, bytes((1, number, selector, 0)))
    assert (code, data[:1]) == (0, b"\x11")
    return data[1:]


def put(client, number, value):
    return client.command(*SET, bytes((1, number)) + value)[0]


def test_every_parameter_that_is_listed_answers(client):
    for number in PARAMETERS:
        assert get(client, number) is not None
    assert client.command(*GET, b"\x01\x7e\0\0") == client.command(*SET, b"\x01\x7e\x00") == (0x80, b"")
    assert client.command(*GET, b"\x07\x03\0\0") == client.command(*SET, b"\x07\x03\0\0\0\0") == (0xCC, b"")
    assert client.command(*GET, b"\x81\x03\0\0") == (0, b"\x11")


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (2, b"\x04\x04\x04\x10\x00"),
        (3, b"\x0a\x09\x08\x07"),
        (4, b"\x02"),
        (6, b"\xff\xff\x00\x00"),
        (7, b"\x20\x40\x08"),
        (10, b"\x03"),
        (11, b"\x05"),
        (12, b"\x0a\x01\x00\x01"),
        (13, b"\x02\x11\x22\x33\x44\x55"),
        (14, b"\x0a\x01\x00\x02"),
        (15, b"\x02\x11\x22\x33\x44\x56"),
        (16, b"secret".ljust(18, b"\0")),
        (18, b"\x02\x87\x05\x03"),
        (19, b"\x02\x00\x01\x0a\x01\x02\x09\x02\x00\x00\x00\x00\x09"),
        (20, b"\x2a\x80"),
        (21, b"\x03"),
        (24, b"\x00" + b"\x44" * 8),
        (26, b"\x01\x03\x06\x00\x1e\x00"),
    ],
)
def test_what_is_set_is_read_back_bit_by_bit(client, number, value):
    selector = value[0] if number in (18, 19) else 0
    assert get(client, number, selector) != value
    assert put(client, number, value) == 0
    assert get(client, number, selector) == value


@pytest.mark.parametrize("number", [n for n, parameter in PARAMETERS.items() if parameter.put is None])
def test_what_the_bmc_knows_by_itself_is_read_only(client, number):
    assert put(client, number, b"\x01") == 0x82


def test_the_mac_address_is_read_only_but_may_be_written_as_it_is(client):
    own = get(client, 5)
    assert put(client, 5, own) == 0
    assert put(client, 5, b"\x02" + bytes(5)) == 0x82
    assert get(client, 5) == own


@pytest.mark.parametrize(
    ("number", "value"),
    [
        (0, b"\x02"),
        (2, b"\xff\xff\xff\xff\xff"),
        (3, b"\xe0\x00\x00\x01"),
        (4, b"\x03"),
        (6, b"\xff\x00\xff\x00"),
        (10, b"\x04"),
        (12, b"\xff\xff\xff\xff"),
        (18, b"\x09\x00\x00\x00"),
        (18, b"\x01\x05\x00\x00"),
        (19, b"\x01\x10" + bytes(11)),
        (20, b"\x00\x80"),
        (20, b"\xff\x8f"),
        (21, b"\x08"),
        (24, b"\x00\x46" + bytes(7)),
    ],
)
def test_a_value_that_cannot_be_is_out_of_range_and_changes_nothing(client, number, value):
    """0xC9 and not 0xCC: on that one ipmitool tries again for minutes."""
    selector = 1 if number in (18, 19) else 0
    before = get(client, number, selector)
    assert put(client, number, value) == 0xC9
    assert get(client, number, selector) == before


@pytest.mark.parametrize("number", [n for n, parameter in PARAMETERS.items() if parameter.put is not None])
def test_a_value_of_another_length_is_refused(client, number):
    assert put(client, number, bytes(20)) == 0xC7


def test_who_finds_a_change_in_progress_is_told_so(bmc, client):
    other = Client(to(bmc)).login()
    assert (put(client, 0, b"\x01"), get(other, 0)) == (0, b"\x01")
    assert put(other, 0, b"\x01") == 0x81
    assert (put(other, 0, b"\x00"), put(other, 0, b"\x01")) == (0, 0)


def test_only_an_administrator_sets_and_only_an_operator_reads(bench, bmc):
    operator = Client(to(bmc), privilege=3).login()
    assert put(operator, 3, b"\x0a\x09\x08\x07") == 0xD4
    assert get(operator, 3) == b"\x0a\x01\x02\x03"
    assert Client(to(bmc), privilege=2).login().command(*GET, b"\x01\x03\0\0") == (0xD4, b"")


# -- one machine -------------------------------------------------------------------------------------------------------


def test_address_vlan_and_dhcp_are_the_machines(bench, client):
    network = bench.view().network
    for number, value in ((3, b"\x0a\x09\x08\x07"), (6, b"\xff\xff\x00\x00"), (12, b"\x0a\x09\x00\x01"), (20, b"\x2a\x80")):
        assert put(client, number, value) == 0
    found = network.interface()
    assert (found.address, found.mask, found.gateway) == ("10.9.8.7", "255.255.0.0", "10.9.0.1")
    assert (found.vlan, found.vlan_id) == (True, 42)
    network.configure(Network(dhcp=True))
    assert (get(client, 4), get(client, 3)) == (b"\x02", b"\x0a\x01\x02\x03")
    assert [put(client, number, b"\x0a\x09\x08\x07") for number in (3, 6, 12)] == [0xD5] * 3


def test_a_vlan_that_is_switched_off_with_zeros_keeps_its_id(bench, client):
    put(client, 20, b"\x2a\x80")
    assert put(client, 20, b"\x00\x00") == 0
    assert get(client, 20) == b"\x2a\x00"


def test_the_lockout_is_the_one_of_the_accounts(bench, client):
    before = bench.view().lockout
    assert put(client, 26, get(client, 26)) == 0
    assert bench.view().lockout == before, "written back as it was read"
    assert put(client, 26, b"\x00\x02\x00\x00\x1e\x00") == 0
    assert (bench.view().lockout.failures, bench.view().lockout.penalty_s) == (2, 300.0)


# -- enforced ----------------------------------------------------------------------------------------------------------


def only(level_of_3, level_of_17):
    """Parameter 24: suite 3 has nibble 3, suite 17 nibble 11."""
    return bytes((0, 0, level_of_3 << 4, 0, 0, 0, level_of_17 << 4, 0, 0))


def test_at_first_the_suites_that_are_there_are_for_administrators(client):
    assert get(client, 24) == only(4, 4)


def test_a_suite_grants_no_more_than_it_may(bmc, client):
    assert put(client, 24, only(2, 4)) == 0
    with pytest.raises(Refused) as refused:
        Client(to(bmc), suite=3, privilege=4).login()
    assert refused.value.status == NOT_AUTHORIZED
    user = Client(to(bmc), suite=3, privilege=2).login()
    assert user.command(6, 0x3B, b"\x03") == (0x81, b"")
    open_ended = Client(to(bmc), suite=3, privilege=0).login(raise_privilege=False)
    assert open_ended.command(6, 0x3B, b"\x04") == (0x81, b"")
    assert Client(to(bmc), suite=17, privilege=4).login()


def test_a_suite_that_is_unused_is_neither_offered_nor_taken(bmc, client):
    assert put(client, 24, only(4, 0)) == 0
    with pytest.raises(Refused) as refused:
        Client(to(bmc), suite=17).login()
    assert refused.value.status == NO_SUITE
    (reply,) = to(bmc)(sessionless(request(6, 0x54, b"\x0e\x00\x80")))
    assert open_sessionless(reply) == (0, bytes((1, 0xC0, 3, 1, 0x41, 0x81)))
    assert Client(to(bmc), suite=3).login()


def test_an_authentication_type_that_is_not_enabled_for_a_level_does_not_reach_it(bmc, client):
    assert put(client, 2, b"\x14\x14\x14\x04\x00") == 0  # administrators by MD5 only
    with pytest.raises(Refused) as refused:
        Client15(to(bmc), auth_type=4, privilege=4).login()
    assert refused.value.status == 0x86
    assert Client15(to(bmc), auth_type=4, privilege=3).login()
    assert Client15(to(bmc), auth_type=2, privilege=4).login()
    (reply,) = to(bmc)(sessionless(request(6, 0x38, b"\x0e\x04")))
    assert open_sessionless(reply)[1][1] == 0x04


def test_a_bmc_without_ipmi_1_5_has_nothing_to_enable(bench):
    bmc = IpmiResponder(bench.view(), entropy=os.urandom, auth_types=frozenset())
    client = Client(to(bmc)).login()
    assert get(client, 1) == b"\x00"
    assert put(client, 2, bytes(5)) == 0x82


def test_the_channels_limit_is_enforced_at_the_next_login(bmc, client):
    assert client.command(*SET_ACCESS, b"\x01\x00\x83") == (0, b"")
    assert client.command(*ACCESS, b"\x01\x80") == (0, b"\x22\x03")
    assert client.command(*ACCESS, b"\x01\x40") == (0, b"\x22\x04")
    with pytest.raises(Refused):
        Client(to(bmc), privilege=4).login()
    with pytest.raises(Refused):
        Client15(to(bmc), privilege=4).login()
    assert Client(to(bmc), privilege=3).login()


def test_what_is_set_for_later_is_in_force_after_a_restart(bench, bmc, client):
    put(client, 0, b"\x01")
    assert client.command(*SET_ACCESS, b"\x01\x6a\x43") == (0, b"")
    assert client.command(*ACCESS, b"\x01\x80") == (0, b"\x22\x04")
    client.command(6, 0x02)
    bench.advance(600)
    operator = Client(to(bmc), privilege=3).login()
    assert operator.command(*ACCESS, b"\x01\x80") == (0, b"\x2a\x03")
    assert get(operator, 0) == b"\x00", "nobody is in the middle of a change any more"


def test_a_channel_that_is_switched_off_is_ipmi_over_lan_switched_off(bench, bmc, client):
    assert client.command(*SET_ACCESS, b"\x01\xa0\x00") == (0, b"")
    assert not bench.view().ipmi_lan
    assert client.command(*ACCESS, b"\x01\x80") is None
    bench.view().set_ipmi_lan(True)
    assert Client(to(bmc)).login().command(*ACCESS, b"\x01\x80") == (0, b"\x22\x04")


@pytest.mark.parametrize(
    ("data", "code"), [(b"\x01\xc2\x84", 0xCC), (b"\x01\x82\xc4", 0xCC), (b"\x01\x81\x84", 0x83), (b"\x01\x82\x80", 0xCC)]
)
def test_channel_access_that_cannot_be_is_refused(client, data, code):
    assert client.command(*SET_ACCESS, data) == (code, b"")
    assert client.command(*ACCESS, b"\x01\x80") == (0, b"\x22\x04")


def test_a_bmc_key_can_be_set_read_and_taken_away(bench, bmc, client):
    key = b"s3cret-key".ljust(20, b"\0")
    assert client.command(*KEYS, b"\x01\x00\x01") == (0, bytes(21))
    assert client.command(*KEYS, b"\x01\x01\x01" + key) == (0, b"\x00")
    assert client.command(*KEYS, b"\x01\x00\x01") == (0, b"\x00" + key)
    with pytest.raises((Refused, AssertionError)):
        Client(to(bmc)).login()
    keyed = Client(to(bmc), kg=key).login()
    (reply,) = to(bmc)(sessionless(request(6, 0x38, b"\x8e\x04")))
    assert open_sessionless(reply)[1][2] & 0x20
    assert keyed.command(*KEYS, b"\x01\x01\x01" + bytes(20)) == (0, b"\x00")
    assert Client(to(bmc)).login()
    assert "s3cret" not in bench.rack.journal.to_jsonl()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x01\x00\x00", 0x84),
        (b"\x01\x02\x01", 0xCC),
        (b"\x01\x00\x02", 0xCC),
        (b"\x01\x01\x01" + bytes(19), 0x81),
        (b"\x01\x01\x01" + bytes(21), 0x82),
    ],
)
def test_keys_that_cannot_be_are_refused(client, data, code):
    assert client.command(*KEYS, data) == (code, b"")


def test_a_bmc_that_was_configured_is_not_forgotten(bench):
    bmc = IpmiResponder(bench.view(), entropy=os.urandom)
    client = Client(to(bmc)).login()
    assert bmc.forgettable
    put(client, 16, b"secret")
    assert not bmc.forgettable


# -- statistics --------------------------------------------------------------------------------------------------------


def test_datagrams_are_counted_until_somebody_clears_the_counts(bmc, client):
    bmc.receive(b"noise", PEER)
    code, data = client.command(*STATISTICS, b"\x01\x01")
    heard, _, _, _, sent, udp, valid, _, _ = (int.from_bytes(data[at : at + 2], "little") for at in range(0, 18, 2))
    assert (code, len(data)) == (0, 18)
    assert (heard, udp, valid, sent) == (heard, heard, heard - 1, heard - 2)
    assert client.command(*STATISTICS, b"\x01\x00")[1][:2] == b"\x01\x00"
    assert client.command(*STATISTICS, b"\x05\x00") == (0xCC, b"")
