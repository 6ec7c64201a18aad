"""The HA machine and people: activity checks, operators' orders and signatures, and the words of its alerts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.ha import machine
from fencer.ha.effects import AlertName, LineKind, TimelineLine
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    Hold,
    ManualFence,
    Tick,
    WithdrawManualFence,
)
from fencer.ha.policy import Policy, Reenable
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.outcome import Cause
from tests.ha_world import (
    S,
    World,
    fencing,
)

# -- activity


def test_too_few_samples_go_back_to_suspect_and_unknown_samples_do_not_count() -> None:
    world = World("On", Policy(activity_samples=2, fast_path=False))
    world.active = None
    world.run(200)
    assert (world.rec.state, world.rec.samples) == (S.SUSPECT, ())


def test_activity_over_the_ratio_makes_a_host_degraded_and_it_is_checked_again_later() -> None:
    world = World("On", Policy(activity_samples=1, fast_path=False))
    world.active = True
    world.to(S.DEGRADED)
    assert 295 <= world.to(S.SUSPECT) <= 305
    world.to(S.DEGRADED)
    world.healthy = True
    world.to(S.AVAILABLE)


def test_an_activity_answer_of_another_epoch_or_state_is_ignored() -> None:
    world = World("On")
    before = world.rec
    world.see(Activity(active=False, epoch=1))
    assert world.rec == before


def test_health_in_the_middle_of_a_check() -> None:
    world = World("On", Policy(fast_path=False))
    world.rec = replace(world.rec, state=S.CHECKING)
    world.see(Health(passed=False))
    assert world.rec.state is S.CHECKING
    world.see(Claimed())
    assert world.rec.state is S.SUSPECT
    world.rec = replace(world.rec, state=S.CHECKING)
    world.see(Health(passed=True))
    assert world.rec.state is S.AVAILABLE


def test_unknown_health_is_not_dead() -> None:
    world = World("Off")
    world.healthy = None
    world.run(100)
    assert world.rec.state is S.AVAILABLE


def test_a_host_with_a_command_on_its_way_does_not_become_available() -> None:
    for state in (S.SUSPECT, S.RECOVERED):
        world = World("On")
        world.rec = replace(
            world.rec,
            state=state,
            healthy=True,
            inflight=BmcRequest(id="1.1", ask=RequestKind.RESET, at=0.0),
            next_activity_at=1e9,
        )
        world.healthy = True
        world.run(700)
        assert world.rec.state is state


# -- operators


def test_disable_cancels_the_fence_and_no_late_answer_of_it_commits() -> None:
    world = fencing("Off")
    world.silent = True
    world.rec = replace(world.rec, inflight=None, next_read_at=world.now)
    world.see(Tick())
    request = world.rec.inflight
    assert request is not None
    world.see(Disable(request=1))
    assert (world.rec.state, world.rec.fence) == (S.DISABLED, None)
    world.now += 10
    world.see(world.read(request, 1))
    world.run(60)
    assert world.rec.state is S.DISABLED
    assert "FENCED" not in world.alerts
    assert world.alerts[-1] == "FENCE_ABORTED"


def test_enable_waits_for_a_command_that_is_on_its_way() -> None:
    world = fencing("On")
    world.silent = True
    world.run(10, lambda w: w.rec.inflight is not None and w.rec.inflight.ask is RequestKind.READ)
    request = world.rec.inflight
    assert request is not None
    world.see(world.read(request, 1))
    world.see(Tick())
    assert world.rec.inflight is not None
    assert world.rec.inflight.ask is RequestKind.OFF
    world.see(Disable(request=1))
    assert (world.rec.state, world.answers) == (S.FENCING, []), "the command is leaving, so disable is not answered yet"
    world.see(Disable(request=1, withdrawn=True))
    world.see(Enable(request=2))
    assert (world.rec.state, world.answers[-1].ok) == (S.DISABLED, False)
    world.see(CommandReply(request=world.rec.inflight.id, epoch=1, result=CommandResult.NOT_SENT))
    world.see(Enable(request=3))
    assert (world.rec.state, world.answers[-1].ok) == (S.AVAILABLE, True)


def test_enable_and_disable_answer_when_there_is_nothing_to_do() -> None:
    world = World("On")
    world.see(Enable(request=1))
    world.see(Disable(request=2))
    world.see(Disable(request=3))
    assert [a.ok for a in world.answers] == [True, True, True]
    assert "already" in world.answers[0].text
    assert "was not" in world.answers[2].text


def test_maintenance_makes_a_host_ineligible_and_enable_says_why_it_stays_so() -> None:
    world = World("On")
    world.see(Eligibility(eligible=True))
    world.see(Eligibility(eligible=False))
    assert world.rec.state is S.INELIGIBLE
    world.see(Enable(request=1))
    assert not world.answers[-1].ok
    world.see(Health(passed=True))
    world.see(Eligibility(eligible=True))
    world.see(Tick())
    assert world.rec.state is S.AVAILABLE


def test_maintenance_during_a_fence_counts_when_the_fence_has_ended() -> None:
    fenced = fencing("Off")
    fenced.see(Eligibility(eligible=False))
    assert fenced.rec.state is S.FENCING
    fenced.to(S.FENCED, 20)
    aborted = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    aborted.hold = Hold.JUST_STARTED
    aborted.to(S.FENCING)
    aborted.see(Eligibility(eligible=False))
    aborted.healthy = True
    aborted.to(S.INELIGIBLE, 20)
    disabled = World("On")
    disabled.see(Disable(request=1))
    disabled.see(Eligibility(eligible=False))
    disabled.see(Enable(request=2))
    assert disabled.rec.state is S.INELIGIBLE


def manual(world: World, fence_id: str = "node1-f1", request: int = 5) -> None:
    world.see(ManualFence(request=request, fence_id=fence_id, who="alice", why="cords pulled"))


def test_a_signature_needs_a_reason_and_a_policy_that_allows_it() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.see(ManualFence(request=5, fence_id="node1-f1", who="alice", why=" "))
    forbidden = fencing(Cause.UNREACHABLE, manual_fence=False)
    manual(forbidden)
    assert "needs a reason" in world.answers[-1].text
    assert "switched off by the policy" in forbidden.answers[-1].text
    for refused in (world, forbidden):
        refused.run(60)
        assert (refused.answers[-1].ok, refused.rec.state) == (False, S.FENCING)


def test_a_signature_that_was_withdrawn_proves_nothing() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.silent = True  # the read after which the signature would count is not answered
    manual(world)
    world.see(WithdrawManualFence(request=5))
    world.silent = False
    world.run(60)
    assert world.rec.state is S.FENCING
    assert "FENCED" not in world.alerts


def test_an_operator_ends_a_fence_that_no_bmc_can_prove() -> None:
    world = fencing(Cause.UNREACHABLE)
    manual(world)
    manual(world, request=6)
    world.to(S.FENCED, 20)
    assert [(a.request, a.ok) for a in world.answers] == [(6, False), (5, True)]
    fact = world.said(AlertName.FENCED)[0]
    assert (fact["how"], fact["who"], fact["why"]) == ("manual", "alice", "cords pulled")


def test_a_signature_is_refused_while_the_bmc_says_on() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.JUST_STARTED
    world.to(S.FENCING)
    manual(world)
    world.run(5)
    assert (world.rec.state, world.answers[-1].ok) == (S.FENCING, False)
    assert "says On" in world.answers[-1].text


def test_a_signature_for_another_fence_or_none_is_refused() -> None:
    world = World("On")
    manual(world)
    assert "no fence is open" in world.answers[-1].text
    world = fencing(Cause.UNREACHABLE)
    manual(world, "node1-f9")
    assert "node1-f1" in world.answers[-1].text
    world.policy = replace(world.policy, manual_fence=False)
    manual(world)
    assert "manual_fence" in world.answers[-1].text
    assert not any(a.ok for a in world.answers)


def test_a_signature_that_the_bmc_can_prove_itself_ends_as_a_proof() -> None:
    world = fencing("Off")
    manual(world)
    world.to(S.FENCED, 20)
    assert world.said(AlertName.FENCED)[0]["how"] == "already-off"
    assert world.answers[-1].ok


def test_a_read_that_began_before_the_signature_does_not_judge_it() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.silent = True
    world.run(20, lambda w: w.rec.inflight is not None)
    request = world.rec.inflight
    assert request is not None
    old = world.read(request, 1)
    world.now += 1
    manual(world)
    world.see(old)
    assert world.rec.state is S.FENCING
    world.silent = False
    world.to(S.FENCED, 5)


def test_a_signature_of_a_fence_that_is_given_up_is_answered() -> None:
    world = fencing(Cause.UNREACHABLE)
    manual(world)
    world.see(Disable(request=9))
    assert [(a.request, a.ok) for a in world.answers] == [(5, False), (9, True)]


# -- words


def test_strict_names_use_cloudstacks_vocabulary_only() -> None:
    world = fencing(Cause.UNREACHABLE, strict_event_names=True)
    manual(world)
    world.to(S.FENCED, 20)
    last = [e for e in world.effects if isinstance(e, TimelineLine) and e.kind is LineKind.STATE][-1]
    assert last.detail["event"] == "Fenced"


def test_success_words_appear_only_after_the_commit() -> None:
    world = fencing("On")
    world.run(300)
    said = " ".join(str(e.detail.get("text")) for e in world.effects if isinstance(e, TimelineLine) and e.kind is LineKind.ALERT)
    assert not any(word in said for word in ("performed", "succeeded", "fenced"))


def test_a_repeated_alert_is_told_again_after_a_quarter_of_an_hour_with_a_count() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.run(2000)
    told = world.said(AlertName.FENCE_ATTEMPT_FAILED)
    assert 2 <= len(told) <= 3
    assert int(str(told[1]["repeated"])) > 5


def test_a_record_that_is_fencing_without_a_fence_is_refused_loudly() -> None:
    record = HostRecord(host="node1", state=S.FENCING)
    with pytest.raises(ValueError, match="without a fence"):
        machine.step(record, Tick(), Policy(), 0.0)


def test_a_stable_off_ends_an_activity_check_that_is_still_running() -> None:
    world = World("Off", Policy())
    world.rec = replace(world.rec, state=S.CHECKING, next_activity_at=1e9)
    assert world.to(S.FENCED) <= 4 + 4 + 1


def test_a_command_that_is_due_waits_for_a_lease_that_outlives_it() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.JUST_STARTED
    world.to(S.FENCING)
    world.run(4)
    world.rec = replace(world.rec, lease_until=world.now + 11)
    world.hold = None
    world.see(Tick())
    assert world.commands == []


# -- VMs that are not stopped yet


def test_a_fenced_host_is_not_let_in_before_its_old_vms_are_stopped() -> None:
    for reenable in Reenable:
        world = World("Off", Policy(recovery_attempts=0, reenable=reenable))
        world.to(S.FENCED)
        for _ in range(9):
            world.see(Health(passed=True, unstopped=True))
        world.see(Enable(request=7, unstopped=("v1", "v2")))
        assert world.rec.state is S.FENCED
        assert (
            world.answers[-1].text == "node1 has not confirmed that v1, v2 is stopped there; the stop is repeated until it does"
        )
        world.see(Enable(request=8))
        assert (world.rec.state, world.answers[-1].ok) == (S.AVAILABLE, True)


def test_a_heartbeat_that_changed_before_the_first_off_read_does_not_contradict_it() -> None:
    for changed_at, contradicts in ((999.0, False), (2000.0, True), (None, True)):
        world = World("Off", Policy(recovery_attempts=0), heartbeat=True)
        world.run(10, lambda w: w.rec.off_run is not None)
        before = world.rec.off_run
        assert before is not None
        world.see(Activity(active=True, epoch=1, began=world.now + 1, changed_at=changed_at))
        assert (world.rec.off_run is None) is contradicts
