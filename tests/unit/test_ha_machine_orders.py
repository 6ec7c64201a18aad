"""The HA machine and an operator who orders a fence, or ends one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.ha import cloudstack, remarks
from fencer.ha.effects import AlertName, OperatorAnswer
from fencer.ha.fence_limiter import ClusterView, ManagerFacts
from fencer.ha.observations import (
    CancelFence,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    Hold,
    OrderFence,
    OverrideLimits,
    Tick,
)
from fencer.ha.policy import Policy
from fencer.ha.record import FencePhase, HostRecord, RequestKind
from fencer.outcome import Cause
from tests.ha_world import S, World, answers, cuts_power, fencing


def order(world: World, why: str = "it does not answer on the console") -> str:
    return _answer(world, OrderFence(request=7, who="alice", why=why))


def cancel(world: World, why: str = "the switch was rebooted", **more: object) -> str:
    return _answer(world, CancelFence(request=8, who="alice", why=why, **more))  # type: ignore[arg-type]


def _answer(world: World, seen: OrderFence | CancelFence) -> str:
    """The answer, after "granted: " or "refused: "; empty while there is none."""
    answers = [effect for effect in world.see(seen) if isinstance(effect, OperatorAnswer)]
    return f"{'granted' if answers[0].ok else 'refused'}: {answers[0].text}" if answers else ""


def held_by(world: World) -> Hold | None:
    me = ManagerFacts(owner="me", started=0.0)
    others = [
        HostRecord(host=name, state=S.AVAILABLE, healthy=True, seen_healthy=True, passed_at=world.now) for name in ("b", "c", "d")
    ]
    return ClusterView([world.rec, *others], world.policy, world.now, me).hold(world.rec)


def play(world: World, seconds: float) -> None:
    """Like `World.run`, with the limits of a cluster whose other hosts are well."""
    end = world.now + seconds
    while world.now < end and world.rec.state is not S.FENCED:
        world.hold = held_by(world)
        world.run(0.25)


# -- fence


def test_an_ordered_fence_begins_at_once_and_is_proved_like_any_other() -> None:
    world = World("On", Policy(recovery_attempts=1))  # without the order: ten samples and a reset first
    world.reply = cuts_power
    world.run(1)
    assert world.rec.state is S.CHECKING or world.rec.state is S.SUSPECT
    assert order(world).startswith("granted: node1-f1 is open")
    world.to(S.FENCED, 20)
    assert [ask for _, ask in world.commands] == [RequestKind.OFF], "no reset before it"
    assert world.alerts == ["HEALTH_LOST", "FENCE_ORDERED", "FENCE_STARTED", "FENCED"]
    assert world.said(AlertName.FENCED)[0]["how"] == "powered-off"
    assert world.rec.ordered is None


@pytest.mark.parametrize("state", [S.SUSPECT, S.CHECKING, S.DEGRADED, S.RECOVERING, S.RECOVERED])
def test_every_state_of_a_silent_host_leads_to_the_ordered_fence(state: S) -> None:
    world = World("On")
    world.see(Health(passed=False))
    world.rec = replace(world.rec, state=state, next_activity_at=1e9, read_on_at=None, since=world.now)
    assert order(world).startswith("granted")
    assert (world.rec.state, world.commands) == (S.FENCING, [])


def test_a_host_that_was_never_seen_healthy_can_be_fenced_on_an_operators_word() -> None:
    world = World("On", seen_healthy=False)
    world.reply = cuts_power
    world.run(60)
    assert (world.rec.state, world.rec.healthy, world.commands) == (S.AVAILABLE, None, [])
    assert order(world).startswith("granted")
    assert world.rec.silent_since == world.now, "other hosts must be healthy by a check that began after the order"
    world.see(OverrideLimits(request=9, who="alice", why="all are dead"))
    assert world.answers[-1].ok
    world.to(S.FENCED, 20)
    assert world.off_commands == 1


def test_an_order_passes_no_limit_and_an_override_does() -> None:
    world = World("On")
    world.hold = Hold.TOO_MANY_LOST
    world.run(1)
    order(world)
    world.run(60)
    assert (world.rec.state, world.commands) == (S.FENCING, [])
    assert "too many hosts" in str(world.said(AlertName.FENCE_HELD)[0]["text"])


def test_no_fence_is_ordered_of_a_host_that_answers_is_down_or_is_not_under_ha() -> None:
    well = World("On")
    well.see(Health(passed=True))
    down = World("Off")
    down.to(S.FENCED)
    away, maintained = World("On"), World("On")
    away.see(Disable(request=1))
    maintained.see(Eligibility(eligible=False))
    for world, why in (
        (well, "passed its last health check"), (down, "is Down already (node1-f1)"), (away, "is not under HA (Disabled)"),
        (maintained, "is not under HA (Ineligible)"),
    ):  # fmt: skip
        before = world.rec
        assert order(world).startswith(f"refused: node1 {why}")
        assert world.rec == before
    nothing_said = World("On")
    nothing_said.run(1)
    assert order(nothing_said, why=" ").startswith("refused: a fence needs a reason")


def test_an_order_ends_the_wait_of_a_fence_that_failed() -> None:
    world = fencing("On", max_attempts=1)
    world.reply = answers(CommandResult.FAILED, Cause.BAD_RESPONSE)
    world.run(20)
    assert world.rec.fence is not None
    assert world.rec.fence.phase is FencePhase.BLOCKED
    world.reply = cuts_power
    wait = world.rec.fence.next_attempt_at - world.now
    assert wait > 10
    assert order(world).startswith("granted")
    assert world.to(S.FENCED, 20) < wait


def test_an_order_leaves_an_open_fence_as_it_is_otherwise() -> None:
    world = fencing("On")
    before = world.rec.fence
    assert order(world).startswith("granted")
    assert world.rec.fence == before
    assert world.rec.ordered is not None
    assert remarks.of(world.rec) == ("fence ordered by alice",)


def test_an_order_waits_for_a_reset_that_is_leaving() -> None:
    world = World("On", Policy(recovery_attempts=1, activity_samples=1))
    world.run(10, lambda w: bool(w.commands))
    world.to(S.RECOVERING)
    world.silent = True
    world.rec = replace(world.rec, reset_sent=False, inflight=None, next_read_at=world.now)
    world.see(Tick())
    assert world.rec.inflight is not None
    world.see(world.read(world.rec.inflight, 1))
    world.see(Tick())
    reset = world.rec.inflight
    assert reset is not None
    assert reset.ask is RequestKind.RESET
    assert order(world) == ""
    world.see(CommandReply(request=reset.id, epoch=1, result=CommandResult.ACCEPTED))
    assert order(world).startswith("granted")
    assert world.rec.state is S.FENCING


# -- cancel


def test_a_cancelled_fence_is_over_and_the_host_is_watched_on() -> None:
    world = fencing("On")
    world.hold = Hold.TOO_MANY_LOST
    assert cancel(world).startswith("granted: node1-f1 is cancelled; no power-off of it was sent")
    assert (world.rec.state, world.rec.fence) == (S.SUSPECT, None)
    assert world.alerts[-1] == "FENCE_ABORTED"
    assert remarks.of(world.rec) == ("fence cancelled by alice: no power command",)
    world.hold = None
    play(world, 300)
    assert (world.rec.state, world.commands) == (S.FENCING, []), "it is read on, and nothing is sent"
    assert "an operator has cancelled its fence" in str(world.said(AlertName.FENCE_HELD)[-1]["text"])
    world.healthy = True
    play(world, 30)
    assert (world.rec.state, world.rec.cancelled) == (S.AVAILABLE, None)


def test_a_host_that_is_proved_off_is_down_after_a_cancel_too_by_a_new_fence() -> None:
    world = fencing("Off")
    world.run(2)
    old = world.rec.off_run
    cancel(world)
    assert old is not None
    assert world.rec.off_run is None, "what the cancelled fence has read does not count"
    play(world, 60)
    assert (world.rec.state, world.rec.released, world.commands) == (S.FENCED, "node1-f2", [])
    assert world.rec.cancelled is None


def test_a_cancel_waits_for_a_command_that_is_leaving_and_says_that_it_was_sent() -> None:
    world = fencing("On")
    world.silent = True
    world.run(10, lambda w: w.rec.inflight is not None)
    assert world.rec.inflight is not None
    world.see(world.read(world.rec.inflight, 1))
    world.see(Tick())
    off = world.rec.inflight
    assert off is not None
    assert off.ask is RequestKind.OFF
    assert cancel(world) == ""
    world.see(CommandReply(request=off.id, epoch=1, result=CommandResult.ACCEPTED))
    assert "a power-off was sent and cannot be recalled, so node1 may still go off" in cancel(world)
    assert world.rec.state is S.SUSPECT


def test_a_command_that_has_not_left_is_withdrawn_and_the_answer_says_that_none_was_sent() -> None:
    world = fencing("On")
    world.silent = True
    world.run(10, lambda w: w.rec.inflight is not None)
    assert world.rec.inflight is not None
    world.see(world.read(world.rec.inflight, 1))
    world.see(Tick())
    off = world.rec.inflight
    assert off is not None
    assert off.cuts_power
    assert "no power-off of it was sent" in cancel(world, withdrawn=True)
    world.see(Health(passed=True))
    assert world.rec.state is S.SUSPECT, "it is not Available while that call has not ended"
    world.see(CommandReply(request=off.id, epoch=1, result=CommandResult.NOT_SENT))
    assert world.rec.cut_at is None


def test_only_an_open_fence_is_cancelled_and_a_reason_is_needed() -> None:
    world = World("On")
    for why, text in (("x", "no fence of node1 is open (Available)"), (" ", "a cancel needs a reason")):
        assert cancel(world, why=why).startswith(f"refused: {text}")


def test_a_cancel_that_was_meant_for_an_earlier_fence_does_not_end_a_later_one() -> None:
    world = fencing("On")
    cancel(world, fence_id="node1-f1")
    order(world)
    assert cancel(world, fence_id="node1-f1") == "refused: node1-f1 is not open any more; node1-f2 is"
    assert world.rec.state is S.FENCING
    assert cancel(world).startswith("granted")


def test_a_later_order_or_override_takes_a_cancel_back_and_a_cancel_takes_them_back() -> None:
    world = fencing("On")
    world.see(OverrideLimits(request=1, who="bob", why="dead"))
    order(world)
    cancel(world)
    assert (world.rec.override, world.rec.ordered, world.rec.cancelled is not None) == (None, None, True)
    order(world)
    assert (world.rec.cancelled, world.rec.state) == (None, S.FENCING)
    cancel(world)
    world.see(OverrideLimits(request=2, who="bob", why="dead"))
    assert world.rec.cancelled is None


def test_maintenance_that_began_during_the_fence_counts_after_its_cancel() -> None:
    world = fencing("On")
    world.see(Eligibility(eligible=False))
    cancel(world)
    assert world.rec.state is S.INELIGIBLE
    world.see(Eligibility(eligible=True))
    world.see(Tick())
    assert world.rec.state is S.AVAILABLE


def test_orders_end_with_disable() -> None:
    world = fencing("On")
    order(world)
    cancel(world)
    world.see(Disable(request=1))
    world.see(Enable(request=2))
    assert (world.rec.cancelled, world.rec.ordered) == (None, None)


def test_cloudstacks_rules_know_no_such_orders() -> None:
    record = HostRecord(host="a", state=S.SUSPECT)
    for number, observation in enumerate(
        (OrderFence(request=1, who="a", why="b"), CancelFence(request=2, who="a", why="b")), start=1
    ):
        after, effects = cloudstack.step(record, observation, Policy(), 0.0)
        assert after == record
        assert isinstance(effects[0], OperatorAnswer)
        assert (effects[0].request, effects[0].ok) == (number, False)
