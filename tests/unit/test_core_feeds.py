"""PDUs: outlets and the BMCs that they feed, on a virtual clock."""

from __future__ import annotations

import pytest

from emulator.core.bmc.machine import RestorePolicy
from emulator.core.errors import ActionRefused, NoSuchSystem, RackMisconfigured
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import ClientRequest, Intent
from emulator.core.journal import EventKind, chain
from emulator.core.power.by_hand import PowerAction, check_by_hand
from emulator.core.power.commands import PowerCommand
from emulator.core.rack import HostSpec, UnitSpec
from emulator.core.truth.host import Order
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.core.vocab import Rail
from emulator.faults.registry import make_fault
from profiles.loader import load
from profiles.model import Profile, View
from tests.conftest import Bench, make_bench

PDU = load("pdu-generic")
TWO_CORDS = {"A1": ("node1",), "B1": ("node1", "node2")}


def pdu(**spec: object) -> UnitSpec:
    return UnitSpec(name="pdu1", profile=PDU, **{"feeds": TWO_CORDS, **spec})  # type: ignore[arg-type]


@pytest.fixture
def bench(profile: Profile) -> Bench:
    """node1 hangs on A1 and B1, node2 on B1 alone. A BMC starts in 5 s."""
    return make_bench(pdu(), UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile))


def command(bench: Bench, outlet: str, word: str) -> int:
    return bench.view("pdu1").command(outlet, PowerCommand.redfish(word), None).code


def being(bench: Bench, name: str) -> str:
    return bench.view(name).presence().being.value


def test_a_host_with_two_cords_falls_with_its_bmc_when_both_outlets_are_off(bench: Bench) -> None:
    assert command(bench, "A1", "ForceOff") == 204
    assert (bench.host("node1").rail, being(bench, "node1")) == (Rail.UP, "here")
    command(bench, "B1", "ForceOff")
    assert (bench.host("node1").rail, bench.host("node2").rail) == (Rail.DOWN, Rail.DOWN)
    assert (being(bench, "node1"), being(bench, "pdu1")) == ("deaf", "here")


def test_one_outlet_brings_the_bmc_back_and_then_the_restore_policy_decides(bench: Bench) -> None:
    bench.view("node2").chassis.set_restore_policy(RestorePolicy.ALWAYS_OFF, "1")
    for word in ("ForceOff", "On"):
        command(bench, "B1", word)
        command(bench, "A1", word)
    bench.advance(3.9)
    assert being(bench, "node1") == "deaf"
    bench.advance(0.2)  # PowerOnDelaySeconds is 4
    assert bench.host("node1").rail is Rail.DOWN
    bench.advance(5)
    assert (bench.host("node1").rail, being(bench, "node1")) == (Rail.UP, "here")
    assert (bench.host("node2").rail, being(bench, "node2")) == (Rail.DOWN, "here")


def test_the_journal_leads_from_the_command_to_the_outlet_to_the_rail(bench: Bench) -> None:
    command(bench, "B1", "ForceOff")
    fall = next(e for e in bench.events(EventKind.RAIL) if e.data["rail"] == "down")
    events = {event.seq: event for event in bench.rack.journal}
    assert [(e.bmc, e.kind) for e in chain(events, fall.seq)] == [
        ("pdu1", EventKind.COMMAND),
        ("pdu1", EventKind.OUTLET),
        ("node2", EventKind.BMC),
        ("node2", EventKind.RAIL),
    ]


def test_a_power_cycle_of_an_outlet_takes_its_delay(bench: Bench) -> None:
    command(bench, "B1", "PowerCycle")
    assert bench.host("node2").rail is Rail.DOWN
    bench.advance(4)
    assert [e.data["rail"] for e in bench.events(EventKind.OUTLET) if e.data["system"] == "B1"] == ["up", "down", "up"]


def test_what_an_outlet_says_can_be_a_lie_and_moves_nothing(bench: Bench) -> None:
    bench.rack.arm("pdu1", Armed(fault=make_fault("report.says", word="Off")))
    request = ClientRequest("redfish", "GET", "", "B1", None, Intent.POWER_READ)
    assert bench.view("pdu1").power("B1", View.SYSTEM, request) == "Off"
    assert (bench.host("pdu1", PDU.feeder.outlets.index("B1")).rail, bench.host("node2").rail) == (Rail.UP, Rail.UP)  # type: ignore[union-attr]


def test_an_outlet_that_ignores_the_command_keeps_its_hosts_up(bench: Bench) -> None:
    bench.rack.arm("pdu1", Armed(fault=make_fault("power.ignore")))
    assert command(bench, "B1", "ForceOff") == 204
    bench.advance(60)
    assert bench.host("node2").rail is Rail.UP


def test_without_its_own_input_power_a_pdu_feeds_nobody(bench: Bench) -> None:
    bench.rack.mains_lost("pdu1")
    assert (bench.host("node1").rail, being(bench, "pdu1"), being(bench, "node1")) == (Rail.DOWN, "deaf", "deaf")
    bench.rack.mains_back("pdu1")
    bench.advance(60)
    assert (bench.host("node1").rail, being(bench, "node1")) == (Rail.UP, "here")


def test_a_pulled_cord_and_an_outlet_are_two_things(bench: Bench) -> None:
    bench.rack.by_hand("pdu1", "B1", PowerAction.OFF)
    with pytest.raises(ActionRefused, match=r"of the outlets that feed it \(pdu1/B1\) none is on"):
        bench.rack.mains_back("node2")
    bench.rack.mains_lost("node2")
    bench.rack.by_hand("pdu1", "B1", PowerAction.ON)
    bench.advance(60)
    assert being(bench, "node2") == "deaf"
    bench.rack.mains_back_at_once("node2", 0)
    assert being(bench, "node2") == "here"


@pytest.mark.parametrize(
    ("action", "outlet", "sentence"),
    [
        (PowerAction.OFF, None, "pdu1 is a PDU: say which outlet, such as pdu1/A1"),
        (PowerAction.PRESS, "A1", "its outlets can be switched on and off, and press is for hosts"),
        (PowerAction.HANG, None, "its outlets can be switched on and off, and hang is for hosts"),
        (PowerAction.UNPLUG, "A1", "one cord for all its outlets: unplug pdu1, or switch A1 on or off"),
    ],
)
def test_what_nobody_can_do_at_a_pdu(bench: Bench, action: PowerAction, outlet: str | None, sentence: str) -> None:
    with pytest.raises(ActionRefused, match=sentence):
        check_by_hand(bench.rack.unit("pdu1"), action, outlet)


def test_what_can_be_done_by_hand(bench: Bench) -> None:
    check_by_hand(bench.rack.unit("pdu1"), PowerAction.OFF, "A1")
    check_by_hand(bench.rack.unit("pdu1"), PowerAction.PLUG, None)
    check_by_hand(bench.rack.unit("node1"), PowerAction.HANG, None)
    with pytest.raises(NoSuchSystem, match="pdu1 has no outlet 'Z1'"):
        bench.rack.by_hand("pdu1", "Z1", PowerAction.OFF)


def test_a_rack_can_start_with_outlets_that_are_off(profile: Profile) -> None:
    assert PDU.feeder is not None
    hosts = tuple(HostSpec(power="off" if outlet == "B1" else "on") for outlet in PDU.feeder.outlets)
    bench = make_bench(pdu(hosts=hosts), UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile))
    bench.rack.feeds.settle()
    assert (being(bench, "node1"), being(bench, "node2")) == ("here", "deaf")


@pytest.mark.parametrize(
    ("feeds", "sentence"),
    [
        ({"Z1": ("node1",)}, "pdu1 has no outlet 'Z1'; it has A1, A2"),
        ({"A1": ("node9",)}, "pdu1 feeds 'node9', which is not in the rack"),
        ({"A1": ("pdu1",)}, "pdu1 feeds pdu1, which is a PDU: outlets feed BMCs"),
    ],
)
def test_cords_that_lead_nowhere_are_refused(profile: Profile, feeds: dict[str, tuple[str, ...]], sentence: str) -> None:
    with pytest.raises(RackMisconfigured, match=sentence):
        make_bench(pdu(feeds=feeds), UnitSpec(name="node1", profile=profile))


def test_only_a_pdu_feeds(profile: Profile) -> None:
    with pytest.raises(RackMisconfigured, match="node1 has the profile tiny, which is no PDU and no enclosure"):
        make_bench(UnitSpec(name="node1", profile=profile, feeds={"A1": ("node1",)}))


def test_a_bmc_that_leaves_takes_its_cords_along(bench: Bench) -> None:
    bench.rack.remove("node2")
    assert (bench.rack.feeds.fed_by("pdu1", "B1"), bench.rack.feeds.fed_by("pdu1", "A1")) == (("node1",), ("node1",))
    command(bench, "B1", "ForceOff")
    assert bench.host("node1").rail is Rail.UP


def test_power_that_is_lost_again_while_the_bmc_starts_does_not_forget_that_the_host_was_on(bench: Bench) -> None:
    bench.rack.mains_lost("node2")
    for _ in range(2):
        bench.rack.mains_back("node2")
        bench.advance(1)  # the BMC starts in 5 s
        bench.rack.mains_lost("node2")
    bench.rack.mains_back("node2")
    bench.advance(30)
    assert (bench.host("node2").rail, being(bench, "node2")) == (Rail.UP, "here")


def test_a_host_that_was_off_stays_off_when_power_flickers(bench: Bench) -> None:
    bench.rack.by_hand("node2", "1", PowerAction.OFF)
    for _ in range(2):
        bench.rack.mains_lost("node2")
        bench.rack.mains_back("node2")
    bench.advance(30)
    assert bench.host("node2").rail is Rail.DOWN


def test_a_node_in_a_slot_needs_the_slot_and_one_of_its_cords(profile: Profile) -> None:
    enclosure = UnitSpec(name="enc1", profile=load("enclosure-generic"), feeds={"Slot1": ("node1",)})
    bench = make_bench(pdu(), enclosure, UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile))
    bench.rack.by_hand("pdu1", "A1", PowerAction.OFF)
    assert bench.host("node1").rail is Rail.UP, "the other cord"
    bench.view("enc1").command("Slot1", PowerCommand.redfish("ForceOff"), None)
    assert (bench.host("node1").rail, bench.host("node2").rail) == (Rail.DOWN, Rail.UP)
    assert being(bench, "node1") == "deaf"
    with pytest.raises(ActionRefused, match=r"node1 has no input power: its slot \(enc1/Slot1\) is off"):
        bench.rack.mains_back("node1")
    bench.rack.by_hand("enc1", "Slot1", PowerAction.ON)
    bench.advance(30)
    assert (bench.host("node1").rail, being(bench, "node1")) == (Rail.UP, "here")


def test_when_a_pdu_leaves_its_bmcs_are_as_if_they_had_cords_elsewhere(profile: Profile) -> None:
    second = UnitSpec(name="pdu2", profile=PDU, feeds={"C1": ("node1",)})
    bench = make_bench(pdu(), second, UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile))
    bench.rack.remove("pdu1")
    assert bench.rack.feeds.has_power("node2")
    bench.rack.by_hand("pdu2", "C1", PowerAction.OFF)
    assert (bench.host("node1").rail, bench.host("node2").rail) == (Rail.DOWN, Rail.UP)


def test_a_pdu_can_come_into_a_running_rack_and_feeds_nobody(bench: Bench) -> None:
    bench.rack.add(UnitSpec(name="pdu2", profile=PDU), VirtualHosts(bench.rack))
    bench.rack.by_hand("pdu2", "A1", PowerAction.OFF)
    assert bench.host("node1").rail is Rail.UP


def test_all_outlets_can_be_off_at_first_and_a_listener_hears_of_each(profile: Profile) -> None:
    bench = make_bench(
        pdu(hosts=(HostSpec(power="off"),)), UnitSpec(name="node1", profile=profile), UnitSpec(name="node2", profile=profile)
    )
    bench.rack.feeds.settle()
    heard: list[tuple[str, str]] = []
    bench.rack.listen(lambda unit, system, host: heard.append((unit, system)))
    bench.rack.by_hand("pdu1", "B1", PowerAction.ON)
    assert heard == [("pdu1", "B1")]
    bench.advance(60)
    assert (bench.host("node1").rail, bench.host("pdu1").rail) == (Rail.UP, Rail.DOWN)


def test_a_command_for_an_outlet_that_is_off_already_changes_nothing(bench: Bench) -> None:
    command(bench, "A1", "ForceOff")
    assert command(bench, "A1", "ForceOff") == 200
    bench.rack.unit("pdu1").system("A1").driver.perform("pdu1", "A1", Order.CUT, 1)  # type: ignore[union-attr]
    assert len([e for e in bench.events(EventKind.OUTLET) if e.data["system"] == "A1"]) == 2
