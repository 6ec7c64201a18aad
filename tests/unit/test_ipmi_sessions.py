"""Who gets an RMCP+ session, what a refusal says, and how a session ends."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.core.journal import Kind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.sessions import Limits
from profiles.model import Account, Lockout
from tests.conftest import Bench, make_bench
from tests.ipmi_client import (
    PEER,
    RMCP,
    Client,
    Client15,
    Refused,
    handshake,
    open_request,
    request,
    sessionless,
)

STATUS = (0, 1)
CONTROL = (0, 2)


def responder(bench: Bench, name: str = "node1", **settings: object) -> IpmiResponder:
    return IpmiResponder(bench.view(name), entropy=os.urandom, **settings)  # type: ignore[arg-type]


def to(bmc: IpmiResponder, peer: tuple[str, int] = PEER) -> Callable[[bytes], list[bytes]]:
    return lambda datagram: [data for data, _peer in bmc.receive(datagram, peer)]


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
    assert [e.data["user"] for e in bench.events(Kind.AUTH)] == [None]


def test_a_wrong_password_is_told_at_once_and_counts(bench, bmc):
    client = Client(to(bmc), password="wrong")
    client.open()
    assert client.rakp1() is False
    with pytest.raises(Refused) as refused:
        client.rakp3()
    assert (refused.value.message, refused.value.status) == (0x15, 0x0F)
    assert [(e.data["result"], e.data["user"]) for e in bench.events(Kind.AUTH)] == [("bad", "root")]


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
    assert [e.data["result"] for e in bench.events(Kind.AUTH)] == ["bad"]
    assert not bmc.sessions.half_open


def test_a_locked_user_is_told_what_a_wrong_password_is_told(bench, bmc):
    for _ in range(3):
        with pytest.raises(Refused):
            Client(to(bmc), password="wrong").login()
    with pytest.raises(Refused) as refused:
        Client(to(bmc)).login()
    assert (refused.value.message, refused.value.status) == (0x15, 0x0F)
    assert bench.events(Kind.AUTH)[-1].data["result"] == "locked"
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


def test_a_closed_session_is_really_closed(bench, bmc):
    client = Client(to(bmc)).login()
    assert client.close() == (0, b"")
    assert client.command(*STATUS) is None
    assert [e.data["what"] for e in bench.events(Kind.SESSION)] == ["opened", "closed"]


def test_closing_somebody_elses_session_takes_an_administrator(bmc):
    admin, user = Client(to(bmc)).login(), Client(to(bmc), user="guest", password="looks-only", privilege=2).login()
    assert user.command(6, 0x3C, admin.managed) == (0xD4, b"")
    assert admin.command(6, 0x3C, b"\xee\xee\xee\xee") == (0x87, b"")
    assert admin.command(6, 0x3C, user.managed) == (0, b"")
    assert user.command(*STATUS) is None


def test_a_session_can_be_closed_by_its_handle(bmc):
    admin, other = Client(to(bmc)).login(), Client(to(bmc)).login()
    handle = other.command(6, 0x3D, b"\x00")[1][:1]
    assert admin.command(6, 0x3C, bytes(4) + b"\xfa") == (0x88, b"")
    assert admin.command(6, 0x3C, bytes(4) + handle) == (0, b"")
    assert other.command(*STATUS) is None
    assert admin.command(*STATUS)[0] == 0


def test_an_idle_session_expires_and_a_used_one_does_not(bench, bmc):
    idle, busy = Client(to(bmc)).login(), Client(to(bmc)).login()
    for _ in range(7):
        bench.advance(10)
        assert busy.command(*STATUS) is not None
    assert idle.command(*STATUS) is None
    assert [e.data["what"] for e in bench.events(Kind.SESSION)].count("expired") == 1


def test_a_half_open_session_expires(bench, bmc):
    client = Client(to(bmc))
    client.open()
    bench.advance(5.1)
    with pytest.raises(Refused) as refused:
        client.rakp1()
    assert refused.value.status == 0x02


def test_a_flood_of_open_requests_neither_grows_nor_locks_out(bmc):
    for n in range(2000):
        assert len(to(bmc)(open_request(3, n.to_bytes(4, "big")))) == 1
    assert len(bmc.sessions.half_open) == Limits().half_open
    assert bmc.sessions.abandoned == 2000 - Limits().half_open
    assert Client(to(bmc)).login()


def test_a_full_bmc_says_that_it_lacks_resources_until_one_leaves(bench):
    bmc = responder(bench, limits=Limits(sessions=2))
    first, _second = Client(to(bmc)).login(), Client(to(bmc)).login()
    with pytest.raises(Refused) as refused:
        Client(to(bmc)).login()
    assert (refused.value.message, refused.value.status) == (0x11, 0x01)
    first.close()
    assert Client(to(bmc)).login()


def test_handshakes_that_were_open_before_the_last_seat_went_do_not_overfill(bench):
    bmc = responder(bench, limits=Limits(sessions=1))
    late = Client(to(bmc))
    late.open()
    late.rakp1()
    Client(to(bmc)).login()
    with pytest.raises(Refused) as refused:
        late.rakp3()
    assert refused.value.status == 0x01


def test_repeated_handshake_messages_get_the_same_answer_again(bmc):
    send = to(bmc)
    client = Client(send)
    client.open()
    message = client.rakp1_message(bytes(16))
    assert send(message) == send(message)
    client.rakp1()
    client.rakp3()
    message = client.rakp3_message()
    assert send(message) == send(message) != []
    assert client.command(*STATUS) is not None
    assert len(bmc.sessions.live) == 1


def test_a_client_that_counts_its_tries_in_the_tag_gets_the_same_answers_too(bmc):
    def tagged(datagram, tag):
        return datagram[:16] + bytes((tag,)) + datagram[17:]

    send = to(bmc)
    client = Client(send)
    client.open()
    message = client.rakp1_message(bytes(16))
    (first,), (second,) = send(message), send(tagged(message, 77))
    assert second == tagged(first, 77)
    (reply,) = send(message)
    body = reply[16:]
    client.bmc_random, client.guid = body[8:24], body[24:40]
    message = client.rakp3_message()
    (first,), (second,) = send(message), send(tagged(message, 78))
    assert (first[5], first[17]) == (0x15, 0)
    assert second == tagged(first, 78)
    assert len(bmc.sessions.live) == 1


def test_two_bmcs_spoken_to_from_one_client_address_each_answer_for_themselves(profile):
    bench = make_bench(UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile))
    one, two = responder(bench, "node1"), responder(bench, "node2")
    a, b = Client(to(one)), Client(to(two))
    a.open(), b.open()
    a.rakp1(), b.rakp1()
    a.rakp3(), b.rakp3()
    assert a.guid != b.guid
    assert a.command(6, 0x3B, b"\x04") == b.command(6, 0x3B, b"\x04") == (0, b"\x04")
    assert b.command(*CONTROL, b"\x00") == (0, b"")
    bench.advance(5)
    assert (bench.host("node1").rail, bench.host("node2").rail) == (Rail.UP, Rail.DOWN)
    a.send = to(two)
    assert a.command(*STATUS) is None


def test_a_client_that_changes_its_port_keeps_its_session(bmc):
    client = Client(to(bmc)).login()
    client.send = to(bmc, ("127.0.0.1", 50000))
    assert client.command(*STATUS) is not None


def test_a_replayed_datagram_runs_nothing(bench, bmc):
    client = Client(to(bmc)).login()
    off = client.wrap(request(0, 2, b"\x00"))
    assert len(to(bmc)(off)) == 1
    assert to(bmc)(off) == []
    assert len(bench.events(Kind.COMMAND)) == 1
    assert bmc.drops["a replay"] == 1


def test_a_request_repeated_under_a_new_number_runs_again_as_on_hardware(bench, bmc):
    client = Client(to(bmc)).login()
    message = request(0, 2, b"\x03", seq=9)
    assert len(to(bmc)(client.wrap(message))) == len(to(bmc)(client.wrap(message))) == 1
    assert len(bench.events(Kind.COMMAND)) == 2


def test_session_sequence_numbers_go_round(bmc):
    client = Client(to(bmc)).login()
    for sequence in (0x70000000, 0xE0000000, 0xFFFFFFFE, 1, 0xFFFFFFFF, 20):
        assert to(bmc)(client.wrap(request(*STATUS), sequence=sequence)), hex(sequence)
    for sequence in (0xFFFFFFFE, 0xFFFFFFFF, 0, 1, 0xFFFFFF00):
        assert to(bmc)(client.wrap(request(*STATUS), sequence=sequence)) == [], hex(sequence)


def test_datagrams_that_overtake_each_other_are_taken_once_each(bmc):
    client = Client(to(bmc)).login()
    late, early = client.wrap(request(0, 1), sequence=20), client.wrap(request(0, 1), sequence=21)
    assert [len(to(bmc)(d)) for d in (early, late, late, early)] == [1, 1, 0, 0]
    assert to(bmc)(client.wrap(request(0, 1), sequence=0)) == []


@pytest.mark.parametrize("protection", [{"encrypt": False}, {"sign": False}, {"encrypt": False, "sign": False}], ids=str)
def test_what_was_not_agreed_upon_is_not_taken(bench, bmc, protection):
    client = Client(to(bmc)).login()
    assert to(bmc)(client.wrap(request(0, 2, b"\x00"), **protection)) == []
    assert bench.events(Kind.COMMAND) == []


def test_lan_off_is_silence(profile):
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, ipmi=replace(profile.ipmi, lan=False))))
    bmc = responder(bench)
    ping = bytes.fromhex("0600ff06000011be80010000")
    assert [to(bmc)(d) for d in (ping, sessionless(request(6, 0x38, b"\x8e\x04")), open_request(3, b"abcd"))] == [[], [], []]


@pytest.mark.parametrize(("length", "name"), [(17, b"x" * 17), (9, b"root")], ids=["too long", "shorter than it says"])
def test_a_name_of_a_wrong_length_is_refused_as_that(bmc, length, name):
    client = Client(to(bmc))
    client.open()
    body = bytes((0, 0, 0, 0)) + client.managed + bytes(16) + bytes((4, 0, 0, length)) + name
    with pytest.raises(Refused) as refused:
        client._body(handshake(0x12, body), 0x13)
    assert refused.value.status == 0x0C


def test_a_proposal_that_is_cut_off_is_an_illegal_parameter(bmc):
    client = Client(to(bmc))
    with pytest.raises(Refused) as refused:
        client._body(handshake(0x10, bytes(4) + client.console + bytes(12)), 0x11)
    assert refused.value.status == 0x12


def test_a_datagram_of_the_other_wrapper_is_not_of_this_session(bmc):
    old = Client15(to(bmc)).login()
    disguised = RMCP + bytes((6, 0xC0)) + old.session_id + bytes((1, 0, 0, 0, 32, 0)) + bytes(50)
    assert to(bmc)(disguised) == []
    assert bmc.drops["an RMCP+ datagram in an IPMI 1.5 session"] == 1
    assert old.command(*STATUS)[0] == 0
