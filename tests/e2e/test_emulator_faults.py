"""The Emulator as a library: faults on real sockets, what a client sees of them, and what the journal says."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing, suppress

import pytest

from emulator import Emulator, Event, UnitSpec
from emulator.core.faults.board import Armed
from emulator.core.faults.fault import Fault
from emulator.core.faults.trigger import Intent, When
from emulator.core.journal import EventKind, chain
from emulator.core.vocab import Rail, ResetType
from emulator.faults.power import Gated
from emulator.faults.wire import Delay, Drip, Drop, Silent, Truncate
from profiles.model import Profile
from tests.emulator_bed import (
    CHASSIS_CONTROL,
    PATIENCE,
    SHORT,
    Redfish,
    arm,
    ipmi_client,
    ipmi_power,
    of_kind,
    quick_profile,
    started,
)


@pytest.fixture(scope="module")
def profile() -> Profile:
    return quick_profile()


@pytest.fixture
def start(profile: Profile) -> Iterator[Callable[..., Emulator]]:
    yield from started(profile)


# -- the wire ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize(("executed", "rail"), [(True, Rail.DOWN), (False, Rail.UP)], ids=["executed", "not executed"])
def test_a_dropped_answer_tells_the_client_nothing_and_the_journal_everything(
    start: Callable[..., Emulator], executed: bool, rail: Rail, tls: bool
) -> None:
    emulator = start(tls=tls)
    endpoint = emulator.endpoints["node1"]
    arm(emulator, Drop(executed=executed))
    with pytest.raises((ConnectionError, ssl.SSLError)):
        Redfish(endpoint).reset("ForceOff")
    assert emulator.host("node1").rail is rail
    assert len(of_kind(emulator, EventKind.COMMAND)) == executed
    (wire,) = of_kind(emulator, EventKind.WIRE)
    assert wire.data["fault"] == "wire.reset"
    assert emulator.unfired("node1") == ()
    assert Redfish(endpoint).power() == ("Off" if executed else "On"), "it was to act once"


def test_a_request_that_hangs_is_not_carried_out_and_holds_nobody_else_up(start: Callable[..., Emulator]) -> None:
    emulator = start()
    endpoint = emulator.endpoints["node1"]
    arm(emulator, Silent())
    with pytest.raises(TimeoutError):
        Redfish(endpoint, timeout=SHORT).reset("ForceOff")
    assert Redfish(endpoint).power() == "On"
    request, wire = (event for event in of_kind(emulator, EventKind.REQUEST, EventKind.WIRE) if event.data.get("method") != "GET")
    assert (request.data["executed"], wire.cause, wire.data["answer"]) == (False, request.seq, "none")
    assert of_kind(emulator, EventKind.COMMAND) == []


def test_a_dripping_answer_comes_in_pieces_and_is_whole_in_the_end(start: Callable[..., Emulator]) -> None:
    emulator = start()
    arm(emulator, Drip(size=50, every=0.005), When(method="GET"))
    client = Redfish(emulator.endpoints["node1"])
    with closing(client.connection):
        client.send("GET", client.uri)
        pieces = []
        while b"}" not in b"".join(pieces[-2:]) or not _complete(b"".join(pieces)):
            pieces.append(client.connection.sock.recv(65536))
            assert pieces[-1], "the connection was closed instead"
    assert len(pieces) > 5
    assert json.loads(b"".join(pieces).partition(b"\r\n\r\n")[2])["PowerState"] == "On"
    assert [event.data["fault"] for event in of_kind(emulator, EventKind.FAULT)] == ["wire.drip"]


def _complete(answer: bytes) -> bool:
    head, _blank, body = answer.partition(b"\r\n\r\n")
    (length,) = (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) == length


def test_a_truncated_answer_is_shorter_than_it_promised(start: Callable[..., Emulator]) -> None:
    emulator = start()
    arm(emulator, Truncate(keep=1000), When(method="GET"))
    client = Redfish(emulator.endpoints["node1"])
    with pytest.raises(http.client.IncompleteRead):
        client.power()


@pytest.mark.parametrize(
    "target", ["{path}", "{path}/", "http://bmc.example{path}", "{path}?a=b", "/redfish/v1/%53ystems/{id}{action}"]
)
@pytest.mark.parametrize("executed", [True, False], ids=["executed", "not executed"])
def test_a_wire_fault_finds_a_reset_by_its_type_in_every_spelling(
    start: Callable[..., Emulator], target: str, executed: bool
) -> None:
    emulator = start()
    endpoint = emulator.endpoints["node1"]
    emulator.arm("node1", Armed(fault=Drop(executed=executed), when=When(reset=(ResetType.FORCE_OFF,))))
    action = "/Actions/ComputerSystem.Reset"
    uri = endpoint.systems[0].uri
    spelled = target.format(path=f"{uri}{action}", id=endpoint.systems[0].id, action=action)

    def send(word: str) -> int:
        client = Redfish(endpoint)
        with closing(client.connection):
            client.send("POST", spelled, {"ResetType": word})
            answer = client.connection.getresponse()
            answer.read()
            return answer.status

    assert send("On") < 300, "another ResetType passes"
    with pytest.raises(ConnectionError):
        send("ForceOff")
    request = of_kind(emulator, EventKind.REQUEST)[-1]
    assert (request.data["intent"], request.data["system"], request.data["reset"]) == (
        Intent.POWER_COMMAND, endpoint.systems[0].id, "ForceOff",
    )  # fmt: skip
    assert request.data["path"] == uri + action + ("/" if target.endswith("/") else "")
    assert emulator.host("node1").rail is (Rail.DOWN if executed else Rail.UP)


@pytest.mark.parametrize(
    ("fault", "answer", "told"),
    [
        (Drop(), "none", 0),
        (Drop(executed=False), "none", 0),
        (Truncate(keep=1000), "cut", 0),
        (Truncate(keep=10**6), "whole", 1),
        (Delay(0), "whole", 1),
    ],
    ids=["dropped", "swallowed", "cut", "cut behind its end", "late"],
)
def test_only_a_whole_answer_tells_a_power_word_and_counts_for_a_gate(
    start: Callable[..., Emulator], fault: Fault, answer: str, told: int
) -> None:
    emulator = start()
    endpoint = emulator.endpoints["node1"]
    emulator.arm("node1", Armed(fault=Gated(gate=1)))
    assert Redfish(endpoint).reset("ForceOff") == 204
    arm(emulator, fault, When(intent=Intent.POWER_READ))
    with suppress(ConnectionError, http.client.IncompleteRead):
        Redfish(endpoint).power()
    read = of_kind(emulator, EventKind.REQUEST)[-1]
    (wire,) = of_kind(emulator, EventKind.WIRE)
    assert (read.data["intent"], wire.cause, wire.data["answer"]) == (Intent.POWER_READ, read.seq, answer)
    assert len(of_kind(emulator, EventKind.LOOK)) == len(of_kind(emulator, EventKind.GATE)) == told
    assert emulator.host("node1").rail is (Rail.DOWN if told else Rail.UP)


def test_a_cut_answer_says_how_much_of_it_went_out(start: Callable[..., Emulator]) -> None:
    emulator = start()
    arm(emulator, Truncate(keep=1000), When(intent=Intent.POWER_READ))
    with pytest.raises(http.client.IncompleteRead):
        Redfish(emulator.endpoints["node1"]).power()
    (wire,) = of_kind(emulator, EventKind.WIRE)
    assert wire.data["sent"] == 1000
    assert int(str(wire.data["size"])) > 1000


def test_a_wire_fault_on_a_login_knows_it_by_its_meaning(start: Callable[..., Emulator]) -> None:
    emulator = start()
    endpoint = emulator.endpoints["node1"]
    arm(emulator, Drop(executed=False), When(intent=Intent.LOGIN))
    client = Redfish(endpoint)
    with closing(client.connection):
        client.send("POST", "/redfish/v1/SessionService/Sessions", {"UserName": "x", "Password": "Zq-secret"})
        with pytest.raises(ConnectionError):
            client.connection.getresponse()
    assert "Zq-secret" not in "".join(event.to_json() for event in emulator.events())


def test_a_delayed_answer_is_overtaken_by_one_that_was_asked_for_later(start: Callable[..., Emulator]) -> None:
    emulator = start()
    endpoint = emulator.endpoints["node1"]
    arm(emulator, Delay(0.5))
    slow = Redfish(endpoint)
    with closing(slow.connection):
        slow.send("POST", f"{slow.uri}/Actions/ComputerSystem.Reset", {"ResetType": "ForceOff"})
        command = _await(emulator, EventKind.COMMAND)
        assert Redfish(endpoint).power() == "Off"
        slow.connection.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            slow.connection.sock.recv(1)
        slow.connection.sock.settimeout(PATIENCE)
        assert slow.connection.getresponse().status == 204
    assert command.data["reset"] == "ForceOff"


def _await(emulator: Emulator, kind: EventKind) -> Event:
    for _ in range(100_000):
        if found := of_kind(emulator, kind):
            return found[0]
    raise AssertionError(f"no event of kind {kind}")


def test_a_fault_that_never_met_its_request_is_reported_as_unfired(start: Callable[..., Emulator]) -> None:
    emulator = start()
    armed = Armed(fault=Drop(), when=When(method="DELETE"))
    optional = Armed(fault=Drop(), when=When(method="DELETE"), must_fire=False)
    emulator.arm("node1", armed)
    emulator.arm("node1", optional)
    Redfish(emulator.endpoints["node1"]).power()
    assert emulator.unfired("node1") == (armed,)


def test_a_refused_bmc_has_ports_that_nobody_listens_on_and_its_neighbour_works(profile: Profile) -> None:
    units = [UnitSpec(name=name, profile=profile) for name in ("dead", "alive")]
    with Emulator(units, tls=False, refuse=frozenset({"dead"})) as emulator:
        dead, alive = emulator.endpoints["dead"], emulator.endpoints["alive"]
        with pytest.raises(ConnectionRefusedError):
            Redfish(dead).power()
        with pytest.raises(TimeoutError):
            ipmi_client(dead, timeout=SHORT)
        assert Redfish(alive).power() == "On"
        assert not [event for event in emulator.events() if event.bmc == "dead" and event.kind is not EventKind.RAIL]


# -- gates -------------------------------------------------------------------------------------------------------------


def test_a_gate_opens_when_the_client_has_looked_often_enough(start: Callable[..., Emulator]) -> None:
    emulator = start()
    endpoint = emulator.endpoints["node1"]
    emulator.arm("node1", Armed(fault=Gated(gate=3)))
    assert Redfish(endpoint).power() == "On", "a look before the command does not count"
    assert Redfish(endpoint).reset("ForceOff") == 204
    assert [Redfish(endpoint).power() for _ in range(4)] == ["On", "On", "On", "Off"]
    (gate,) = of_kind(emulator, EventKind.GATE)
    assert gate.data["after_reads"] == 3
    assert _kinds_to_the_fall(emulator) == [EventKind.REQUEST, EventKind.COMMAND, EventKind.GATE, EventKind.RAIL]


def test_a_gate_opens_for_looks_over_ipmi_as_well(start: Callable[..., Emulator]) -> None:
    emulator = start()
    emulator.arm("node1", Armed(fault=Gated(gate=2)))
    client = ipmi_client(emulator.endpoints["node1"])
    assert client.command(*CHASSIS_CONTROL, b"\0") == (0, b"")
    assert [ipmi_power(client) for _ in range(3)] == ["On", "On", "Off"]
    client.close()
    assert _kinds_to_the_fall(emulator) == [EventKind.REQUEST, EventKind.COMMAND, EventKind.GATE, EventKind.RAIL]


def test_a_gate_stays_shut_for_a_client_that_never_looks(start: Callable[..., Emulator]) -> None:
    emulator = start()
    emulator.arm("node1", Armed(fault=Gated(gate=1)))
    for _ in range(3):
        assert Redfish(emulator.endpoints["node1"]).reset("ForceOff") == 204
    assert of_kind(emulator, EventKind.GATE) == []
    assert emulator.host("node1").rail is Rail.UP


def _kinds_to_the_fall(emulator: Emulator) -> list[EventKind]:
    events = {event.seq: event for event in emulator.events()}
    fall = next(event for event in events.values() if event.kind is EventKind.RAIL and event.data["rail"] == "down")
    return [event.kind for event in chain(events, fall.seq)]
