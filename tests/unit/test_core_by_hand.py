"""What a person does at the machine itself: the rail moves at once, and what the BMC says follows as its profile does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from emulator.core.errors import ActionRefused, NoSuchSystem
from emulator.core.faults.board import Armed
from emulator.core.journal import EventKind
from emulator.core.power.by_hand import PowerAction, steps_from_rail
from emulator.core.power.commands import PowerCommand
from emulator.core.rack import HostSpec, UnitSpec
from emulator.core.truth.host import News
from emulator.core.vocab import Os, Rail, ResetType
from emulator.faults.registry import make_fault
from profiles.model import EffectStep, HostEvent, Profile, Span, View
from tests.conftest import Bench, make_bench

ALL_OFF = dict.fromkeys(View, "Off")


def lagging(profile: Profile) -> Profile:
    """ForceOff: a word in between at once, the rail after 2 s, all views 3 s behind it."""
    outcome = profile.power.table["On"]["ForceOff"].outcome
    effect = profile.power.outcomes[outcome].effect
    steps = (
        EffectStep(at=Span(0, 0), says={View.SYSTEM: "PoweringOff"}),
        EffectStep(at=Span(2, 2), real="Off", says={View.CHASSIS: "Off"}),
        EffectStep(at=Span(5, 5), says=ALL_OFF),
    )
    return replace(profile, power=replace(profile.power, effects={**profile.power.effects, effect: steps}))


def do(bench: Bench, action: PowerAction, system: str = "1") -> None:
    bench.rack.by_hand("node1", system, action)


def says(bench: Bench) -> dict[View, str | None]:
    return dict(bench.rack.unit("node1").first().says)


def test_off_moves_the_rail_at_once_and_the_views_as_late_behind_it_as_in_the_profile(profile: Profile) -> None:
    bench = make_bench(UnitSpec(name="node1", profile=lagging(profile)))
    do(bench, PowerAction.OFF)
    assert bench.host().rail is Rail.DOWN
    assert says(bench) == {View.SYSTEM: "PoweringOff", View.CHASSIS: "Off", View.IPMI: "On"}
    bench.advance(2.9)
    assert says(bench)[View.IPMI] == "On"
    bench.advance(0.2)
    assert says(bench) == ALL_OFF


def test_a_profile_without_the_command_changes_all_views_with_the_rail(profile: Profile) -> None:
    rules = replace(profile.power, table={**profile.power.table, "On": {}}, unlisted_type=profile.power.unlisted_type)
    (step,) = steps_from_rail(rules, "Off")
    assert (step.real, dict(step.says), step.at) == ("Off", ALL_OFF, Span(0, 0))
    (step,) = steps_from_rail(replace(rules, table={"Off": {}}), "On")
    assert step.real == "On"


def test_polite_requests_in_the_effect_are_not_made(profile: Profile) -> None:
    outcome = profile.power.table["On"]["ForceOff"].outcome
    effect = profile.power.outcomes[outcome].effect
    steps = (EffectStep(at=Span(0, 0), event=HostEvent.OS_SHUTDOWN), EffectStep(at=Span(1, 1), real="Off"))
    rules = replace(profile.power, effects={**profile.power.effects, effect: steps})
    assert [step.event for step in steps_from_rail(rules, "Off")] == [None]


def test_no_power_fault_and_no_gate_has_a_say(bench: Bench) -> None:
    bench.rack.arm("node1", Armed(fault=make_fault("power.gate", gate=3)))
    bench.view().command("1", PowerCommand.redfish(ResetType.FORCE_OFF), None)
    assert bench.host().rail is Rail.UP
    do(bench, PowerAction.OFF)
    assert bench.host().rail is Rail.DOWN
    do(bench, PowerAction.ON)
    bench.advance(60)
    assert bench.host().rail is Rail.UP, "what the gate held back was dropped"


def test_what_is_so_already_changes_nothing(bench: Bench) -> None:
    before = len(bench.rack.journal)
    do(bench, PowerAction.ON)
    assert len(bench.rack.journal) == before
    do(bench, PowerAction.OFF)
    bench.advance(60)
    after = len(bench.rack.journal)
    do(bench, PowerAction.OFF)
    assert len(bench.rack.journal) == after


def test_the_button_asks_a_host_that_is_on_and_switches_on_one_that_is_off(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of()
    do(bench, PowerAction.PRESS)
    assert bench.host().rail is Rail.UP
    bench.advance(3600)
    assert bench.host().rail is Rail.DOWN
    do(bench, PowerAction.PRESS)
    assert bench.host().rail is Rail.UP


def test_a_hung_host_ignores_the_button(bench_of: Callable[..., Bench]) -> None:
    bench = bench_of(HostSpec(hung=True))
    do(bench, PowerAction.PRESS)
    bench.advance(3600)
    assert (bench.host().rail, bench.host().os) == (Rail.UP, Os.HUNG)


def test_an_operating_system_crashes_and_boots_again(bench: Bench) -> None:
    do(bench, PowerAction.CRASH)
    assert (bench.host().rail, bench.host().os) == (Rail.UP, Os.STOPPED)
    incarnation = bench.host().incarnation
    do(bench, PowerAction.BOOT)
    assert (bench.host().rail, bench.host().os) == (Rail.UP, Os.RUNNING)
    do(bench, PowerAction.BOOT)
    assert bench.host().incarnation > incarnation, "a running one is lost"


@pytest.mark.parametrize("action", [PowerAction.CRASH, PowerAction.BOOT])
def test_a_host_without_power_neither_crashes_nor_boots(bench_of: Callable[..., Bench], action: PowerAction) -> None:
    bench = bench_of(HostSpec(power="off"))
    before = len(bench.rack.journal)
    with pytest.raises(ActionRefused):
        do(bench, action)
    assert (len(bench.rack.journal), bench.host().rail) == (before, Rail.DOWN)


def test_a_stopped_system_does_not_crash_again(bench: Bench) -> None:
    do(bench, PowerAction.CRASH)
    with pytest.raises(ActionRefused, match="no operating system runs"):
        do(bench, PowerAction.CRASH)


@pytest.mark.parametrize("action", [PowerAction.ON, PowerAction.PRESS])
def test_without_input_power_nothing_switches_on(bench: Bench, action: PowerAction) -> None:
    bench.rack.mains_lost("node1")
    with pytest.raises(ActionRefused, match="plug it in first"):
        do(bench, action)
    do(bench, PowerAction.OFF)
    assert bench.host().rail is Rail.DOWN


def test_a_host_out_of_sight_can_be_asked_and_switched(bench: Bench) -> None:
    bench.rack.news("node1", "1", News.OUT_OF_SIGHT)
    do(bench, PowerAction.PRESS)
    assert bench.host().rail is Rail.UNKNOWN
    do(bench, PowerAction.OFF)
    assert bench.host().rail is Rail.DOWN


def test_the_journal_says_who_it_was(bench: Bench) -> None:
    do(bench, PowerAction.OFF)
    (event,) = bench.events(EventKind.INCIDENT)
    assert (event.data["what"], event.data["by"], event.cause) == ("off", "hand", None)
    (fall,) = [each for each in bench.events(EventKind.RAIL) if each.data["rail"] == "down"]
    assert fall.cause == event.seq
    with pytest.raises(NoSuchSystem):
        do(bench, PowerAction.OFF, "9")


@pytest.mark.parametrize(("at_most", "back_after"), [(None, 40.0), (3.0, 3.0), (90.0, 40.0)])
def test_plugged_in_a_bmc_is_back_after_its_own_time_or_sooner(
    profile: Profile, at_most: float | None, back_after: float
) -> None:
    rules = replace(profile.bmc_reset, outage_s=Span(40, 40), after=None)
    bench = make_bench(UnitSpec(name="node1", profile=replace(profile, bmc_reset=rules)))
    bench.rack.mains_back("node1", at_most)  # it has power: nothing happens
    bench.rack.mains_lost("node1")
    bench.rack.mains_back("node1", at_most)
    bench.advance(back_after - 0.1)
    assert (bench.view().presence().being.value, bench.host().rail) == ("deaf", Rail.DOWN)
    bench.advance(0.2)
    assert (bench.view().presence().being.value, bench.host().rail) == ("here", Rail.UP)


def test_pages_of_the_journal(bench: Bench) -> None:
    journal = bench.rack.journal
    for n in range(20):
        journal.record("node1", EventKind.MANAGER, n=n)
    assert journal.last_seq == len(journal)
    assert [event.seq for event in journal.after(0, 3)] == [1, 2, 3]
    assert [event.seq for event in journal.after(journal.last_seq - 1, 9)] == [journal.last_seq]
    assert journal.after(journal.last_seq, 9) == ()


def test_faults_of_all_bmcs_are_listed_without_a_look_at_the_others(profile: Profile) -> None:
    bench = make_bench(*(UnitSpec(name=f"node{n}", profile=profile) for n in range(1, 4)))
    for name in ("node3", "node1", "node3"):
        bench.rack.arm(name, Armed(fault=make_fault("power.ignore")))
    assert [(each.id, each.bmc) for each in bench.rack.faults.all_statuses()] == [
        ("f1", "node3"),
        ("f3", "node3"),
        ("f2", "node1"),
    ]
    bench.rack.faults.disarm("f2")
    assert {each.bmc for each in bench.rack.faults.all_statuses()} == {"node3"}


def test_a_machine_is_not_made_by_a_question(bench: Bench) -> None:
    system = bench.rack.unit("node1").first()
    assert system.machine_if_made is None
    assert system.machine is system.machine_if_made


def test_changes_that_are_due_at_once_happen_one_after_the_other(profile: Profile) -> None:
    """A listener that looks at the time in the middle of a change lets nothing else begin: the last word is the last change's."""
    bench = make_bench(UnitSpec(name="node1", profile=profile))
    bench.rack.on_log(lambda unit, entry: bench.rack.advance())
    bench.rack.arm("node1", Armed(fault=make_fault("power.bounce", seconds=5.0)))
    bench.view().command("1", PowerCommand.redfish(ResetType.FORCE_OFF), None)
    bench.clock.advance(3600)
    bench.rack.advance()
    assert bench.host().rail is Rail.UP
    assert set(says(bench).values()) == {"On"}


def test_what_a_fault_held_back_happens_when_it_is_taken_away(bench: Bench) -> None:
    for fault in (make_fault("power.hold"), make_fault("power.gate", gate=50)):
        do(bench, PowerAction.ON)
        fault_id = bench.rack.arm("node1", Armed(fault=fault))
        bench.view().command("1", PowerCommand.redfish(ResetType.FORCE_OFF), None)
        bench.advance(600)
        assert bench.host().rail is Rail.UP
        bench.rack.faults.disarm(fault_id)
        bench.advance(600)
        assert bench.host().rail is Rail.DOWN
        assert bench.rack.unit("node1").first().gate is None
    assert [event.data["by"] for event in bench.events(EventKind.GATE)] == ["disarm", "disarm"]


def test_a_gate_that_has_opened_goes_with_its_fault_and_others_stay(bench: Bench) -> None:
    system = bench.rack.unit("node1").first()
    gate = bench.rack.arm("node1", Armed(fault=make_fault("power.gate", gate=1)))
    other = bench.rack.arm("node1", Armed(fault=make_fault("report.says", word="On")))
    bench.view().command("1", PowerCommand.redfish(ResetType.FORCE_OFF), None)
    bench.rack.effects.open_gate(bench.rack.unit("node1"), system)
    bench.rack.faults.disarm(other)
    assert system.gate is not None
    bench.rack.faults.disarm(gate)
    assert system.gate is None


def test_a_gate_that_somebody_has_taken_over_stays_without_its_fault(bench: Bench) -> None:
    fault_id = bench.rack.arm("node1", Armed(fault=make_fault("power.hold")))
    bench.view().command("1", PowerCommand.redfish(ResetType.FORCE_OFF), None)
    bench.rack.effects.expect_reads(bench.rack.unit("node1").first(), 2)
    bench.rack.faults.disarm(fault_id)
    bench.advance(600)
    assert bench.host().rail is Rail.UP
