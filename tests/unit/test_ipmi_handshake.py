"""Who gets an RMCP+ session, with which privilege, and what a refusal says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.ipmi.responder import IpmiResponder
from profiles.model import Account, Lockout
from tests.conftest import Bench, make_bench
from tests.ipmi_client import (
    Client,
    Refused,
    handshake,
    open_request,
)
from tests.ipmi_unit import CONTROL, STATUS, responder, to


@pytest.fixture
def bmc(bench: Bench) -> IpmiResponder:
    return responder(bench)


@pytest.mark.parametrize("suite", [3, 17])
def test_a_session_reads_and_changes_power(bench, bmc, suite):
    client = Client(to(bmc), suite=suite).login()
    assert client.command(*STATUS) == (0, bytes((0x21, 0x00, 0x40, 0xF0)))
    assert client.command(*CONTROL, b"\x00") == (0, b"")
    bench.advance(5)
    assert bench.host().rail is Rail.DOWN
    assert client.command(*STATUS) == (0, bytes((0x20, 0x00, 0x40, 0xF0)))


def test_a_suite_is_taken_as_a_whole_or_not_at_all(bmc):
    mixed = Client(to(bmc))
    with pytest.raises(Refused) as refused:
        mixed._body(open_request((1, 4, 1), mixed.console), 0x11)
    assert refused.value.status == 0x11


@pytest.mark.parametrize("proposal", [(0, 0, 0), (1, 0, 0), (1, 1, 0), (2, 2, 1)], ids=str)
def test_weak_suites_are_refused_by_the_bmc_itself(bmc, proposal):
    client = Client(to(bmc))
    with pytest.raises(Refused) as refused:
        client._body(open_request(proposal, client.console), 0x11)
    assert refused.value.status == 0x11


@pytest.mark.parametrize(("offered", "wanted", "status"), [((17,), 3, 0x04), ((3,), 17, 0x11)])
def test_a_suite_that_the_profile_lacks_is_refused_with_the_vendors_status(profile, offered, wanted, status):
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, ipmi=replace(profile.ipmi, cipher_suites=offered))))
    with pytest.raises(Refused) as refused:
        Client(to(responder(bench)), suite=wanted).login()
    assert (refused.value.message, refused.value.status) == (0x11, status)


def test_algorithms_left_to_the_bmc_are_its_strongest(bmc):
    body = bytes((0, 0, 0, 0)) + b"abcd" + b"".join(bytes((kind, 0, 0, 0, 0, 0, 0, 0)) for kind in range(3))
    (reply,) = to(bmc)(handshake(0x10, body))
    assert (reply[16 + 16], reply[16 + 24], reply[16 + 32]) == (3, 4, 1)


def test_a_profile_with_a_suite_that_is_not_spoken_says_so(profile):
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, ipmi=replace(profile.ipmi, cipher_suites=(3, 12)))))
    with pytest.raises(ValueError, match="cipher suites \\[12\\] are not spoken here"):
        responder(bench)


def test_an_unknown_user_is_told_at_once(bench, bmc):
    with pytest.raises(Refused) as refused:
        Client(to(bmc), user="nobody").login()
    assert (refused.value.message, refused.value.status) == (0x13, 0x0D)
    assert [e.data["user"] for e in bench.events(EventKind.AUTH)] == [None]


def test_a_wrong_password_is_told_at_once_and_counts(bench, bmc):
    client = Client(to(bmc), password="wrong")
    client.open()
    assert client.rakp1() is False
    with pytest.raises(Refused) as refused:
        client.rakp3()
    assert (refused.value.message, refused.value.status) == (0x15, 0x0F)
    assert [(e.data["result"], e.data["user"]) for e in bench.events(EventKind.AUTH)] == [("bad", "root")]


def test_a_handshake_gives_one_try_only(bmc):
    client = Client(to(bmc), password="wrong")
    client.open()
    client.rakp1()
    with pytest.raises(Refused):
        client.rakp3()
    client.password = "Tr0ub4dor&3"
    with pytest.raises(Refused) as refused:
        client.rakp3()
    assert refused.value.status == 0x02


def test_a_client_that_disliked_rakp_2_counts_as_a_wrong_password(bench, bmc):
    client = Client(to(bmc))
    client.open()
    client.rakp1()
    assert to(bmc)(client.rakp3_message(status=0x0F)) == []
    assert [e.data["result"] for e in bench.events(EventKind.AUTH)] == ["bad"]
    assert not bmc.sessions.half_open


def test_a_locked_user_is_told_what_a_wrong_password_is_told(bench, bmc):
    for _ in range(3):
        with pytest.raises(Refused):
            Client(to(bmc), password="wrong").login()
    with pytest.raises(Refused) as refused:
        Client(to(bmc)).login()
    assert (refused.value.message, refused.value.status) == (0x15, 0x0F)
    assert bench.events(EventKind.AUTH)[-1].data["result"] == "locked"
    bench.advance(61)
    assert Client(to(bmc)).login().command(*STATUS) is not None


def test_unknown_users_count_against_the_address_where_the_lockout_goes_by_address(profile):
    auth = replace(profile.auth, lockout=Lockout(by="address", failures=3, window_s=60, penalty_s=60))
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, auth=auth)))
    bmc = responder(bench)
    for name in ("a", "b", "c"):
        with pytest.raises(Refused):
            Client(to(bmc), user=name).login()
    with pytest.raises(Refused):
        Client(to(bmc)).login()
    assert Client(to(bmc, ("127.0.0.9", 1))).login()


def test_more_privilege_than_the_role_has_is_refused_in_rakp_2(bmc):
    with pytest.raises(Refused) as refused:
        Client(to(bmc), user="guest", password="looks-only").login()
    assert (refused.value.message, refused.value.status) == (0x13, 0x0A)


def test_a_privilege_that_does_not_exist_is_an_invalid_role(bmc):
    with pytest.raises(Refused) as refused:
        Client(to(bmc), privilege=6).login()
    assert (refused.value.message, refused.value.status) == (0x13, 0x09)
    with pytest.raises(Refused) as refused:
        Client(to(bmc), privilege=5).login()
    assert (refused.value.message, refused.value.status) == (0x13, 0x0A)


@pytest.mark.parametrize(("asked", "granted"), [(0, 4), (2, 2), (3, 3), (4, 4), (5, 4)])
def test_an_open_session_is_for_no_more_than_was_asked(bmc, asked, granted):
    """Clients compare, and give up over another level."""
    (reply,) = to(bmc)(open_request(3, b"abcd", privilege=asked))
    assert (reply[17], reply[18]) == (0, granted)


def test_rakp_1_gets_no_more_than_the_open_session_request_asked(bmc):
    client = Client(to(bmc))
    (reply,) = to(bmc)(open_request(3, client.console, privilege=2))
    client.managed = reply[24:28]
    with pytest.raises(Refused) as refused:
        client.rakp1()
    assert refused.value.status == 0x0A


def test_an_open_session_for_a_privilege_that_does_not_exist_is_refused(bmc):
    (reply,) = to(bmc)(open_request(3, b"abcd", privilege=7))
    assert (reply[5], reply[17], reply[20:24]) == (0x11, 0x09, b"abcd")
    assert not bmc.sessions.half_open


def test_a_role_that_was_lowered_binds_the_open_session(bench, bmc):
    client = Client(to(bmc)).login()
    account = bench.view().account("root")
    other = Client(to(bmc), user="second", password="Adm1nistrat0r")
    bench.view().users.create("second", "Adm1nistrat0r", "Administrator")
    other.login()
    bench.view().users.change("second", role="ReadOnly")
    assert other.command(*CONTROL, b"\x00") == (0xD4, b"")
    assert other.command(6, 0x3B, b"\x04") == (0x81, b"")
    assert other.command(*STATUS)[0] == 0
    assert account is bench.view().account("root")
    assert client.command(*CONTROL, b"\x00") == (0, b"")


def test_a_user_reads_power_and_may_not_change_it(bench, bmc):
    client = Client(to(bmc), user="guest", password="looks-only", privilege=2).login()
    assert client.command(*STATUS)[0] == 0
    assert client.command(*CONTROL, b"\x00") == (0xD4, b"")
    assert client.command(6, 0x3B, b"\x03") == (0x81, b"")
    bench.advance(60)
    assert bench.host().rail is Rail.UP


def test_an_administrator_who_has_not_asked_for_more_is_a_user(bmc):
    client = Client(to(bmc)).login(raise_privilege=False)
    assert client.command(*CONTROL, b"\x00") == (0xD4, b"")
    assert client.command(6, 0x3B, b"\x00") == (0, b"\x02")
    assert client.command(6, 0x3B, b"\x05") == (0xCC, b"")


def test_a_session_asked_for_less_stays_below_its_users_role(bmc):
    client = Client(to(bmc), privilege=3).login()
    assert client.command(6, 0x3B, b"\x04") == (0x81, b"")


def test_a_password_longer_than_rmcp_plus_can_carry_is_no_ipmi_user(profile):
    account = Account(name="root", password="x" * 21, role="Administrator")
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, auth=replace(profile.auth, accounts=(account,)))))
    with pytest.raises(Refused) as refused:
        Client(to(responder(bench)), password="x" * 21).login()
    assert refused.value.status == 0x0D


def test_a_bmc_with_its_own_key_lets_in_only_who_has_it(bench):
    bmc = responder(bench, kg=b"twenty bytes of key!")
    assert Client(to(bmc), kg=b"twenty bytes of key!").login()
    with pytest.raises(AssertionError):
        Client(to(bmc)).login()
