"""A BMC that resets or loses its input power: it is gone and comes back, and its hosts do as they must."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from emulator.core.bmc.boot import RestartCause
from emulator.core.bmc.eventlog import LogKind
from emulator.core.bmc.machine import RestorePolicy
from emulator.core.bmc.presence import HERE, Being, Presence
from emulator.core.bmc.view import BmcView
from emulator.core.bmc.watchdog import TimerUse, WatchdogSetup
from emulator.core.clock import VirtualClock
from emulator.core.faults.board import Armed
from emulator.core.faults.trigger import ClientRequest
from emulator.core.journal import EventKind, Journal
from emulator.core.power.commands import PowerCommand
from emulator.core.power.system import Look
from emulator.core.rack import HostSpec, Rack, UnitSpec
from emulator.core.truth.host import host_off, host_on
from emulator.core.truth.virtual_hosts import VirtualHosts
from emulator.core.vocab import Rail
from emulator.faults.power import Gated
from profiles.model import BmcReset, Span, View
from tests.conftest import make_bench


def kinds(bench):
    return [entry.kind for entry in bench.view().log.entries()]


@pytest.fixture
def slow_starter(profile):
    """A BMC that answers "full" for ten seconds after its outage; the view, the clock and the rack."""
    rules = BmcReset(
        reset_types=(),
        reply="ok",
        grace_s=Span(2, 2),
        outage_s=Span(20, 20),
        after={"reply": "full", "for_s": Span(10, 10), "reset": ["On"]},
    )
    clock = VirtualClock()
    rack = Rack(
        [UnitSpec(name="node1", profile=replace(profile, bmc_reset=rules))],
        clock=clock,
        journal=Journal(clock),
        dice=random.Random(0),
        make_token=str,
    )
    rack.hold("node1", "1", VirtualHosts(rack))
    return BmcView(rack, "node1"), clock, rack


def test_a_reset_bmc_is_deaf_then_not_ready_then_itself(slow_starter):
    view, clock, _ = slow_starter
    assert view.presence() == HERE
    view.reset_bmc("GracefulRestart")
    assert view.presence() == Presence(Being.HERE, 2.0)
    clock.advance(2)
    assert view.presence() == Presence(Being.DEAF, 20.0)
    clock.advance(20)
    assert view.presence() == Presence(Being.NOT_READY, 10.0, "full", ("On",))
    clock.advance(10)
    assert view.presence() == HERE
    assert [entry.kind for entry in view.log.entries()] == [LogKind.BMC_RESET, LogKind.BMC_READY]


def test_without_a_reply_of_its_own_it_is_itself_at_once(bench):
    view = bench.view()
    view.reset_bmc("cold")
    bench.advance(5.9)
    assert view.presence().being is Being.DEAF
    bench.advance(0.1)
    assert view.presence() == HERE


def test_a_reset_moves_no_rail_ends_sessions_and_lets_effects_go_on(bench):
    view = bench.view()
    session = view.open_session(view.account("root"))
    view.command("1", PowerCommand.redfish("ForceOff"), None)
    view.reset_bmc("ForceRestart", cause=1)
    bench.advance(1)
    assert (bench.host(), view.generation) == (host_on(), 2)
    assert view.use_session(session.token) is None
    bench.advance(3)
    assert bench.host().rail is Rail.DOWN
    assert kinds(bench) == [LogKind.BMC_RESET], "a BMC that is away notices nothing"
    bench.advance(2)
    assert kinds(bench) == [LogKind.BMC_RESET, LogKind.BMC_READY]
    reset, down, up = bench.events(EventKind.BMC)
    assert [event.data["what"] for event in (reset, down, up)] == ["reset", "down", "up"]
    assert (reset.cause, down.cause, up.cause) == (1, reset.seq, down.seq)
    assert [event.t for event in (reset, down, up)] == [0, 1, 6]


def test_until_it_goes_a_reset_bmc_is_as_it_was(bench):
    view = bench.view()
    session = view.open_session(view.account("root"))
    view.reset_bmc("cold")
    bench.advance(0.9)
    assert (view.presence().being, view.generation, kinds(bench)) == (Being.HERE, 1, [])
    assert view.use_session(session.token) is not None
    assert view.close_session(session.id)
    view.command("1", PowerCommand.redfish("ForceOff"), None)
    bench.advance(0)
    assert bench.events(EventKind.COMMAND)


@pytest.mark.parametrize(("after", "left"), [(0.5, Presence(Being.HERE, 0.5)), (4, Presence(Being.DEAF, 2.0))])
def test_a_second_reset_while_it_is_going_or_away_changes_nothing(bench, after, left):
    view = bench.view()
    view.reset_bmc("cold")
    bench.advance(after)
    view.reset_bmc("cold")
    assert view.presence() == left
    bench.advance(6)
    assert (view.presence(), view.generation) == (HERE, 2)


def test_a_second_reset_while_it_is_not_ready_lets_it_go_again(slow_starter):
    view, clock, _ = slow_starter
    view.reset_bmc("cold")
    clock.advance(24)
    assert view.presence() == Presence(Being.NOT_READY, 8.0, "full", ("On",))
    view.reset_bmc("cold")
    assert view.presence() == Presence(Being.NOT_READY, 2.0, "full", ("On",))
    clock.advance(2)
    assert view.presence() == Presence(Being.DEAF, 20.0)


def test_without_grace_it_is_gone_at_once(profile):
    rules = replace(profile.bmc_reset, grace_s=Span(0, 0))
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, bmc_reset=rules)))
    bench.view().reset_bmc("cold")
    assert bench.view().presence() == Presence(Being.DEAF, 5.0)


def test_input_power_that_fails_while_it_is_going_takes_it_at_once(bench):
    view = bench.view()
    view.reset_bmc("cold")
    bench.rack.mains_lost("node1")
    bench.advance(2)
    assert view.presence() == Presence(Being.DEAF), "the reset has come to nothing"
    bench.rack.mains_back("node1")
    bench.advance(5)
    assert (view.presence(), kinds(bench)[0]) == (HERE, LogKind.MAINS_LOST)
    assert [event.data["what"] for event in bench.events(EventKind.BMC)] == ["reset", "mains lost", "mains back", "up"]


def test_a_reset_stops_the_watchdog(bench):
    view = bench.view()
    view.watchdog.set(WatchdogSetup(use=TimerUse.SMS_OS, countdown_s=3))
    view.watchdog.reset()
    view.reset_bmc("cold")
    bench.advance(10)
    assert not view.watchdog.state().expired


@pytest.mark.parametrize(
    ("policy", "was_on", "rail", "cause"),
    [
        (RestorePolicy.ALWAYS_OFF, True, Rail.DOWN, RestartCause.UNKNOWN),
        (RestorePolicy.PREVIOUS, True, Rail.UP, RestartCause.POLICY_PREVIOUS),
        (RestorePolicy.PREVIOUS, False, Rail.DOWN, RestartCause.UNKNOWN),
        (RestorePolicy.ALWAYS_ON, False, Rail.UP, RestartCause.POLICY_ALWAYS_ON),
    ],
)
def test_after_a_loss_of_input_power_the_restore_policy_decides(bench_of, policy, was_on, rail, cause):
    bench = bench_of(HostSpec(power="on" if was_on else "off"))
    view = bench.view()
    view.chassis.set_restore_policy(policy)
    assert view.chassis.restore_policy() is policy
    bench.rack.mains_lost("node1")
    bench.rack.mains_lost("node1")
    assert bench.host().rail is Rail.DOWN
    assert view.chassis.mains_failed() is was_on
    bench.advance(1000)
    assert view.presence() == Presence(Being.DEAF), "nobody knows when the power returns"
    bench.rack.mains_back("node1")
    bench.rack.mains_back("node1")
    assert view.presence() == Presence(Being.DEAF, 5.0)
    assert bench.host().rail is Rail.DOWN, "the BMC is first"
    bench.advance(5)
    assert (view.presence(), bench.host().rail, view.chassis.powered_by()) == (HERE, rail, cause)
    assert kinds(bench)[:3] == [LogKind.MAINS_LOST, LogKind.MAINS_BACK, LogKind.BMC_READY]
    assert len(bench.events(EventKind.BMC)) == 3


def test_a_loss_of_input_power_ends_what_was_under_way(bench):
    view = bench.view()
    bench.rack.arm("node1", Armed(fault=Gated(3)))
    view.command("1", PowerCommand.redfish("PowerCycle"), None)
    view.reset_bmc("cold")
    bench.advance(1)
    bench.rack.mains_lost("node1")
    view.chassis.set_restore_policy(RestorePolicy.ALWAYS_OFF)
    bench.rack.mains_back("node1")
    look = ClientRequest(protocol="redfish", method="GET", path="/", system="1")
    for _ in range(3):
        view.power("1", View.SYSTEM, look)
    bench.advance(100)
    assert bench.host() == replace(host_off(), incarnation=2)
    assert [event.data["what"] for event in bench.events(EventKind.BMC)] == ["reset", "down", "mains lost", "mains back", "up"]


@pytest.mark.parametrize(
    ("policy", "was_on", "comes_on"),
    [
        (RestorePolicy.ALWAYS_ON, False, True),
        (RestorePolicy.ALWAYS_OFF, True, False),
        (RestorePolicy.PREVIOUS, True, True),
        (RestorePolicy.PREVIOUS, False, False),
    ],
)
def test_behind_a_gate_power_returns_with_a_read_of_the_power_state(bench_of, policy, was_on, comes_on):
    bench = bench_of(HostSpec(power="on" if was_on else "off"))
    view = bench.view()
    view.chassis.set_restore_policy(policy)
    bench.rack.mains_lost("node1")
    bench.rack.mains_back_at_once("node1", 2)
    bench.rack.mains_back_at_once("node1", 2)
    assert view.presence() == HERE
    seen = []
    for _ in range(3):
        view.told([Look("1", "system", "Off")], None)
        bench.advance(1)
        seen.append(bench.host().rail)
    assert seen == [Rail.DOWN, *([Rail.UP if comes_on else Rail.DOWN] * 2)]


@pytest.mark.parametrize(
    ("policy", "follows", "expected"),
    [
        (RestorePolicy.ALWAYS_ON, True, Rail.UP),
        (RestorePolicy.ALWAYS_ON, False, Rail.DOWN),
        (RestorePolicy.PREVIOUS, True, Rail.DOWN),
    ],
)
def test_a_bmc_that_restarts_may_switch_on_what_its_policy_wants_on(profile, policy, follows, expected):
    """Some vendors take a restart of the BMC for a return of the input power: a fenced host comes back."""
    rules = replace(profile.bmc_reset, restore_policy=follows)
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, bmc_reset=rules), hosts=(HostSpec(power="off"),)))
    bench.view().chassis.set_restore_policy(policy)
    bench.view().reset_bmc("cold")
    bench.advance(60)
    assert bench.host().rail is expected
