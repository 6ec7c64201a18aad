"""A fleet: every BMC at an address of its own, IPMI of all of them on one socket."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import resource
import socket
import ssl

import pytest

from emulator.assembly import Emulator
from emulator.core.errors import RackMisconfigured
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.fleet import BLOCK, Fleet, raise_open_file_limit
from emulator.wire.tcp import CannotBind
from profiles import load
from tests.ipmi_client import Client

NETWORK = "127.91.0.0/20"
COUNT = 300


def network(text: str) -> Fleet:
    return Fleet(ipaddress.IPv4Network(text))


@pytest.mark.parametrize(
    ("cidr", "room", "first", "last"),
    [
        ("127.64.0.0/16", 65534, "127.64.0.1", "127.64.255.254"),
        ("127.64.0.8/30", 2, "127.64.0.9", "127.64.0.10"),
        ("127.64.0.8/31", 2, "127.64.0.8", "127.64.0.9"),
        ("127.64.0.8/32", 1, "127.64.0.8", "127.64.0.8"),
    ],
)
def test_bmc_n_has_the_nth_address_that_a_host_may_have(cidr, room, first, last):
    fleet = network(cidr)
    assert (len(fleet), fleet.address(0), fleet.address(room - 1)) == (room, first, last)
    with pytest.raises(IndexError, match=f"no room for BMC {room + 1}"):
        fleet.address(room)


def test_neighbours_share_a_certificate_that_names_them_all():
    fleet = network(NETWORK)
    assert fleet.block(3) == fleet.block(BLOCK - 1)
    assert fleet.block(BLOCK)[0] == fleet.address(BLOCK)
    assert set(fleet.block(0)).isdisjoint(fleet.block(BLOCK))
    assert network("127.64.0.8/30").block(1) == ("127.64.0.9", "127.64.0.10")


def test_a_fleet_that_needs_more_sockets_than_the_process_may_have_says_so():
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with pytest.raises(RackMisconfigured, match=rf"the BMCs need \d+ open sockets, and this process may have {hard}"):
        raise_open_file_limit(hard)


def client_at(sock: socket.socket, address: str, port: int) -> Client:
    def send(datagram: bytes) -> list[bytes]:
        sock.sendto(datagram, (address, port))
        data, source = sock.recvfrom(2048)
        assert source == (address, port)
        return [data]

    return Client(send, user="admin", password="F3nce-lab.demo")


def test_two_of_three_hundred_bmcs_spoken_to_from_one_client_socket_answer_each_for_itself():
    profile = load("dmtf-generic")
    units = [UnitSpec(name=f"bmc-{n}", profile=profile) for n in range(1, COUNT + 1)]
    with Emulator(units, fleet=network(NETWORK)) as emulator, socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.settimeout(10)
        ends = emulator.endpoints
        assert [ends[f"bmc-{n}"].host for n in (1, 256, 300)] == ["127.91.0.1", "127.91.1.0", "127.91.1.44"]
        assert len({end.ipmi_port for end in ends.values()}) == 1
        one, two = (client_at(sock, ends[name].ipmi_host, ends[name].ipmi_port) for name in ("bmc-1", "bmc-300"))
        for step in ("open", "rakp1", "rakp3"):
            getattr(one, step)()
            getattr(two, step)()
        assert one.guid != two.guid
        assert two.command(6, 0x3B, b"\x04") == (0, b"\x04")
        assert two.command(0, 2, b"\x00") == (0, b"")
        assert [e.bmc for e in emulator.events() if e.kind is EventKind.COMMAND] == ["bmc-300"]
        assert emulator.host("bmc-1").rail is Rail.UP
        emulator.call(lambda rack: rack.advance())

        nobody = "127.91.2.200"
        sock.settimeout(0.2)
        sock.sendto(bytes.fromhex("0600ff06000011be80010000"), (nobody, ends["bmc-1"].ipmi_port))
        with pytest.raises(TimeoutError):
            sock.recvfrom(2048)


def test_redfish_of_each_is_at_its_own_address_under_a_certificate_that_a_client_can_verify():
    profile = load("dell-idrac9")
    units = [UnitSpec(name=f"bmc-{n}", profile=profile) for n in (1, 2, 3)]
    with Emulator(units, fleet=network(NETWORK)) as emulator:
        serials = set()
        for end in emulator.endpoints.values():
            context = ssl.create_default_context(cafile=end.ca_file)
            connection = http.client.HTTPSConnection(end.host, end.redfish_port, timeout=10, context=context)
            login = base64.b64encode(f"{end.username}:{end.password}".encode()).decode()
            connection.request("GET", end.systems[0].uri, headers={"Authorization": f"Basic {login}"})
            serials.add(json.loads(connection.getresponse().read())["SerialNumber"])
            connection.close()
        assert len(serials) == 3


def test_a_fleet_and_refusal_do_not_go_together():
    with pytest.raises(ValueError, match="cannot refuse"):
        Emulator([UnitSpec(name="a", profile=load("dmtf-generic"))], fleet=network(NETWORK), refuse=frozenset({"a"}))


def test_addresses_that_this_machine_does_not_have_are_refused_in_a_sentence():
    unit = UnitSpec(name="a", profile=load("dmtf-generic"))
    with (
        pytest.raises(CannotBind, match="this machine does not have that address"),
        Emulator([unit], fleet=network("192.0.2.0/24")),
    ):
        pass


def test_an_emulator_runs_once_and_knows_only_its_own_bmcs():
    emulator = Emulator([UnitSpec(name="a", profile=load("dmtf-generic"), password="Pw-5.unguessable")], fleet=network(NETWORK))
    with emulator:
        assert list(emulator.endpoints) == ["a"]
        assert (emulator.endpoints["a"].password, emulator.endpoints["a"].password_is_default) == ("Pw-5.unguessable", False)
        with pytest.raises(KeyError):
            emulator.endpoints["b"]
    assert emulator.endpoints["a"].host == "127.91.0.1", "also when it has ended"
    with pytest.raises(RuntimeError, match="runs once"), emulator:
        pass


def test_a_fleet_without_room_for_all_says_so_at_once():
    units = [UnitSpec(name=name, profile=load("dmtf-generic")) for name in "abc"]
    with pytest.raises(IndexError, match="no room for BMC 3"):
        Emulator(units, fleet=network("127.64.0.8/30"))
