"""Faults about which resource answers: members of a collection, another resource's body, another target of the Reset action.
Every test has its twin without the fault."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator import Emulator, EventKind, HostSpec, UnitSpec
from profiles import load
from tests.fault_bench import FaultBench

SYSTEMS = "/redfish/v1/Systems"
SYSTEMS_ONLY = {"path": SYSTEMS}


@pytest.fixture(scope="module")
def shared() -> Iterator[FaultBench]:
    hosts = (HostSpec(power="on"), HostSpec(power="off"))
    with Emulator([UnitSpec(name="node1", profile=load("dmtf-generic"), hosts=hosts)]) as emulator:
        yield FaultBench(emulator)


@pytest.fixture
def bench(shared: FaultBench) -> FaultBench:
    for status in shared.emulator.faults():
        shared.emulator.disarm(status.id)
    assert members(shared) == uris(shared)
    return shared


def uris(bench: FaultBench) -> list[str]:
    return [system.uri for system in bench.bmc.systems]


def members(bench: FaultBench, path: str = SYSTEMS) -> list[str]:
    return [member["@odata.id"] for member in bench.ask(path=path).json()["Members"]]


def test_members_in_reverse_order(bench: FaultBench) -> None:
    with bench.armed("redfish.members", params={"what": "reversed"}, when=SYSTEMS_ONLY | {"skip": 1}):
        assert members(bench) == uris(bench)
        assert members(bench) == uris(bench)[::-1]
    assert members(bench) == uris(bench)


def test_no_members(bench: FaultBench) -> None:
    with bench.armed("redfish.members", when=SYSTEMS_ONLY):
        told = bench.ask(path=SYSTEMS).json()
    assert (told["Members"], told["Members@odata.count"]) == ([], 0)


def test_members_as_an_object(bench: FaultBench) -> None:
    with bench.armed("redfish.members", params={"what": "object"}, when=SYSTEMS_ONLY):
        assert bench.ask(path=SYSTEMS).json()["Members"] == {"@odata.id": uris(bench)[0]}


@pytest.mark.parametrize("what", ["short", "blank"])
def test_fewer_members_than_are_counted(bench: FaultBench, what: str) -> None:
    with bench.armed("redfish.members", params={"what": what}, when=SYSTEMS_ONLY):
        told = bench.ask(path=SYSTEMS).json()
    usable = [member for member in told["Members"] if "@odata.id" in member]
    assert (len(usable), told["Members@odata.count"]) == (1, 2)


def test_two_pages(bench: FaultBench) -> None:
    with bench.armed("redfish.members", params={"what": "paged", "first": 1}, when=SYSTEMS_ONLY):
        first = bench.ask(path=SYSTEMS).json()
        assert [member["@odata.id"] for member in first["Members"]] == uris(bench)[:1]
        second = bench.ask(path=first["Members@odata.nextLink"]).json()
    assert [member["@odata.id"] for member in second["Members"]] == uris(bench)[1:]
    assert "Members@odata.nextLink" not in second


def test_what_is_no_collection_is_left_alone(bench: FaultBench) -> None:
    with bench.armed("redfish.members"):
        assert bench.power() == "On"
        assert bench.ask(path="/redfish/v1/$metadata").content.startswith(b"<?xml")


def test_the_body_of_another_system(bench: FaultBench) -> None:
    own, other = uris(bench)
    with bench.armed("redfish.body-of", params={"path": other}, when={"path": own, "method": "GET"}):
        told = bench.ask(path=own).json()
        assert (told["@odata.id"], told["PowerState"]) == (other, "Off")
        look = bench.events(EventKind.LOOK)[-1]
        assert (look.data["system"], look.data["word"]) == (bench.bmc.systems[1].id, "Off")
    assert bench.ask(path=own).json()["PowerState"] == "On"


def reset_target(bench: FaultBench) -> str:
    return str(bench.ask().json()["Actions"]["#ComputerSystem.Reset"]["target"])


def post(bench: FaultBench, path: str) -> int:
    """The status; 204 where the command was taken: of a host that is on `On` is a no-operation."""
    status = bench.ask("POST", path, json={"ResetType": "On"}).status_code
    return 204 if status == 200 else status


@pytest.mark.parametrize(("form", "begins", "ends"), [("slash", "/", "Reset/"), ("absolute", "https://127.0.0.1:", ".Reset")])
def test_another_spelling_of_the_action(bench: FaultBench, form: str, begins: str, ends: str) -> None:
    usual = reset_target(bench)
    with bench.armed("redfish.action-target", params={"form": form}):
        target = reset_target(bench)
        assert target != usual
        assert target.startswith(begins)
        assert target.endswith(ends)
        assert post(bench, target.removeprefix(bench.bmc.redfish_url)) == post(bench, usual) == 204


def test_an_action_at_another_path_is_served_only_there(bench: FaultBench) -> None:
    usual = reset_target(bench)
    with bench.armed("redfish.action-target"):
        target = reset_target(bench)
        assert (post(bench, f"{target}/"), post(bench, usual)) == (204, 404)
        assert bench.events(EventKind.REQUEST)[-2].data["intent"] == "power-command"
    assert (post(bench, target), post(bench, usual)) == (404, 204)


def test_an_answer_without_the_action_is_left_alone(bench: FaultBench) -> None:
    with bench.armed("redfish.action-target"):
        assert members(bench) == uris(bench)
        assert bench.ask(path="/redfish/v1/$metadata").content.startswith(b"<?xml")
