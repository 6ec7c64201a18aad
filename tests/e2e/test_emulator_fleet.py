"""A fleet: every BMC at an address of its own, with sockets of its own or with one of all."""

from __future__ import annotations

import base64
import http.client
import ipaddress
import json
import random
import resource
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from emulator import Endpoint, arming_from_mapping, fleet_sockets, ready
from emulator.assembly import Emulator
from emulator.core.errors import RackMisconfigured
from emulator.core.journal import EventKind
from emulator.core.rack import UnitSpec
from emulator.core.vocab import Rail
from emulator.fleet import BLOCK, Fleet, raise_open_file_limit
from emulator.ready import NotAnswering, check
from emulator.wire.tcp import CannotBind
from fencer import FenceVerdict, Limits, Protocol, Target, fence
from profiles import load
from profiles.model import Span
from tests.ipmi_client import Client

NETWORK = "127.91.0.0/20"
COUNT = 300


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fleets of a few BMCs share their sockets, as those of thousands do."""
    monkeypatch.setattr(fleet_sockets, "SEPARATE_AT_MOST", 2)


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


@pytest.mark.parametrize("separate", [True, False])
def test_two_of_three_hundred_bmcs_spoken_to_from_one_client_socket_answer_each_for_itself(separate, monkeypatch):
    monkeypatch.setattr(fleet_sockets, "SEPARATE_AT_MOST", COUNT if separate else 0)
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


# -- several fleets on one device ------------------------------------------------------------------------------------------


def fleet_of(count: int, cidr: str, ports: tuple[int, int]) -> Emulator:
    profile = load("dmtf-generic")
    at_once = tuple(replace(step, at=Span(0.0, 0.0)) for step in profile.power.effects["force_off"])
    profile = replace(profile, power=replace(profile.power, effects={**profile.power.effects, "force_off": at_once}))
    units = [UnitSpec(name=f"bmc-{n}", profile=profile) for n in range(count)]
    return Emulator(units, fleet=network(cidr), redfish_port=ports[0], ipmi_port=ports[1], latency=False)


def free_ports() -> tuple[int, int]:
    with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        tcp.bind(("127.91.255.254", 0))
        udp.bind(("127.91.255.254", 0))
        return tcp.getsockname()[1], udp.getsockname()[1]


def every_bmc_answers(emulator: Emulator) -> bool:
    for end in emulator.endpoints.values():
        check(end, redfish=True, lan=True)
    return True


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize(("first", "second"), [(2, 2), (2, 4), (4, 2)])
def test_fleets_on_different_networks_of_one_device_have_the_same_ports(first: int, second: int):
    ports = free_ports()
    with fleet_of(first, "127.91.16.0/24", ports) as one, fleet_of(second, "127.91.17.0/24", ports) as two:
        assert every_bmc_answers(one)
        assert every_bmc_answers(two)
        two.call(lambda rack: rack.cut("bmc-0", rack.unit("bmc-0").first().id))
        assert two.host("bmc-0").rail is not Rail.UP
        assert one.host("bmc-0").rail is Rail.UP


@pytest.mark.usefixtures("large")
def test_two_large_fleets_on_one_device_are_refused_by_network_port_and_device():
    ports = free_ports()
    with fleet_of(3, "127.91.16.0/24", ports) as one:
        with pytest.raises(CannotBind) as caught, fleet_of(3, "127.91.17.0/24", ports):
            pass
        assert str(caught.value) == (
            f"cannot listen on 127.91.17.0/24 (device lo) port {ports[1]}: the BMCs of another emulator, 127.91.16.1 to "
            "127.91.16.3, share one socket on that device, and only one fleet can do that: give this one other ports, or fewer "
            "BMCs"
        )
        assert every_bmc_answers(one)
    with fleet_of(3, "127.91.17.0/24", ports) as other:
        assert every_bmc_answers(other)


@pytest.mark.parametrize("at_most", [0, 10])
def test_fleets_at_the_same_addresses_are_refused(at_most: int, monkeypatch: pytest.MonkeyPatch):
    ports = free_ports()
    with fleet_of(3, "127.91.16.0/24", ports) as one:
        monkeypatch.setattr(fleet_sockets, "SEPARATE_AT_MOST", at_most)
        with (
            pytest.raises(CannotBind, match=r"the BMCs of another emulator have 127\.91\.16\.1 to 127\.91\.16\.3"),
            fleet_of(5, "127.91.16.0/25", ports),
        ):
            pass
        assert every_bmc_answers(one)


def test_a_port_that_somebody_else_has_at_one_address_is_refused():
    ports = free_ports()
    with (
        socket.create_server(("127.91.16.3", ports[0])),
        pytest.raises(CannotBind, match=r"127\.91\.16\.3 port \d+: something else listens there already"),
        fleet_of(3, "127.91.16.0/24", ports),
    ):
        pass


# -- faults in a fleet that shares its sockets -----------------------------------------------------------------------------


def connects(end: Endpoint) -> str:
    try:
        with socket.create_connection((end.host, end.redfish_port), timeout=0.3) as sock:
            sock.settimeout(0.3)
            return "closed" if sock.recv(1) == b"" else "spoke"
    except OSError as error:
        return type(error).__name__


@pytest.mark.usefixtures("large")
def test_port_faults_are_those_of_one_bmc_among_many(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ready, "TIMEOUT_S", 0.5)
    with fleet_of(4, "127.91.16.0/24", (0, 0)) as emulator:
        ends = emulator.endpoints
        refused = emulator.arm("bmc-0", arming_from_mapping({"type": "wire.refuse"}))
        emulator.arm("bmc-1", arming_from_mapping({"type": "wire.blackhole"}))
        emulator.mains_lost("bmc-2")
        emulator.call(lambda rack: None)
        assert connects(ends["bmc-0"]) == "ConnectionResetError"
        for name in ("bmc-1", "bmc-2"):
            with pytest.raises(TimeoutError):
                socket.create_connection((ends[name].host, ends[name].redfish_port), timeout=0.3)
        for name in ("bmc-0", "bmc-1", "bmc-2"):
            with pytest.raises(NotAnswering):
                check(ends[name], redfish=True, lan=True)
        monkeypatch.setattr(ready, "TIMEOUT_S", 10.0)
        check(ends["bmc-3"], redfish=True, lan=True)
        emulator.disarm(refused)
        check(ends["bmc-0"], redfish=True, lan=True)


# -- many are fenced at a time, and only they go off -----------------------------------------------------------------------

MANY, CHOSEN, AT_ONCE = 2000, 200, 16


def rails_that_moved(emulator: Emulator) -> set[str]:
    """The BMCs whose hosts are not up, by the truth of now and by the journal of all that was."""
    down = emulator.call(lambda rack: {name for name, unit in rack.units.items() if unit.first().host.rail is not Rail.UP})
    told = {event.bmc for event in emulator.events() if event.kind is EventKind.RAIL and event.data["rail"] is not Rail.UP}
    return down | told


@pytest.mark.long
@pytest.mark.timeout(240)
def test_two_hundred_of_a_fleet_are_fenced_sixteen_at_a_time_and_no_neighbours_rail_moves():
    with fleet_of(MANY, "127.91.32.0/20", (0, 0)) as emulator:
        dice = random.Random(13)
        chosen = dice.sample(list(emulator.endpoints), CHOSEN)

        def fence_one(n: int, name: str) -> FenceVerdict:
            end = emulator.endpoints[name]
            ipmi = n % 2 == 1
            target = Target(
                host=end.host, protocol=Protocol.IPMI if ipmi else Protocol.REDFISH,
                port=end.ipmi_port if ipmi else end.redfish_port, user=end.username, password=end.password,
                ca_file=end.ca_file, system=None if ipmi else end.systems[0].uri,
            )  # fmt: skip
            return fence(target, Limits(deadline=60, stable_for=0.1, poll=0.05, poll_max=0.2)).verdict

        with ThreadPoolExecutor(AT_ONCE) as pool:
            verdicts = list(pool.map(fence_one, range(CHOSEN), chosen))
        assert set(verdicts) == {FenceVerdict.CONFIRMED}
        assert rails_that_moved(emulator) == set(chosen)
        # The check would have seen a neighbour.
        neighbour = next(name for name in emulator.endpoints if name not in chosen)
        emulator.call(lambda rack: rack.cut(neighbour, rack.unit(neighbour).first().id))
        assert rails_that_moved(emulator) == {*chosen, neighbour}
