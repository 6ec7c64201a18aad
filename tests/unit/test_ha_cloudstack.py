"""CloudStack's rules as found: what makes the incident must stay in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fencer.ha import cloudstack
from fencer.ha.effects import CallBmc, CheckActivity, HaEffect, LineKind, Release, TimelineLine
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandReply,
    CommandResult,
    Disable,
    Eligibility,
    Enable,
    Health,
    ManualFence,
    Observation,
    PowerRead,
    Tick,
)
from fencer.ha.policy import Policy
from fencer.ha.record import HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure

S = HAState
REFUSED = (CommandResult.REFUSED, Failure(cause=Cause.CONFLICT, text="HTTP 409", code="HTTP 409"))
ACCEPTED = (CommandResult.ACCEPTED, None)


class World:
    def __init__(self, reply: tuple[CommandResult, Failure | None] | None, samples: int = 10) -> None:
        self.policy = Policy(activity_samples=samples)
        self.rec = HostRecord(host="node1", state=S.AVAILABLE, epoch=1, lease_until=1e9)
        self.now, self.reply, self.healthy, self.active = 0.0, reply, False, False
        self.vms, self.error = 1, False
        self.effects: list[HaEffect] = []
        self.sent: list[RequestKind] = []

    def see(self, seen: Observation) -> None:
        self.rec, effects = cloudstack.step(self.rec, seen, self.policy, self.now)
        self.effects += effects
        for effect in effects:
            if isinstance(effect, CheckActivity):
                self.see(Activity(active=None if self.error else self.active, epoch=1, vms=self.vms))
            elif isinstance(effect, CallBmc):
                self.sent.append(effect.request.ask)
                if self.reply:
                    self.see(CommandReply(request=effect.request.id, epoch=1, result=self.reply[0], failure=self.reply[1]))

    def run(self, seconds: float, until: Callable[[World], bool] = lambda _: False) -> float:
        begun = self.now
        while self.now < begun + seconds and not until(self):
            if self.now % 4 == 0:
                self.see(Health(passed=self.healthy))
            self.see(Tick())
            self.now += 1
        return self.now - begun

    def alerts(self) -> list[str]:
        return [str(e.detail["text"]) for e in self.effects if isinstance(e, TimelineLine) and e.kind is LineKind.ALERT]


def test_a_chassis_that_is_off_and_answers_409_is_hammered_every_poll_and_never_down() -> None:
    world = World(REFUSED)
    world.run(1000, lambda w: w.rec.state is S.FENCING)
    before = len(world.sent)
    world.run(1243)
    assert world.rec.state is S.FENCING
    assert 309 <= len(world.sent) - before <= 312
    performed = [text for text in world.alerts() if text == "HA Fencing of host node1 performed"]
    assert len(performed) == len(world.sent) - before
    logs = [
        e.detail["log"] for e in world.effects if isinstance(e, TimelineLine) and e.detail.get("alert") == "HA_FENCE_PERFORMED"
    ]
    assert set(logs) == {"OOBM service is not configured or enabled for this host node1"}


def test_an_accepted_graceful_shutdown_is_a_fence_without_any_look_at_the_power() -> None:
    world = World(ACCEPTED)
    world.policy = replace(world.policy, recovery_attempts=1)
    world.rec = replace(world.rec, state=S.RECOVERING, recovery_count=1)
    world.run(3)
    assert world.rec.state is S.FENCED
    assert [e for e in world.effects if isinstance(e, Release)] == [Release(fence_id="node1-f1")]
    assert world.sent == [RequestKind.OFF]


def test_detection_takes_the_ten_samples() -> None:
    assert 540 <= World(REFUSED).run(2000, lambda w: w.rec.state is S.RECOVERING) <= 640


def test_every_poll_sends_another_reset_while_the_first_is_still_running() -> None:
    world = World(None, samples=1)
    world.run(60, lambda w: w.rec.state is S.RECOVERING)
    world.run(60)
    assert world.sent.count(RequestKind.RESET) == 15


def test_an_accepted_reset_is_a_recovery_and_the_timer_alone_makes_it_available() -> None:
    world = World(ACCEPTED, samples=1)
    world.run(60, lambda w: w.rec.state is S.RECOVERED)
    assert world.run(700, lambda w: w.rec.state is S.AVAILABLE) <= 605
    assert "HA Recovery of host node1 performed" in world.alerts()


def test_only_one_off_is_under_way() -> None:
    world = World(None, samples=1)
    world.rec = replace(world.rec, state=S.RECOVERING, recovery_count=1)
    world.run(60)
    assert world.sent == [RequestKind.OFF]


def test_activity_makes_degraded_and_a_host_without_vms_counts_as_active() -> None:
    for active, vms in ((True, 3), (False, 0)):
        world = World(REFUSED, samples=1)
        world.active, world.vms = active, vms
        world.run(20, lambda w: w.rec.state is S.DEGRADED)
        assert world.run(400, lambda w: w.rec.state is S.SUSPECT) <= 305


def test_an_activity_check_that_fails_switches_ha_off_for_the_host() -> None:
    world = World(REFUSED)
    world.error = True
    world.run(20)
    assert world.rec.state is S.INELIGIBLE
    world.see(Enable(request=1))
    assert world.rec.state is S.AVAILABLE


def test_a_fenced_host_that_answers_is_ineligible_until_an_operator_says_otherwise() -> None:
    world = World(ACCEPTED, samples=1)
    world.rec = replace(world.rec, state=S.RECOVERING, recovery_count=1)
    world.run(10, lambda w: w.rec.state is S.FENCED)
    world.run(8)
    assert world.rec.state is S.FENCED
    world.healthy = True
    world.run(8)
    assert world.rec.state is S.INELIGIBLE
    world.see(Enable(request=1))
    assert world.rec.state is S.AVAILABLE


def test_health_is_not_looked_at_while_fencing() -> None:
    world = World(REFUSED, samples=1)
    world.run(60, lambda w: w.rec.state is S.FENCING)
    world.healthy = True
    world.run(20)
    assert world.rec.state is S.FENCING


def test_a_host_that_answers_in_time_is_available_again() -> None:
    world = World(REFUSED)
    world.run(10)
    world.healthy = True
    world.run(10)
    assert (world.rec.state, world.rec.suspect_since) == (S.AVAILABLE, None)


def test_a_new_owner_starts_counting_at_zero() -> None:
    world = World(REFUSED)
    world.run(300)
    assert world.rec.samples
    world.see(Claimed())
    assert world.rec.samples == ()
    world.rec = replace(world.rec, state=S.CHECKING)
    world.see(Claimed())
    assert world.rec.state is S.SUSPECT


def test_operators_and_maintenance() -> None:
    world = World(REFUSED)
    world.see(Eligibility(eligible=True))
    world.see(Eligibility(eligible=False))
    assert world.rec.state is S.INELIGIBLE
    world.see(Eligibility(eligible=True))
    assert world.rec.state is S.AVAILABLE
    world.rec = replace(world.rec, eligible=False)
    world.see(Eligibility(eligible=True))
    world.see(Disable(request=1))
    world.see(Disable(request=2))
    assert world.rec.state is S.DISABLED
    world.see(Enable(request=3))
    world.see(Enable(request=4))
    assert world.rec.state is S.AVAILABLE
    world.see(ManualFence(request=5, fence_id="x", who="a", why="b"))


@pytest.mark.parametrize("state", [S.AVAILABLE, S.SUSPECT])
def test_answers_that_nobody_waits_for_change_no_state(state: HAState) -> None:
    world = World(REFUSED)
    world.rec = replace(world.rec, state=state)
    world.see(PowerRead(request="1.1", epoch=1, started=0.0))
    world.see(Activity(active=False, epoch=1))
    world.see(CommandReply(request="1.1", epoch=1, result=CommandResult.ACCEPTED))
    assert world.rec.state is state
