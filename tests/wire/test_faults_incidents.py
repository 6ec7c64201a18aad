"""What happens by itself once a client has been told the power, and what power faults make of a command; each with its twin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator import EventKind, Rail
from tests.fault_bench import FaultBench, fault_bench
from tests.ipmi_client import Client


@pytest.fixture
def bench() -> Iterator[FaultBench]:
    with fault_bench() as made:
        yield made


def rail_over_ipmi(client: Client) -> bool:
    answer = client.command(0, 1)
    assert answer is not None
    return bool(answer[1][0] & 1)


def chassis_power(bench: FaultBench) -> object:
    return bench.ask(path=bench.ask().json()["Links"]["Chassis"][0]["@odata.id"]).json().get("PowerState")


def test_the_host_loses_its_power_after_it_has_been_read(bench: FaultBench) -> None:
    with bench.armed("host.power-lost", when={"rail": "on", "path": "system"}, count=1) as fault_id:
        assert bench.ask(path="/redfish/v1").ok
        assert bench.emulator.host("node1").rail is Rail.UP, "nobody was told a power word"
        assert (bench.power(), bench.emulator.host("node1").rail, bench.power()) == ("On", Rail.DOWN, "Off")
        assert bench.fired(fault_id) == 1
    lost, fall = bench.events(EventKind.INCIDENT)[0], bench.events(EventKind.RAIL)[-1]
    assert (lost.data["what"], fall.cause) == ("power-lost", lost.seq)
    request = next(e for e in bench.events(EventKind.REQUEST) if e.seq == lost.cause)
    assert request.data["intent"] == "power-read"


def test_the_host_is_switched_on_after_it_has_been_read_off_over_ipmi(bench: FaultBench) -> None:
    bench.emulator.cut("node1")
    client = bench.ipmi().login()
    assert (rail_over_ipmi(client), rail_over_ipmi(client)) == (False, False)
    with bench.armed("host.power-restored", when={"rail": "off", "path": "ipmi"}, count=1):
        assert (rail_over_ipmi(client), rail_over_ipmi(client)) == (False, True)
    assert bench.emulator.host("node1").rail is Rail.UP


def test_an_incident_may_come_later(bench: FaultBench) -> None:
    bench.emulator.cut("node1")
    with bench.armed("host.power-restored", params={"seconds": 0.05}, count=1):
        assert bench.power() == "Off"
        while bench.power() == "Off":
            pass
    assert bench.emulator.host("node1").rail is Rail.UP


@pytest.mark.long
def test_the_bmc_restarts_after_a_read_and_its_restore_policy_switches_the_host_on(bench: FaultBench) -> None:
    bench.emulator.cut("node1")
    session = bench.log_in()
    with bench.armed("bmc.restart", when={"rail": "off"}, count=1, params={"outage_s": 1.5, "power_on": True}):
        assert bench.power() == "Off"
        while not bench.events(EventKind.BMC):
            pass
        with pytest.raises(requests.exceptions.Timeout):
            bench.ask(timeout=0.1)
        while True:
            try:
                assert bench.ask(timeout=0.1).json()["PowerState"] == "On"
                break
            except requests.exceptions.Timeout:
                continue
    stale = bench.ask(auth=None, headers={"X-Auth-Token": session.headers["X-Auth-Token"]})
    assert stale.status_code == 401, "its sessions are lost"
    assert [e.data["what"] for e in bench.events(EventKind.BMC)] == ["down", "up"]


def test_a_restart_leaves_the_host_alone_and_does_not_begin_twice(bench: FaultBench) -> None:
    with (
        bench.armed("bmc.restart", params={"outage_s": 0.05}, count=1),
        bench.armed("bmc.restart", params={"outage_s": 3600}, count=1),
    ):
        assert bench.power() == "On"
        while [e.data["what"] for e in bench.events(EventKind.BMC)] != ["down", "up"]:
            pass
        assert bench.power() == "On"


def test_a_word_in_between_until_the_rail_moves(bench: FaultBench) -> None:
    with bench.armed("power.passing", params={"gate": 3}):
        assert bench.reset("On").ok, "a command that does not move the rail has no word in between"
        assert bench.power() == "On"
        assert bench.reset("ForceOff").ok
        assert [bench.power(), chassis_power(bench)] == ["PoweringOff", "PoweringOff"]
        assert bench.emulator.host("node1").rail is Rail.DOWN, "three reads"
        assert bench.power() == "Off"


def test_a_glitch_says_off_for_some_reads(bench: FaultBench) -> None:
    with bench.armed("power.glitch", params={"gate": 2}):
        assert bench.reset("ForceOff").ok
        assert [bench.power() for _ in range(3)] == ["Off", "Off", "On"]
        assert bench.reset("GracefulRestart").ok
        assert bench.power() == "On"
    assert [e.data["rail"] for e in bench.events(EventKind.RAIL)] == ["up"]


def test_the_word_comes_before_the_fall(bench: FaultBench) -> None:
    with bench.armed("power.early-word", params={"seconds": 3600}):
        assert bench.reset("GracefulRestart").ok
        assert bench.power() == "On"
        assert bench.reset("ForceOff").ok
        assert (bench.power(), chassis_power(bench), bench.emulator.host("node1").rail) == ("Off", "Off", Rail.UP)


def test_a_command_that_only_presses_the_button(bench: FaultBench) -> None:
    bench.emulator.hang("node1")
    with bench.armed("power.as-button"):
        assert bench.reset("On").ok
        assert bench.reset("ForceOff").ok
        assert bench.emulator.host("node1").rail is Rail.UP
    assert not bench.emulator.rack.unit("node1").first().falls(), "nothing is under way"


def test_one_that_lets_a_cache_answer_and_one_that_does_not(bench: FaultBench) -> None:
    etag = bench.ask().headers["ETag"]
    with bench.armed("report.says", params={"word": "Off"}, when={"caching": "plain"}):
        assert bench.power() == "Off"
        assert bench.ask(headers={"Cache-Control": "no-cache"}).json()["PowerState"] == "On"
        assert bench.ask(headers={"If-None-Match": etag}).status_code == 304
    with bench.armed("report.says", params={"word": "Off"}, when={"caching": "conditional"}):
        assert bench.power() == "On"
        assert bench.ask(headers={"If-None-Match": etag}).json()["PowerState"] == "Off"


def test_a_link_may_vanish_and_others_stay(bench: FaultBench) -> None:
    with bench.armed("redfish.property", params={"property": "Links/Chassis"}):
        links = bench.ask().json()["Links"]
        assert "Chassis" not in links
        assert links
    with bench.armed("redfish.property", params={"property": "PowerState/Chassis"}) as fault_id:
        assert bench.power() == "On", "what is not there cannot vanish"
        assert bench.fired(fault_id)
    assert "Chassis" in bench.ask().json()["Links"]
