"""How many RMCP+ sessions there are, what belongs to one, and how it ends."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.ipmi.responder import IpmiResponder
from emulator.ipmi.session.sessions import SessionLimits
from tests.conftest import Bench, make_bench
from tests.ipmi_client import (
    RMCP,
    Client,
    Client15,
    Refused,
    handshake,
    open_request,
    request,
    sessionless,
)
from tests.ipmi_unit import CONTROL, STATUS, responder, to


@pytest.fixture
def bmc(bench: Bench) -> IpmiResponder:
    return responder(bench)


def test_a_closed_session_is_really_closed(bench, bmc):
    client = Client(to(bmc)).login()
    assert client.close() == (0, b"")
    assert client.command(*STATUS) is None
    assert [e.data["what"] for e in bench.events(EventKind.SESSION)] == ["opened", "closed"]


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
    assert [e.data["what"] for e in bench.events(EventKind.SESSION)].count("expired") == 1


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
    assert len(bmc.sessions.half_open) == SessionLimits().half_open
    assert bmc.sessions.abandoned == 2000 - SessionLimits().half_open
    assert Client(to(bmc)).login()


def test_a_full_bmc_says_that_it_lacks_resources_until_one_leaves(bench):
    bmc = responder(bench, limits=SessionLimits(sessions=2))
    first, _second = Client(to(bmc)).login(), Client(to(bmc)).login()
    with pytest.raises(Refused) as refused:
        Client(to(bmc)).login()
    assert (refused.value.message, refused.value.status) == (0x11, 0x01)
    first.close()
    assert Client(to(bmc)).login()


def test_handshakes_that_were_open_before_the_last_seat_went_do_not_overfill(bench):
    bmc = responder(bench, limits=SessionLimits(sessions=1))
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
    assert len(bench.events(EventKind.COMMAND)) == 1
    assert bmc.drops["a replay"] == 1


def test_a_request_repeated_under_a_new_number_runs_again_as_on_hardware(bench, bmc):
    client = Client(to(bmc)).login()
    message = request(0, 2, b"\x03", seq=9)
    assert len(to(bmc)(client.wrap(message))) == len(to(bmc)(client.wrap(message))) == 1
    assert len(bench.events(EventKind.COMMAND)) == 2


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
    assert bench.events(EventKind.COMMAND) == []


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
