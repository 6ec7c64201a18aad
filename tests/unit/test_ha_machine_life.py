"""The HA machine around a fence: brakes and back-off, a host that comes back, recovery by reset."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.ha import fence
from fencer.ha.effects import CallBmc, Release, StopReleasedVms
from fencer.ha.observations import (
    Claimed,
    CommandReply,
    CommandResult,
    Enable,
    Hold,
    PowerRead,
    Tick,
)
from fencer.ha.policy import Policy, Reenable
from fencer.ha.record import FencePhase, RequestKind
from fencer.outcome import Cause, Failure, Power, Reading
from tests.ha_world import (
    S,
    World,
    cuts_power,
    fencing,
)

# -- brakes, back-off, reading


def test_the_brake_holds_commands_and_says_so_once_and_hosts_that_are_off_still_become_down() -> None:
    world = fencing("On")
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.TOO_MANY_LOST
    world.to(S.FENCING)
    world.run(2000)
    assert (world.off_commands, world.alerts.count("FENCE_HELD")) == (0, 1)
    world.word = "Off"
    world.to(S.FENCED, 30)


def test_other_holds_are_silent() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.JUST_STARTED
    world.to(S.FENCING)
    world.run(60)
    assert (world.off_commands, world.alerts.count("FENCE_HELD")) == (0, 0)


def test_back_off_doubles_to_its_cap_within_the_jitter() -> None:
    policy = Policy()
    waits = [fence.back_off(policy, "x", n) for n in range(1, 12)]
    for wait, middle in zip(waits, [4, 8, 16, 32, 60, 60, 60, 60, 60, 60, 60], strict=True):
        assert middle * 0.8 <= wait <= middle * 1.2
    assert fence.back_off(replace(policy, max_attempts=1), "x", 1) >= 48


def test_no_request_starts_under_a_lease_that_may_end_before_it() -> None:
    world = fencing("On")
    world.rec = replace(world.rec, lease_until=world.now + 11, inflight=None)
    assert world.see(Tick()) == ()


def test_late_and_foreign_answers_change_nothing() -> None:
    world = fencing("On")
    world.silent = True
    world.run(8)
    request = world.rec.inflight
    assert request is not None
    before = world.rec
    reading = Reading(power=Power.OFF, word="Off", at=world.now, path="redfish")
    world.see(PowerRead(request="0.99", epoch=1, started=world.now, reading=reading))
    world.see(PowerRead(request=request.id, epoch=0, started=world.now, reading=reading))
    world.see(CommandReply(request="0.99", epoch=1, result=CommandResult.ACCEPTED))
    world.see(CommandReply(request=request.id, epoch=0, result=CommandResult.ACCEPTED))
    assert world.rec == before


def test_one_bmc_operation_at_a_time() -> None:
    world = fencing("On")
    world.silent = True
    world.rec = replace(world.rec, inflight=None)
    world.effects.clear()
    world.run(100)
    assert sum(isinstance(e, CallBmc) for e in world.effects) == 1


def test_a_new_owner_reads_first_and_old_evidence_is_history() -> None:
    world = fencing("Off")
    world.run(2)
    world.rec = replace(world.rec, epoch=2)
    world.see(Claimed())
    assert world.rec.off_run is None
    assert world.rec.fence is not None
    assert world.rec.fence.phase is FencePhase.STATUS_FIRST
    assert world.to(S.FENCED) <= 12


# -- the host comes back


def test_a_host_that_is_healthy_before_any_command_goes_back_to_available() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.JUST_STARTED
    world.to(S.FENCING)
    world.healthy = True
    world.to(S.AVAILABLE, 4 * 5)
    assert world.alerts[-1] == "FENCE_ABORTED"
    assert world.commands == []


def test_after_a_command_the_fence_goes_on_although_the_host_answers() -> None:
    world = fencing("On")
    world.run(10, lambda w: w.off_commands > 0)
    world.healthy = True
    world.run(60)
    assert world.rec.state is S.FENCING


def test_a_health_check_that_passes_contradicts_off() -> None:
    world = fencing("Off")
    world.rec = replace(world.rec, fence=replace(world.rec.fence, command_sent=True)) if world.rec.fence else world.rec
    world.healthy, world.policy = True, replace(world.policy, poll=2.0)
    world.run(60)
    assert world.rec.state is S.FENCING


def test_a_fenced_host_that_answers_stays_down_and_its_old_vms_are_stopped_once() -> None:
    world = World("Off")
    world.to(S.FENCED)
    world.healthy = True
    world.run(60)
    assert world.rec.state is S.FENCED
    assert [e for e in world.effects if isinstance(e, StopReleasedVms)] == [StopReleasedVms(fence_id="node1-f1")]
    world.see(Enable(request=7))
    assert world.rec.state is S.AVAILABLE
    assert world.answers[-1].ok
    assert world.states[-2:] == ["Ineligible", "Available"]


def test_a_new_owner_stops_the_old_vms_again() -> None:
    world = World("Off")
    world.to(S.FENCED)
    world.healthy = True
    world.run(10)
    world.see(Claimed())
    world.run(10)
    assert sum(isinstance(e, StopReleasedVms) for e in world.effects) == 2


def test_a_fenced_host_that_does_not_answer_is_not_let_in() -> None:
    world = World("Off")
    world.to(S.FENCED)
    world.see(Enable(request=7))
    assert (world.rec.state, world.answers[-1].ok) == (S.FENCED, False)


def test_a_policy_may_let_a_returned_host_in_by_itself() -> None:
    world = World("Off", Policy(reenable=Reenable.AUTO))
    world.to(S.FENCED)
    world.healthy = True
    world.to(S.AVAILABLE, 20)


def test_a_fenced_host_that_vanishes_again_must_return_again() -> None:
    world = World("Off")
    world.to(S.FENCED)
    world.healthy = True
    world.run(8)
    world.healthy = False
    world.run(8)
    assert world.rec.returned_at is None


# -- recovery


def recovering(word: str | Cause = "On", attempts: int = 1) -> World:
    world = World(word, Policy(recovery_attempts=attempts, fast_path=False, activity_samples=1))
    world.to(S.RECOVERING)
    return world


def test_one_reset_is_sent_while_on_and_a_host_that_does_not_come_back_is_fenced() -> None:
    world = recovering("On")
    assert 290 <= world.to(S.FENCING) <= 310
    assert [ask for _, ask in world.commands] == [RequestKind.RESET]
    assert world.alerts[:4] == ["HEALTH_LOST", "RECOVERY_TRIED", "RECOVERY_FAILED", "FENCE_STARTED"]
    assert not [e for e in world.effects if isinstance(e, Release)]


def test_no_reset_for_a_host_that_is_off() -> None:
    world = recovering("Off")
    world.to(S.FENCED, 20)
    assert world.commands == []


def test_a_reset_that_helps_releases_no_vm_and_ends_in_available() -> None:
    world = recovering("On")
    world.run(5, lambda w: bool(w.commands))
    world.healthy = True
    world.to(S.RECOVERED, 10)
    assert world.alerts[-1] == "RECOVERY_DONE"
    assert 590 <= world.to(S.AVAILABLE) <= 610
    assert not [e for e in world.effects if isinstance(e, Release)]


def test_a_host_that_falls_silent_after_its_recovery_is_suspect_again_and_keeps_its_count() -> None:
    world = recovering("On", attempts=2)
    world.rec = replace(world.rec, recovery_count=1)
    world.run(5, lambda w: bool(w.commands))
    world.healthy = True
    world.to(S.RECOVERED, 10)
    world.healthy = False
    world.to(S.SUSPECT, 610)
    assert world.rec.recovery_count == 1


def test_a_host_that_answers_before_any_reset_is_available() -> None:
    world = recovering(Cause.BAD_RESPONSE)
    world.run(20)
    assert world.commands == []
    world.healthy = True
    world.to(S.AVAILABLE, 10)


def test_an_unknown_power_state_does_not_keep_a_host_recovering_for_ever() -> None:
    world = recovering("Paused")
    assert world.to(S.FENCING) <= 310


def test_an_unreachable_bmc_counts_as_a_failed_recovery_and_retries_first() -> None:
    world = recovering(Cause.UNREACHABLE, attempts=2)
    world.to(S.FENCING, 40)
    assert world.alerts.count("RECOVERY_FAILED") == 1
    assert world.commands == []


def test_a_stranger_is_not_reset() -> None:
    world = World("On", Policy(fast_path=False, activity_samples=1), identity="A")
    world.identity = "B"
    world.to(S.FENCING, 40)
    assert world.commands == []


@pytest.mark.parametrize("failure", [True, False])
def test_a_refused_reset_is_a_failed_recovery(failure: bool) -> None:
    world = World("On", Policy(fast_path=False, activity_samples=1))
    world.reply = lambda *_: (CommandResult.REFUSED, Failure(cause=Cause.CONFLICT, text="no") if failure else None)
    world.to(S.FENCING, 20)
    assert world.alerts.count("RECOVERY_FAILED") == 1


def test_a_host_that_stays_dark_after_a_reset_is_fenced_before_the_boot_wait_ends() -> None:
    world = recovering("On")
    world.reply = cuts_power
    assert world.to(S.FENCING) <= 4 + 60 + 5
