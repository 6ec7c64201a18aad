"""IPMI 1.5: who gets a session, and what its messages must prove."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.session.lan15 import AuthType
from emulator.ipmi.session.sessions import SessionLimits
from profiles.model import Account
from tests.conftest import Bench, make_bench
from tests.ipmi_client import PEER, Client, Client15, Refused, open_sessionless, request, sessionless


def responder(bench: Bench, **settings: object) -> IpmiResponder:
    return IpmiResponder(bench.view(), entropy=os.urandom, **settings)  # type: ignore[arg-type]


def to(bmc: IpmiResponder) -> Callable[[bytes], list[bytes]]:
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]


@pytest.fixture
def bmc(bench: Bench) -> IpmiResponder:
    return responder(bench)


@pytest.mark.parametrize("auth_type", [2, 4], ids=["MD5", "password"])
def test_a_session_reads_and_changes_power(bench, bmc, auth_type):
    client = Client15(to(bmc), auth_type=auth_type).login()
    assert client.command(6, 0x3B, b"\x04") == (0, b"\x04")
    assert client.command(0, 2, b"\x00") == (0, b"")
    bench.advance(5)
    assert bench.host().rail is Rail.DOWN
    assert client.command(0, 1)[1][0] & 1 == 0
    assert client.command(6, 0x3C, client.session_id) == (0, b"")
    assert client.command(0, 1) is None


def test_sessions_without_any_proof_are_only_for_those_who_ask_for_them(bench, bmc):
    with pytest.raises(Refused) as refused:
        Client15(to(bmc), auth_type=0).login()
    assert refused.value.status == 0xCC
    lax = responder(bench, auth_types=frozenset({AuthType.NONE}))
    assert Client15(to(lax), auth_type=0, password="whatever").login().command(0, 1)[0] == 0


def test_a_bmc_without_sha1_speaks_no_1_5(profile):
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, ipmi=replace(profile.ipmi, cipher_suites=(17,)))))
    bmc = responder(bench)
    _code, capabilities = open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x8e\x04")))[0])
    assert (capabilities[1], capabilities[3]) == (0x80, 0x02)
    with pytest.raises(Refused):
        Client15(to(bmc)).login()


def test_capabilities_name_the_types_of_authentication(bmc):
    _code, capabilities = open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x0e\x04")))[0])
    assert capabilities[1] == 1 << 2 | 1 << 4
    _code, capabilities = open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x8e\x04")))[0])
    assert capabilities[3] == 0x03


@pytest.mark.parametrize("auth_type", [2, 4], ids=["MD5", "password"])
def test_a_wrong_password_is_not_answered_and_counts(bench, bmc, auth_type):
    with pytest.raises(AssertionError, match="silence"):
        Client15(to(bmc), password="wrong", auth_type=auth_type).login()
    assert [(e.data["result"], e.data["user"]) for e in bench.events(EventKind.AUTH)] == [("bad", "root")]
    assert bmc.drops["an activation under a wrong password"] == 1
    assert not bmc.sessions.half_open


def test_codes_at_the_activation_only_where_the_channel_says_so(bmc):
    admin = Client(to(bmc)).login()
    assert admin.command(6, 0x40, b"\x01\xb2\x00") == (0, b"")
    _code, capabilities = open_sessionless(to(bmc)(sessionless(request(6, 0x38, b"\x0e\x04")))[0])
    assert capabilities[2] & 0x18 == 0x10
    with pytest.raises(AssertionError, match="silence"):
        Client15(to(bmc), password="wrong").login()
    client = Client15(to(bmc), signs_each=False).login()
    assert client.command(6, 0x3B, b"\x04") == (0, b"\x04"), "who signs is answered signed"
    client.auth_type = 0
    assert client.command(0, 1)[0] == 0
    assert admin.command(6, 0x40, b"\x01\xa2\x00") == (0, b"")
    strict = Client15(to(bmc)).login()
    strict.auth_type = 0
    assert strict.command(0, 1) is None


def test_a_locked_user_is_not_answered_whatever_the_password(bench, bmc):
    for _ in range(3):
        with pytest.raises(AssertionError, match="silence"):
            Client15(to(bmc), password="wrong").login()
    with pytest.raises(AssertionError, match="silence"):
        Client15(to(bmc)).login()
    bench.advance(61)
    assert Client15(to(bmc)).login()


@pytest.mark.parametrize(("user", "code"), [("nobody", 0x81), ("", 0x82)])
def test_an_unknown_user_gets_no_challenge(bmc, user, code):
    assert Client15(to(bmc), user=user).challenge() == (code, b"")
    assert not bmc.sessions.half_open


def test_a_password_that_1_5_cannot_carry_gets_no_challenge(profile):
    account = Account(name="root", password="x" * 17, role="Administrator")
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, auth=replace(profile.auth, accounts=(account,)))))
    bmc = responder(bench)
    assert Client15(to(bmc), password="x" * 16).challenge() == (0x81, b"")
    assert Client(to(bmc), password="x" * 17).login()


def test_more_privilege_than_the_role_has_is_refused(bmc):
    with pytest.raises(Refused) as refused:
        Client15(to(bmc), user="guest", password="looks-only").login()
    assert refused.value.status == 0x86


def test_a_user_reads_power_and_may_not_change_it(bench, bmc):
    client = Client15(to(bmc), user="guest", password="looks-only", privilege=2).login()
    assert client.command(0, 1)[0] == 0
    assert client.command(0, 2, b"\x00") == (0xD4, b"")
    assert bench.events(EventKind.COMMAND) == []


def test_the_challenge_must_come_back(bmc):
    client = Client15(to(bmc))
    _code, data = client.challenge()
    client.session_id = data[:4]
    (reply,) = client.send(client.wrap(client.activation(bytes(16))))
    assert answer_code(client.unwrap(reply)) == 0xCC
    assert not bmc.sessions.live


def answer_code(message: bytes) -> int:
    return message[6]


def test_nothing_runs_before_the_activation(bench, bmc):
    client = Client15(to(bmc))
    _code, data = client.challenge()
    client.session_id = data[:4]
    assert client.send(client.wrap(request(0, 2, b"\x00"))) == []
    assert bench.events(EventKind.COMMAND) == []


def test_a_full_bmc_has_no_slot(bench):
    bmc = responder(bench, limits=SessionLimits(sessions=1))
    Client15(to(bmc)).login()
    with pytest.raises(Refused) as refused:
        Client15(to(bmc)).login()
    assert (refused.value.message, refused.value.status) == (0x3A, 0x81)


@pytest.mark.parametrize("auth_type", [2, 4], ids=["MD5", "password"])
def test_a_message_under_a_wrong_code_or_of_another_type_is_dropped(bench, bmc, auth_type):
    client = Client15(to(bmc), auth_type=auth_type).login()
    good = client.wrap(request(6, 0x3B, b"\x04"))
    bad = bytearray(good)
    bad[20] ^= 1
    assert to(bmc)(bytes(bad)) == []
    client.auth_type = 0
    assert to(bmc)(client.wrap(request(6, 0x3B, b"\x04"))) == []
    assert len(to(bmc)(good)) == 1


def test_a_replay_is_dropped_and_so_is_a_number_from_before_the_session(bmc):
    client = Client15(to(bmc)).login()
    first = client.sequence
    message = client.wrap(request(0, 1))
    assert [len(to(bmc)(message)) for _ in range(2)] == [1, 0]
    assert to(bmc)(client.wrap(request(0, 1), sequence=0)) == []
    assert first == 1 or to(bmc)(client.wrap(request(0, 1), sequence=max(1, first - 40))) == []


def test_an_rmcp_plus_session_cannot_be_used_through_the_other_wrapper(bench, bmc):
    client = Client(to(bmc)).login()
    disguised = Client15(to(bmc), auth_type=0, session_id=client.managed, sequence=50)
    assert disguised.command(0, 2, b"\x00") is None
    assert bench.events(EventKind.COMMAND) == []


def test_idle_sessions_expire(bench, bmc):
    client = Client15(to(bmc)).login()
    bench.advance(61)
    assert client.command(0, 1) is None


def test_no_secret_enters_the_journal(bench, bmc):
    Client15(to(bmc), auth_type=4).login()
    assert "Tr0ub4dor" not in bench.rack.journal.to_jsonl()
