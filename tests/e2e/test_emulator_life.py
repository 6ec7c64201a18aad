"""The Emulator as a library: its hosts, the suite's stamps, and how it begins and ends."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from emulator import Emulator, HostSpec, UnitSpec
from emulator.core.errors import RackMisconfigured
from emulator.core.faults.board import Armed
from emulator.core.journal import EventKind
from emulator.core.rack import Rack
from emulator.core.vocab import Rail
from emulator.faults.power import Ignore
from emulator.wire.tcp import CannotBind
from profiles.model import Profile
from tests.emulator_bed import (
    PATIENCE,
    Redfish,
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


# -- hosts and stamps --------------------------------------------------------------------------------------------------


def test_two_systems_of_one_bmc_have_a_power_switch_each(start: Callable[..., Emulator]) -> None:
    emulator = start(HostSpec(), HostSpec())
    endpoint = emulator.endpoints["node1"]
    first, second = endpoint.systems
    assert first.uuid != second.uuid
    assert Redfish(endpoint).reset("ForceOff", second.uri) == 204
    assert [Redfish(endpoint).power(system.uri) for system in (first, second)] == ["On", "Off"]
    assert [emulator.host("node1", system.id).rail for system in (first, second)] == [Rail.UP, Rail.DOWN]
    assert ipmi_power(ipmi_client(endpoint)) == "On", "IPMI speaks of the first one"


@pytest.mark.parametrize(("hung", "rail"), [(True, Rail.UP), (False, Rail.DOWN)], ids=["hung", "healthy"])
def test_only_a_healthy_operating_system_follows_a_polite_request(start: Callable[..., Emulator], hung: bool, rail: Rail) -> None:
    emulator = start(os_shutdown_s=0)
    if hung:
        emulator.hang("node1")
    assert Redfish(emulator.endpoints["node1"]).reset("GracefulShutdown") == 204
    assert emulator.host("node1").rail is rail


def test_a_host_that_loses_its_power_is_off_without_a_command(start: Callable[..., Emulator]) -> None:
    emulator = start()
    emulator.cut("node1")
    assert Redfish(emulator.endpoints["node1"]).power() == "Off"
    lost, fall = (e for e in of_kind(emulator, EventKind.INCIDENT, EventKind.RAIL) if e.data.get("was") != "initial")
    assert (lost.data["what"], fall.data["rail"], fall.cause) == ("power-lost", "down", lost.seq)
    assert of_kind(emulator, EventKind.COMMAND) == []


def test_the_suites_stamps_stand_in_order_between_what_the_bmc_saw(start: Callable[..., Emulator]) -> None:
    emulator = start()
    emulator.arm("node1", Armed(fault=Ignore()))
    began = emulator.record("node1", EventKind.FENCER, what="start")
    Redfish(emulator.endpoints["node1"]).reset("ForceOff")
    emulator.record("node1", EventKind.FENCER, began, what="claim", claim="off")
    events = [event for event in emulator.events() if event.seq >= began]
    assert [event.kind for event in events] == [
        EventKind.FENCER, EventKind.REQUEST, EventKind.AUTH, EventKind.COMMAND, EventKind.FAULT, EventKind.RESPONSE,
        EventKind.FENCER,
    ]  # fmt: skip
    assert [event.t for event in events] == sorted(event.t for event in events)
    assert events[-1].cause == began


# -- beginnings that fail ----------------------------------------------------------------------------------------------


def _threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("fencelab")]


def test_an_emulator_that_cannot_begin_leaves_no_thread_and_no_open_file(profile: Profile, tmp_path: Path) -> None:
    unit = UnitSpec(name="node1", profile=profile)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(CannotBind), Emulator([unit], redfish_port=taken.getsockname()[1], journal_path=tmp_path / "j"):
            pass
    with pytest.raises(RackMisconfigured, match="two BMCs"), Emulator([unit, unit], journal_path=tmp_path / "j"):
        pass
    with pytest.raises(OSError, match="No space left"), Emulator([unit], journal_path=Path("/dev/full")):
        pass
    assert _threads() == []


def test_leaving_an_emulator_closes_its_ports_and_a_second_close_does_no_harm(profile: Profile) -> None:
    with Emulator([UnitSpec(name="node1", profile=profile)], tls=False) as emulator:
        assert _threads() != []
    emulator.close()
    endpoint = emulator.endpoints["node1"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((endpoint.host, endpoint.redfish_port), timeout=PATIENCE)
    assert _threads() == []


def test_what_a_caller_does_wrong_in_the_emulators_thread_comes_back_to_the_caller(start: Callable[..., Emulator]) -> None:
    emulator = start()

    def wrong(rack: Rack) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        emulator.call(wrong)
    assert Redfish(emulator.endpoints["node1"]).power() == "On"
