"""The HA machine and what its BMC shows: device checks, pins, fresh activity against Off, overrides, a host that is On again."""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import proof
from fencer.ha.effects import AlertName
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandResult,
    DeviceChecked,
    Health,
    Hold,
    OverrideLimits,
    Pin,
    Tick,
    WithdrawManualFence,
)
from fencer.ha.policy import Policy
from fencer.ha.record import RequestKind
from fencer.outcome import Cause
from tests.ha_world import S, World, cuts_power, fencing


def test_a_bmc_is_checked_within_60_seconds_and_then_each_300() -> None:
    world = World("On", Policy())
    world.healthy = True
    world.see(Claimed())
    world.run(60)
    assert len(world.checks) == 1
    world.run(900)
    assert len(world.checks) == 4
    assert world.alerts == []


def test_a_device_that_could_not_fence_is_an_alert_once_and_its_return_too() -> None:
    world = World(Cause.UNREACHABLE, Policy())
    world.healthy = True
    world.run(700)
    assert world.alerts == ["FENCING_UNAVAILABLE"]
    world.word = "On"
    world.run(310)
    assert world.alerts == ["FENCING_UNAVAILABLE", "FENCING_AVAILABLE"]


def test_a_refused_log_in_stops_checks_and_reads_for_300_seconds_also_if_another_host_met_it() -> None:
    world = World("Off", Policy())
    world.see(Tick(login_refused_at=world.now))
    begun = world.now
    world.run(400, lambda w: bool(w.checks or w.reads))
    assert world.now - begun >= 300


def test_fresh_activity_contradicts_off_and_a_sample_of_before_does_not() -> None:
    world = World("Off", Policy(recovery_attempts=0), heartbeat=True)
    world.active = True
    world.run(120)
    assert world.rec.state is not S.FENCED
    assert world.alerts.count("OFF_BUT_ACTIVE") == 1
    world.active = False
    world.to(S.FENCED, 400)


def test_a_sample_that_never_ends_delays_the_commit_by_a_bounded_time() -> None:
    world = fencing("On")
    world.rec = replace(world.rec, heartbeat=True)
    world.word, world.active = "Off", None
    assert world.to(S.FENCED, 60) <= 2 * world.policy.stable_for + 2 * world.policy.poll + world.policy.status_poll


def test_a_chassis_that_spoke_before_and_is_silent_now_is_no_consent() -> None:
    world = fencing("On")
    world.chassis = "On"
    world.hold = Hold.RATE
    world.run(10)
    world.chassis, world.word = None, "Off"
    world.run(60)
    assert world.rec.state is S.FENCING


def test_another_serial_number_than_before_is_neither_proof_nor_target_until_it_is_pinned() -> None:
    world = World("On", Policy(recovery_attempts=0))
    world.serial, world.healthy = "A1", True
    world.run(70)
    world.serial, world.word, world.healthy = "B2", "Off", False
    world.run(900)
    assert (world.rec.state is S.FENCED, world.commands) == (False, [])
    world.see(Pin(request=1, who="alice", why=" "))
    world.see(Pin(request=2, who="alice", why="new board"))
    assert [answer.ok for answer in world.answers] == [False, True]
    world.to(S.FENCED, 900)


def test_an_identity_that_is_required_and_never_shown_fences_nothing_and_names_the_knob() -> None:
    world = World("Off", Policy(recovery_attempts=0, activity_samples=1))
    world.identity_missing = True
    world.run(300)
    assert world.rec.state is S.FENCING
    assert "when-shown" in str(world.said(AlertName.FENCE_ATTEMPT_FAILED)[0]["text"])
    world.identity_missing = False
    world.to(S.FENCED, 60)


def test_a_host_of_one_machine_with_another_is_not_proved_off() -> None:
    world = fencing("Off")
    world.see(Tick(same_machine=("node2",)))
    assert world.said(AlertName.SAME_MACHINE)
    assert not proof.is_proved(world.rec, world.policy)
    assert not proof.is_stable(world.rec, world.policy)


def test_an_override_needs_a_silent_host_and_a_reason_and_ends_with_the_trouble() -> None:
    world = World("On", Policy(recovery_attempts=0, activity_samples=1))
    world.see(OverrideLimits(request=1, who="alice", why="dead"))
    world.hold = Hold.MIN_HEALTHY
    world.run(5)
    world.see(OverrideLimits(request=2, who="alice", why=""))
    world.see(OverrideLimits(request=3, who="alice", why="dead"))
    assert [answer.ok for answer in world.answers] == [False, False, True]
    world.hold, world.reply = None, cuts_power
    world.to(S.FENCED, 60)
    assert world.rec.override is None


def test_a_fenced_host_that_is_on_again_starts_no_vm_elsewhere() -> None:
    world = World("Off")
    world.to(S.FENCED)
    assert proof.may_start_vms(world.rec, world.policy, world.now)
    world.word = Cause.UNREACHABLE
    world.run(30)
    assert not proof.may_start_vms(world.rec, world.policy, world.now), "an old Off says nothing about now"
    world.word = "On"
    world.run(30)
    assert world.alerts.count("ON_AGAIN") == 1
    assert not proof.may_start_vms(world.rec, world.policy, world.now)
    world.word = "Off"
    world.run(30)
    assert proof.may_start_vms(world.rec, world.policy, world.now)


def test_a_host_that_was_never_healthy_is_not_suspected_and_somebody_says_so() -> None:
    world = World("Off", seen_healthy=False)
    world.run(300)
    assert (world.rec.state, world.alerts) == (S.AVAILABLE, ["NEVER_HEALTHY"])
    world.healthy = True
    world.run(5)
    world.healthy = False
    world.to(S.FENCED, 60)


def test_a_delay_holds_a_command_and_not_a_proof() -> None:
    world = World("On", Policy(recovery_attempts=0, activity_samples=1), delay=30.0)
    world.reply = cuts_power
    begun = world.now
    world.run(100, lambda w: bool(w.commands))
    assert world.now - begun >= 30
    off = World("Off", Policy(recovery_attempts=0), delay=300.0)
    assert off.to(S.FENCED) <= 26


def test_withdrawing_something_else_changes_nothing() -> None:
    world = fencing("On")
    before = world.rec
    world.see(WithdrawManualFence(request=7))
    assert world.rec == before


def resetting(**record: object) -> World:
    """A host that hangs with its power on, under a policy that tries one reset first."""
    return World("On", Policy(recovery_attempts=1, activity_samples=1, fast_path=False), **record)


def test_a_reset_that_was_not_sent_is_decided_again_after_a_new_read() -> None:
    world = resetting()
    world.reply = lambda w, _: (CommandResult.NOT_SENT if len(w.commands) == 1 else CommandResult.ACCEPTED, None)
    world.run(100, lambda w: len(w.commands) == 2)
    (first, _), (second, _) = world.commands
    assert [ask for _, ask in world.commands] == [RequestKind.RESET] * 2
    assert any(first < read <= second for read in world.reads)
    assert world.rec.state is S.RECOVERING


def test_a_limit_holds_a_reset_and_says_so_once() -> None:
    world = resetting()
    world.hold = Hold.MAX_FENCED
    world.to(S.RECOVERING)
    world.run(60)
    assert world.commands == []
    assert world.alerts.count("FENCE_HELD") == 1
    world.hold = None
    world.run(10, lambda w: bool(w.commands))
    assert [ask for _, ask in world.commands] == [RequestKind.RESET]


def test_a_proof_waits_for_an_activity_sample_that_has_begun_and_no_longer_than_one_more_round() -> None:
    policy = Policy(recovery_attempts=0)
    ends, endless = (World("Off", policy, heartbeat=True) for _ in range(2))
    endless.samples_end = False
    waited = endless.to(S.FENCED) - ends.to(S.FENCED)
    assert 0 < waited <= policy.stable_for + policy.poll
    assert len(endless.reads) > len(ends.reads), "reading goes on while it waits"


def test_what_answers_another_check_or_another_epoch_changes_nothing() -> None:
    world = World("On")
    world.rec = replace(world.rec, state=S.CHECKING)
    before = world.rec
    world.see(DeviceChecked(request="9.9", epoch=1, started=world.now))
    world.see(Activity(active=False, epoch=9))
    assert world.rec == before


def test_a_fenced_host_that_is_neither_off_nor_on_is_no_news() -> None:
    world = World("Off", Policy(recovery_attempts=0))
    world.to(S.FENCED)
    world.run(10)
    seen = world.rec.last_off_at
    world.word = "PoweringOff"
    world.run(30)
    assert (world.rec.last_off_at, world.rec.on_again_at) == (seen, None)
    assert "ON_AGAIN" not in world.alerts


def test_one_machine_behind_two_bmcs_that_was_put_right_is_forgotten() -> None:
    world = World("On")
    world.see(Tick(same_machine=("b",)))
    world.see(Tick())
    assert (world.rec.same_machine, world.alerts) == ((), ["SAME_MACHINE"])


def test_the_mark_of_a_storm_goes_when_its_host_was_well_for_long_enough() -> None:
    world = World("On")
    world.see(Health(passed=False))
    world.see(Tick(storm=True))
    assert world.rec.storm
    world.healthy = True
    assert world.run(200, lambda w: not w.rec.storm) >= world.policy.settle
    assert not world.rec.storm
