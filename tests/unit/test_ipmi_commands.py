"""What the commands answer."""

from __future__ import annotations

import os
import uuid
from dataclasses import replace

import pytest

from emulator.core.errors import IllegalStimulus
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import ClientRequest, When
from emulator.core.journal import EventKind
from emulator.core.rack import HostSpec, UnitSpec
from emulator.core.truth.host import Order
from emulator.core.vocab import Rail
from emulator.faults.report import Says
from emulator.ipmi.commands import COMMANDS
from emulator.ipmi.management.application import firmware_bytes
from emulator.ipmi.power.chassis import POWER_BIT
from emulator.ipmi.responder import IpmiResponder, guid_of
from emulator.ipmi.session.sessions import IpmiPrivilege
from profiles.model import View
from tests.conftest import Bench, make_bench
from tests.ipmi_client import PEER, Client, open_sessionless, request, sessionless

STATUS = (0, 1)
CONTROL = (0, 2)


def responder(bench: Bench) -> IpmiResponder:
    return IpmiResponder(bench.view(), entropy=os.urandom)


def client_of(bmc: IpmiResponder) -> Client:
    return Client(lambda datagram: [data for data, _peer in bmc.receive(datagram, PEER)]).login()


@pytest.fixture
def client(bench: Bench) -> Client:
    return client_of(responder(bench))


def test_the_device_id_has_fifteen_bytes_and_the_profiles_identity(client):
    code, data = client.command(6, 0x01)
    assert (code, len(data)) == (0, 15)
    assert (data[0], data[1] & 0x0F, data[4]) == (32, 1, 0x02)
    assert (int.from_bytes(data[6:9], "little"), int.from_bytes(data[9:11], "little")) == (674, 256)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("6.10.30.00", (6, 0x10, bytes((30, 0, 0, 0)))),
        ("2.15.0-dev-686-g100c36de90", (2, 0x15, bytes(4))),
        ("iLO 5 v2.78", (2, 0x78, bytes(4))),
        ("7", (0, 0, bytes(4))),
        ("absent", (0, 0, bytes(4))),
        ("200.250", (127, 0x99, bytes(4))),
    ],
)
def test_a_firmware_version_becomes_major_bcd_minor_and_auxiliary_bytes(version, expected):
    assert firmware_bytes(version) == expected


def test_both_guids_the_handshakes_and_redfish_name_the_same_machine(bench, client):
    known = uuid.UUID(bench.view().first_system().uuid)
    assert client.command(6, 0x08) == client.command(6, 0x37) == (0, known.bytes_le)
    assert client.guid == known.bytes_le
    (reply,) = client.send(sessionless(request(6, 0x37)))
    assert open_sessionless(reply) == (0, known.bytes_le)


def test_a_bmc_whose_redfish_shows_no_uuid_still_has_a_guid_of_its_own(profile):
    hidden = replace(profile, identity=replace(profile.identity, system_uuid="absent"))
    bench = make_bench(UnitSpec(name="node1", profile=hidden), UnitSpec(name="node2", profile=hidden))
    one, two = guid_of(bench.view("node1")), guid_of(bench.view("node2"))
    assert len(one) == 16
    assert one != two
    assert one == guid_of(bench.view("node1"))


def test_the_self_test_has_passed(client):
    assert client.command(6, 0x04) == (0, b"\x55\x00")


@pytest.mark.parametrize(("power", "bit", "acpi"), [("on", 1, b"\x00\x00"), ("off", 0, b"\x05\x2a")])
def test_power_is_one_bit_and_one_acpi_state(bench_of, power, bit, acpi):
    client = client_of(responder(bench_of(HostSpec(power=power))))
    assert client.command(*STATUS) == (0, bytes((bit | 0x20, 0, 0x40, 0xF0)))
    assert client.command(6, 0x07) == (0, acpi)


@pytest.mark.parametrize("word", ["PoweringOn", "PoweringOff"])
def test_a_bmc_in_transition_never_says_off(bench, client, word):
    bench.rack.arm("node1", Armed(fault=Says(word, (View.IPMI,))))
    assert client.command(*STATUS)[1][0] & 1 == 1


@pytest.mark.parametrize("word", [None, "absent", "off", "Unknown", ""])
def test_a_bmc_that_cannot_tell_says_so_instead_of_a_bit(bench, client, word):
    bench.rack.arm("node1", Armed(fault=Says(word, (View.IPMI,))))
    assert client.command(*STATUS) == (0xFF, b"")
    assert client.command(6, 0x07)[1][0] == 0x2A


def test_a_lie_of_the_ipmi_view_is_told_and_redfish_is_not_asked(bench_of):
    bench = bench_of()
    bench.rack.arm("node1", Armed(fault=Says("Off", (View.IPMI,)), when=When(path="chassis-status"), count=1))
    client = client_of(responder(bench))
    assert [client.command(*STATUS)[1][0] & 1 for _ in range(2)] == [0, 1]


def test_only_the_exact_word_off_clears_the_bit():
    assert [word for word, bit in POWER_BIT.items() if not bit] == ["Off"]


@pytest.mark.parametrize(
    ("control", "seconds", "rail", "incarnation"),
    [
        (0, 5, Rail.DOWN, 2),
        (2, 3, Rail.DOWN, 2),
        (3, 2, Rail.UP, 2),
        (4, 1, Rail.UP, 2),
        (5, 22, Rail.DOWN, 2),
        (1, 9, Rail.UP, 1),
    ],
    ids=["down", "cycle", "reset", "diag", "soft", "up"],
)
def test_every_chassis_control_reaches_the_host(bench, client, control, seconds, rail, incarnation):
    assert client.command(*CONTROL, bytes((control,))) == (0, b"")
    bench.advance(seconds)
    assert (bench.host().rail, bench.host().incarnation) == (rail, incarnation)


def test_the_profiles_completion_codes_are_answered(bench_of):
    client = client_of(responder(bench_of(HostSpec(power="off"))))
    assert [client.command(*CONTROL, bytes((n,)))[0] for n in (0, 2, 3)] == [0xD5, 0xD5, 0xCC]


@pytest.mark.parametrize(("data", "code"), [(b"", 0xC7), (b"\x00\x00", 0xC7), (b"\x06", 0xCC), (b"\xff", 0xCC), (b"\x10", 0xCC)])
def test_a_control_that_does_not_exist_is_refused_and_nothing_happens(bench, client, data, code):
    assert client.command(*CONTROL, data) == (code, b"")
    assert bench.events(EventKind.COMMAND) == []


@pytest.mark.parametrize(
    ("netfn", "command"), [(0x2C, 0x00), (0x2E, 0x01), (0x30, 0x70), (0x0A, 0xFE), (0x06, 0xFF), (0x3E, 0x00)]
)
def test_what_is_not_known_is_an_invalid_command(client, netfn, command):
    assert client.command(netfn, command, b"\x00") == (0xC1, b"")


@pytest.mark.parametrize("key", sorted(COMMANDS), ids=lambda key: COMMANDS[key].name)
def test_every_command_checks_its_length_and_its_privilege(bench, key):
    bmc, row = responder(bench), COMMANDS[key]
    client = client_of(bmc)
    fewest, most = row.length
    assert client.command(*key, bytes(most + 1)) == (0xC7, b"")
    if fewest:
        assert client.command(*key, bytes(fewest - 1)) == (0xC7, b"")
    if row.privilege > IpmiPrivilege.USER:
        assert client.command(6, 0x3B, bytes((row.privilege - 1,)))[0] == 0
        assert client.command(*key, bytes(fewest)) == (0xD4, b"")


def test_another_logical_unit_is_nobody(client):
    reply = client.send(client.wrap(request(0, 1, lun=2)))[0]
    message = client.unwrap(reply)
    assert message[6] == 0xC2
    assert message[4] & 3 == 2


def test_a_chassis_remembers_who_switched_it_on(bench, client):
    assert client.command(0, 0x07) == (0, b"\x00\x01")
    client.command(*CONTROL, b"\x02")
    bench.advance(13)
    assert client.command(*STATUS)[1][1] == 0x10
    assert client.command(0, 0x07) == (0, b"\x01\x01")


def test_the_restore_policy_is_kept_and_shown(client):
    assert client.command(0, 0x06, b"\x02") == (0, b"\x07")
    assert client.command(0, 0x06, b"\x03") == (0, b"\x07")
    assert client.command(*STATUS)[1][0] >> 5 == 2
    assert client.command(0, 0x06, b"\x04") == (0xCC, b"")


def test_the_identify_light_goes_out_by_itself_unless_told_to_stay(bench, client):
    def light() -> int:
        return client.command(*STATUS)[1][2] >> 4 & 3

    assert client.command(0, 0x04) == (0, b"")
    assert light() == 1
    bench.advance(15)
    assert light() == 0
    client.command(0, 0x04, b"\x00\x01")
    bench.advance(59)
    assert light() == 2
    client.command(0, 0x04, b"\x00")
    assert light() == 0


def test_boot_flags_are_kept_until_they_are_declared_invalid(client):
    assert client.command(0, 0x09, b"\x05\x00\x00") == (0, bytes.fromhex("0105 0000000000"))
    assert client.command(0, 0x08, bytes.fromhex("05 8004000000")) == (0, b"")
    assert client.command(0, 0x09, b"\x05\x00\x00") == (0, bytes.fromhex("0105 8004000000"))
    assert client.command(0, 0x08, b"\x85") == (0, b"")
    assert client.command(0, 0x09, b"\x05\x00\x00")[1][1] == 0x85


def test_boot_flags_that_nothing_acts_on_are_read_back(client):
    client.command(0, 0x08, bytes.fromhex("05 e0c7611003"))
    assert client.command(0, 0x09, b"\x05\x00\x00") == (0, bytes.fromhex("0105 e0c7611003"))


def test_boot_options_refuse_what_they_do_not_have(client):
    assert client.command(0, 0x09, b"\x60\x00\x00") == (0x80, b"")
    assert client.command(0, 0x08, b"\x60\x00") == (0x80, b"")
    assert client.command(0, 0x08, b"\x05\x00") == (0xC7, b"")
    assert client.command(0, 0x08, b"\x00\x01") == (0, b"")
    assert client.command(0, 0x08, b"\x00\x01") == (0x81, b"")


def test_power_on_hours_count(bench, client):
    bench.advance(50)
    assert client.command(0, 0x0F) == (0, b"\x3c\x00\x00\x00\x00")


def test_a_control_by_ipmi_is_seen_by_redfish(bench: Bench, client: Client) -> None:
    client.command(*CONTROL, b"\x00")
    bench.advance(5)
    asked = ClientRequest(protocol="redfish", method="GET", path="/redfish/v1/Systems/1")
    assert bench.view().power("1", View.SYSTEM, asked) == "Off"


def test_there_are_three_channels_and_only_the_lan_has_sessions(client):
    assert client.command(6, 0x42, b"\x0e") == (0, bytes.fromhex("01 04 01 81 f21b00 0000"))
    assert client.command(6, 0x42, b"\x00") == (0, bytes.fromhex("00 01 01 00 f21b00 0000"))
    assert client.command(6, 0x42, b"\x0f") == (0, bytes.fromhex("0f 0c 05 00 f21b00 ffff"))
    assert client.command(6, 0x41, b"\x00\x40") == client.command(6, 0x40, b"\x0f\x80\x80") == (0x82, b"")
    assert client.command(6, 0x41, b"\x01\x40") == client.command(6, 0x41, b"\x0e\x80") == (0, b"\x22\x04")
    assert client.command(6, 0x41, b"\x01\x00")[0] == 0xCC
    for command, data in ((0x42, b"\x02"), (0x41, b"\x02\x40"), (0x40, b"\x02\x80\x80"), (0x44, b"\x02\x01")):
        assert client.command(6, command, data)[0] == 0xCC


def test_the_users_are_the_accounts(client):
    names = [client.command(6, 0x46, bytes((n,)))[1].rstrip(b"\0") for n in range(1, 5)]
    assert names == [b"", b"root", b"guest", b""]
    access = [client.command(6, 0x44, bytes((0x0E, n)))[1] for n in range(1, 4)]
    assert [a[3] for a in access] == [0x0F, 0x14, 0x12]
    assert [a[:2] for a in access] == [b"\x10\x82", b"\x10\x42", b"\x10\x42"]
    assert client.command(6, 0x46, b"\x11") == client.command(6, 0x46, b"\x00") == (0xCC, b"")


def test_a_session_sees_itself_and_the_others(bench):
    bmc = responder(bench)
    client, other = client_of(bmc), client_of(bmc)
    assert other.command(0, 1)[0] == 0
    code, own = client.command(6, 0x3D, b"\x00")
    assert (code, own[1:]) == (0, bytes((32, 2, 2, 4, 0x11)) + bytes((127, 0, 0, 1)) + bytes(6) + (40000).to_bytes(2, "little"))
    handles = {client.command(6, 0x3D, bytes((n,)))[1][0] for n in (1, 2)}
    assert len(handles) == 2
    assert own[0] in handles
    assert client.command(6, 0x3D, b"\x03") == (0, bytes((0, 32, 2)))
    assert client.command(6, 0x3D, b"\xff" + other.managed)[1][0] in handles - {own[0]}
    assert client.command(6, 0x3D, b"\xfe" + own[:1]) == (0, own)
    assert client.command(6, 0x3D, b"\xff\xee\xee\xee\xee")[0] == 0xCC
    assert client.command(6, 0x3D, b"\xff")[0] == 0xC7


class Broken:
    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        raise IllegalStimulus("a holder with a bug")


def test_an_error_of_the_core_is_answered_with_its_own_code(bench, client):
    bench.rack.hold("node1", "1", Broken())
    assert client.command(*CONTROL, b"\x02") == (0, b"")
    assert client.command(*CONTROL, b"\x04") == (IllegalStimulus.completion_code, b"")
    assert client.command(*STATUS)[0] == 0


def test_small_facts_of_the_chassis_and_the_bmc(client):
    assert client.command(0, 0x00) == (0, bytes.fromhex("00 20202020"))
    assert client.command(6, 0x2F) == (0, b"\x08")
    assert client.command(6, 0x2E, b"\x0f") == (0, b"")
    assert client.command(6, 0x2F) == (0, b"\x0f")
    assert client.command(6, 0x54, b"\x0e\x03\x80") == (0xCC, b"")


@pytest.mark.parametrize("netfn", [1, 7])
def test_a_response_is_not_taken_for_a_request(client, netfn):
    assert client.send(client.wrap(request(netfn, 1))) == []
    assert client.send(sessionless(request(netfn, 0x38, b"\x8e\x04"))) == []


def test_ipmi_that_is_switched_off_is_silent_and_comes_back(bench):
    """Redfish does it by ManagerNetworkProtocol; an open session hears nothing more either."""
    bmc = responder(bench)
    client = client_of(bmc)
    bench.view().set_ipmi_lan(False)
    assert bmc.receive(sessionless(request(6, 0x38, bytes((0x0E, 4)))), PEER) == []
    assert client.command(6, 0x01) is None
    bench.view().set_ipmi_lan(True)
    assert client.command(6, 0x01)[0] == 0
