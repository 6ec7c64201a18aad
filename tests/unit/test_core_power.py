"""What power commands do to a host, and what the BMC says meanwhile."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emulator.core.errors import RackMisconfigured
from emulator.core.faults.board import Armed
from emulator.core.faults.fault import Seam
from emulator.core.faults.trigger import ClientRequest, When
from emulator.core.journal import EventKind
from emulator.core.power.commands import PowerCommand
from emulator.core.power.system import Look
from emulator.core.rack import HostSpec, UnitSpec
from emulator.core.truth.host import News
from emulator.core.vocab import ChassisControl, Os, Rail, ResetType
from emulator.faults.power import Gated, Ignore, Late
from emulator.faults.report import Says
from profiles.model import ABSENT, EffectStep, Span, View
from tests.conftest import make_bench

LOOK = ClientRequest(protocol="redfish", method="GET", path="/redfish/v1/Systems/1", system="1")


def look(bench, view=View.SYSTEM):
    """A client asks and is told."""
    word = bench.view().power("1", view, LOOK)
    bench.view().told([Look("1", view, word)], None)
    return word


def reset(bench, word):
    return bench.view().command("1", PowerCommand.redfish(word), None)


def test_force_off_cuts_the_rail_after_the_profiles_delay(bench):
    assert reset(bench, "ForceOff").reply == "ok"
    bench.advance(3.9)
    assert bench.host().rail is Rail.UP
    bench.advance(0.2)
    assert (bench.host().rail, bench.host().os, bench.host().incarnation) == (Rail.DOWN, Os.STOPPED, 2)


def test_an_eager_bmc_says_off_while_the_rail_is_still_up(bench):
    reset(bench, "ForceOff")
    assert (look(bench), look(bench, View.CHASSIS), bench.host().rail) == ("Off", "On", Rail.UP)
    bench.advance(5)
    assert look(bench, View.CHASSIS) == "Off"


def test_a_hung_os_keeps_the_rail_up_after_a_graceful_shutdown(bench_of):
    bench = bench_of(HostSpec(hung=True))
    reset(bench, "GracefulShutdown")
    bench.advance(3600)
    assert bench.host().rail is Rail.UP
    assert bench.host().writes


def test_a_healthy_os_goes_down_in_its_own_time_and_then_the_rail_falls(bench):
    reset(bench, "GracefulShutdown")
    bench.advance(20.5)
    assert (bench.host().rail, bench.host().os) == (Rail.UP, Os.STOPPED)
    assert look(bench) == "On"
    bench.advance(1)
    assert bench.host().rail is Rail.DOWN
    assert look(bench) == "Off"


def test_a_host_that_hangs_after_the_request_never_goes_down(bench):
    reset(bench, "GracefulShutdown")
    bench.advance(1)
    bench.rack.news("node1", "1", News.OS_HUNG)
    bench.advance(3600)
    assert bench.host().rail is Rail.UP


def test_a_refusal_changes_nothing(bench_of):
    bench = bench_of(HostSpec(power="off"))
    answer = reset(bench, "ForceOff")
    assert (answer.reply, answer.effect) == ("conflict", "none")
    bench.advance(60)
    assert bench.host() == bench_of(HostSpec(power="off")).host()


def test_a_type_that_the_profile_does_not_list_is_its_unlisted_type(bench):
    assert reset(bench, "Levitate").reply == "bad"
    assert reset(bench, "PushPowerButton").reply == "bad"


def test_a_listed_type_without_a_cell_is_its_unlisted_type_too(bench_of):
    assert reset(bench_of(HostSpec(power="off")), "Nmi").reply == "bad"


def test_an_assumed_cell_says_so_in_the_journal(bench):
    assert reset(bench, "Nmi").assumed
    assert bench.events(EventKind.COMMAND)[0].data["assumed"] is True


def test_a_crash_stops_the_os_and_leaves_the_rail(bench):
    reset(bench, "Nmi")
    assert (bench.host().rail, bench.host().os, bench.host().incarnation) == (Rail.UP, Os.STOPPED, 2)


def test_a_hard_restart_ends_the_old_run_without_a_rail_edge(bench_of):
    bench = bench_of(HostSpec(hung=True))
    reset(bench, "ForceRestart")
    bench.advance(2)
    assert (bench.host().rail, bench.host().os, bench.host().incarnation) == (Rail.UP, Os.RUNNING, 2)


def test_a_polite_restart_boots_again_when_the_os_is_healthy(bench):
    reset(bench, "GracefulRestart")
    bench.advance(21)
    assert (bench.host().os, bench.host().incarnation) == (Os.RUNNING, 2)


def test_a_cycle_goes_down_and_comes_back(bench):
    reset(bench, "PowerCycle")
    bench.advance(3)
    assert bench.host().rail is Rail.DOWN
    bench.advance(10)
    assert (bench.host().rail, look(bench)) == (Rail.UP, "On")


def test_the_same_command_again_does_not_start_the_clock_anew(bench):
    reset(bench, "ForceOff")
    bench.advance(3)
    reset(bench, "ForceOff")
    bench.advance(1.1)
    assert bench.host().rail is Rail.DOWN


def test_another_command_takes_over_from_one_in_flight(bench):
    reset(bench, "PowerCycle")
    bench.advance(1)
    reset(bench, "ForceOff")
    bench.advance(60)
    assert bench.host().rail is Rail.DOWN


def test_on_right_after_off_is_refused_for_as_long_as_the_profile_says(bench):
    reset(bench, "ForceOff")
    bench.advance(5)
    assert reset(bench, "On").reply == "conflict"
    bench.advance(30)
    assert reset(bench, "On").reply == "ok"
    bench.advance(4)
    assert bench.host().rail is Rail.UP


@pytest.mark.parametrize(
    ("control", "code"),
    [(ChassisControl.DOWN, 0xD5), (ChassisControl.CYCLE, 0xD5), (ChassisControl.UP, 0x00), (ChassisControl.SOFT, 0xCC)],
)
def test_ipmi_answers_come_from_the_profiles_row(bench_of, control, code):
    assert bench_of(HostSpec(power="off")).view().command("1", PowerCommand.ipmi(control), None).code == code


def test_a_change_through_ipmi_is_seen_through_redfish(bench):
    assert bench.view().command("1", PowerCommand.ipmi(ChassisControl.DOWN), None).code == 0
    bench.advance(5)
    assert look(bench) == "Off"
    assert bench.view().last_power_event() == "Off"


def test_a_power_loss_is_reported_without_any_command(bench):
    bench.rack.cut("node1", "1")
    assert (bench.host().rail, look(bench)) == (Rail.DOWN, "Off")
    assert not bench.events(EventKind.COMMAND)


# -- faults and gates ---------------------------------------------------------------------------------------------------


def test_an_ignored_command_is_answered_and_has_no_effect(bench):
    bench.rack.arm("node1", Armed(fault=Ignore(), when=When(reset=(ResetType.FORCE_OFF,))))
    assert reset(bench, "ForceOff").reply == "ok"
    bench.advance(3600)
    assert bench.host().rail is Rail.UP
    assert [e.data["fault"] for e in bench.events(EventKind.FAULT)] == ["power.ignore"]


def test_a_late_effect_is_late_by_that_much(bench):
    bench.rack.arm("node1", Armed(fault=Late(seconds=100)))
    reset(bench, "ForceOff")
    bench.advance(103)
    assert bench.host().rail is Rail.UP
    bench.advance(2)
    assert bench.host().rail is Rail.DOWN


def test_a_gate_opens_after_the_nth_look_and_that_look_still_sees_the_old_state(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=2)))
    look(bench)
    reset(bench, "PowerCycle")
    assert [look(bench), look(bench)] == ["On", "On"]
    assert (bench.host().rail, look(bench)) == (Rail.DOWN, "Off")
    bench.advance(10.5)
    assert bench.host().rail is Rail.UP, "the later steps keep their distance to the first"


def test_a_gate_waits_no_longer_than_ten_seconds_after_the_second_look(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=15)))
    reset(bench, "ForceOff")
    look(bench)
    bench.advance(60)
    assert bench.host().rail is Rail.UP, "one look is not enough"
    look(bench)
    bench.advance(9.9)
    assert bench.host().rail is Rail.UP
    bench.advance(0.2)
    assert bench.host().rail is Rail.DOWN
    assert len(bench.events(EventKind.GATE)) == 1


def test_a_gate_waits_no_longer_than_it_was_limited_to_and_never_opens_before_the_second_look(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=15)))
    bench.rack.effects.gates_open_by = bench.rack.clock.now() + 5
    reset(bench, "ForceOff")
    look(bench)
    bench.advance(3)
    look(bench)
    bench.advance(1.9)
    assert bench.host().rail is Rail.UP
    bench.advance(0.2)
    assert bench.host().rail is Rail.DOWN
    assert [event.data["by"] for event in bench.events(EventKind.GATE)] == ["time"]


def test_a_gate_whose_limit_has_passed_opens_with_the_second_look(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=15)))
    bench.rack.effects.gates_open_by = bench.rack.clock.now() + 5
    bench.advance(6)
    reset(bench, "ForceOff")
    look(bench)
    bench.advance(60)
    assert bench.host().rail is Rail.UP
    look(bench)
    bench.advance(0.1)
    assert bench.host().rail is Rail.DOWN


def test_a_gate_that_has_opened_by_looks_does_not_open_again_by_time(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=3)))
    reset(bench, "ForceOff")
    for _ in range(4):
        look(bench)
    bench.advance(20)
    assert len(bench.events(EventKind.GATE)) == 1


def test_a_fencer_that_never_looks_never_opens_the_gate(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=1)))
    reset(bench, "ForceOff")
    bench.advance(3600)
    assert bench.host().rail is Rail.UP


def test_a_gate_lets_what_is_only_said_through_at_once(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=3)))
    reset(bench, "ForceOff")
    assert look(bench) == "Off"
    assert bench.host().rail is Rail.UP


def test_an_open_gate_holds_no_later_command(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=1)))
    reset(bench, "ForceOff")
    look(bench)
    assert bench.host().rail is Rail.DOWN
    bench.advance(60)
    reset(bench, "On")
    bench.advance(4)
    assert bench.host().rail is Rail.UP


def test_a_polite_request_behind_a_gate_reaches_the_os_when_it_opens(bench_of):
    bench = bench_of(HostSpec(), os_shutdown_s=0)
    bench.rack.arm("node1", Armed(fault=Gated(gate=1)))
    reset(bench, "GracefulShutdown")
    assert bench.host().os is Os.RUNNING
    look(bench)
    assert bench.host().os is Os.STOPPED
    bench.advance(1.1)
    assert bench.host().rail is Rail.DOWN


@pytest.mark.parametrize("word", ["PoweringOff", None, ABSENT])
def test_a_lie_changes_what_one_view_says_and_nothing_else(bench, word):
    bench.rack.arm("node1", Armed(fault=Says(word, views=(View.SYSTEM,))))
    assert (look(bench), look(bench, View.IPMI), bench.host().rail) == (word, "On", Rail.UP)


def test_a_report_fault_counts_only_looks_at_its_own_view(bench):
    bench.rack.arm("node1", Armed(fault=Says("Off", views=(View.IPMI,)), count=1))
    assert look(bench) == "On"
    assert [look(bench, View.IPMI), look(bench, View.IPMI)] == ["Off", "On"]


def test_a_fault_that_had_to_fire_and_did_not_is_told(bench):
    bench.rack.arm("node1", Armed(fault=Ignore()))
    bench.rack.arm("node1", Armed(fault=Gated(), must_fire=False))
    assert [armed.fault for armed in bench.rack.unit("node1").faults.unfired()] == [Ignore()]
    reset(bench, "ForceOff")
    assert not bench.rack.unit("node1").faults.unfired()


def test_an_os_that_stops_by_itself_takes_the_machine_down_as_the_profile_says(bench):
    bench.rack.news("node1", "1", News.OS_WENT_DOWN)
    bench.advance(1.1)
    assert bench.host().rail is Rail.DOWN


def test_the_gates_time_out_after_it_has_opened_by_looks_does_nothing(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=3)))
    reset(bench, "ForceOff")
    for _ in range(3):
        look(bench)
    rails = len(bench.events(EventKind.RAIL))
    bench.advance(11)
    assert len(bench.events(EventKind.RAIL)) == rails


def test_a_command_without_effect_behind_a_gate_opens_it_for_nothing(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=1)))
    bench.rack.arm("node1", Armed(fault=Ignore()))
    reset(bench, "ForceOff")
    look(bench)
    bench.advance(60)
    assert bench.host().rail is Rail.UP


def test_a_slow_machine_is_slow_in_every_step_so_steps_never_overtake_one_another(profile):
    off_then_on = (
        EffectStep(at=Span(4, 15), real="Off", says={View.SYSTEM: "Off"}),
        EffectStep(at=Span(9, 20), real="On", says={View.SYSTEM: "On"}),
    )
    power = replace(profile.power, effects={**profile.power.effects, "cycle": off_then_on})
    for seed in range(30):
        bench = make_bench(UnitSpec(name="node1", profile=replace(profile, power=power)), seed=seed)
        reset(bench, "PowerCycle")
        bench.advance(60)
        assert [event.data["rail"] for event in bench.events(EventKind.RAIL)] == ["up", "down", "up"]


class Shapeless:
    name = "theirs.shapeless"
    seam = Seam.POWER


class Mute(Shapeless):
    seam = Seam.REPORT


@pytest.mark.parametrize("fault", [Shapeless(), Mute()])
def test_a_fault_that_lacks_what_its_seam_asks_for_is_refused_when_it_is_armed(bench, fault):
    with pytest.raises(RackMisconfigured, match=f"theirs.shapeless is no fault of the seam {fault.seam}"):
        bench.rack.arm("node1", Armed(fault=fault))


@pytest.mark.parametrize("word", ["ForceRestart", "GracefulShutdown", "GracefulRestart", "Nmi"])
def test_a_cut_under_way_is_not_called_back_by_a_command_that_leaves_the_rail_alone(bench, word):
    reset(bench, "ForceOff")
    bench.advance(1)
    reset(bench, word)
    bench.advance(60)
    assert (bench.host().rail, look(bench)) == (Rail.DOWN, "Off")


def test_a_cut_behind_a_gate_is_not_called_back_either(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=1)))
    reset(bench, "ForceOff")
    reset(bench, "ForceRestart")
    look(bench)
    bench.advance(60)
    assert bench.host().rail is Rail.DOWN


def test_an_open_gate_is_forgotten_and_a_closed_one_can_be_opened_without_a_look(bench):
    bench.rack.arm("node1", Armed(fault=Gated(gate=9)))
    unit = bench.rack.unit("node1")
    system, effects = unit.first(), bench.rack.effects
    effects.open_gate(unit, system)
    reset(bench, "ForceOff")
    effects.forget_open_gate(system)
    assert system.gate is not None, "a closed gate holds something"
    effects.open_gate(unit, system)
    effects.open_gate(unit, system)
    assert [(event.data["after_reads"], event.data["by"]) for event in bench.events(EventKind.GATE)] == [(0, "request")]
    assert bench.host().rail is Rail.DOWN
    effects.forget_open_gate(system)
    assert system.gate is None
