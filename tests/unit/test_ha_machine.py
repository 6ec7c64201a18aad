"""The pure machine, driven by a virtual clock: a host, its BMC and what the manager would do with the effects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fencer.ha import fence, machine
from fencer.ha.effects import Alert, Answer, CallBmc, CheckActivity, Effect, Kind, Release, StopStrangers, Told
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
    Observation,
    PowerRead,
    Tick,
)
from fencer.ha.policy import Policy, Reenable
from fencer.ha.record import Ask, HostRecord, Phase, Request
from fencer.ha.states import HAState
from fencer.outcome import Cause, Failure, Power, Reading

S = HAState
WORDS = {"On": Power.ON, "Off": Power.OFF}


class World:
    """One host that does not answer its health checks unless told so, and a BMC whose answers are `word` or a failure."""

    def __init__(self, word: str | Cause = "On", policy: Policy | None = None, **record: object) -> None:
        self.policy = policy or Policy(recovery_attempts=0)
        self.now = 1000.0
        self.rec = HostRecord(host="node1", state=S.AVAILABLE, epoch=1, lease_until=1e9, **record)  # type: ignore[arg-type]
        self.word: str | Cause = word
        self.chassis: str | None = None
        self.identity: str | None = None
        self.healthy: bool | None = False
        self.active: bool | None = False
        self.reply: Callable[[World, Ask], CommandReply | tuple[CommandResult, Failure | None]] = accept
        self.hold: Hold | None = None
        self.effects: list[Effect] = []
        self.commands: list[tuple[float, Ask]] = []
        self.reads: list[float] = []
        self.next_health = self.now
        self.silent = False

    def see(self, seen: Observation) -> tuple[Effect, ...]:
        self.rec, effects = machine.step(self.rec, seen, self.policy, self.now)
        self.effects += effects
        for effect in effects:
            if isinstance(effect, CheckActivity):
                self.see(Activity(seen=self.active, epoch=effect.epoch))
            elif isinstance(effect, CallBmc) and not self.silent:
                self.answer(effect.request)
        return effects

    def answer(self, request: Request) -> None:
        epoch = self.rec.epoch
        if request.ask is Ask.READ:
            self.reads.append(self.now)
            self.see(self.read(request, epoch))
        else:
            self.commands.append((self.now, request.ask))
            result, failure = self.reply(self, request.ask)  # type: ignore[misc]
            self.see(CommandReply(request=request.id, epoch=epoch, result=result, failure=failure))

    def read(self, request: Request, epoch: int) -> PowerRead:
        if isinstance(self.word, Cause):
            failure = Failure(cause=self.word, text=f"no reading: {self.word}")
            return PowerRead(request=request.id, epoch=epoch, started=self.now, failure=failure)
        reading = Reading(
            power=WORDS.get(self.word, Power.UNKNOWN), word=self.word or None, at=self.now, path="redfish",
            chassis_word=self.chassis, identity=self.identity,
        )  # fmt: skip
        return PowerRead(request=request.id, epoch=epoch, started=self.now, reading=reading)

    def run(self, seconds: float, until: Callable[[World], bool] = lambda _: False, tick: float = 0.25) -> float:
        """Lets time pass; returns how much it was when `until` held."""
        begun = self.now
        while self.now - begun <= seconds:
            if self.now >= self.next_health:
                self.next_health = self.now + self.policy.poll
                self.see(Health(passed=self.healthy))
            self.see(Tick(hold=self.hold))
            if until(self):
                break
            self.now += tick
        return self.now - begun

    def to(self, state: HAState, seconds: float = 2000) -> float:
        spent = self.run(seconds, lambda w: w.rec.state is state)
        assert self.rec.state is state, self.rec
        return spent

    @property
    def alerts(self) -> list[str]:
        return [str(e.detail["alert"]) for e in self.effects if isinstance(e, Told) and e.kind is Kind.ALERT]

    @property
    def states(self) -> list[str]:
        return [str(e.detail["to"]) for e in self.effects if isinstance(e, Told) and e.kind is Kind.STATE]

    def said(self, alert: Alert) -> list[dict[str, object]]:
        return [dict(e.detail) for e in self.effects if isinstance(e, Told) and e.detail.get("alert") == alert]

    @property
    def answers(self) -> list[Answer]:
        return [e for e in self.effects if isinstance(e, Answer)]

    @property
    def off_commands(self) -> int:
        return sum(ask is Ask.OFF for _, ask in self.commands)


def accept(world: World, ask: Ask) -> tuple[CommandResult, Failure | None]:
    return CommandResult.ACCEPTED, None


def cuts_power(world: World, ask: Ask) -> tuple[CommandResult, Failure | None]:
    world.word = "Off"
    return CommandResult.ACCEPTED, None


def answers(result: CommandResult, cause: Cause, text: str = "said so") -> Callable[[World, Ask], tuple[CommandResult, Failure]]:
    return lambda *_: (result, Failure(cause=cause, text=text, code="HTTP 409", message_id="Base.1.0.X"))


def fencing(word: str | Cause = "On", **policy: object) -> World:
    world = World(word, Policy(recovery_attempts=0, fast_path=False, activity_samples=1, **policy))  # type: ignore[arg-type]
    world.to(S.FENCING)
    return world


# -- the incident


def test_a_host_that_is_off_is_down_within_26_seconds_without_a_power_command_and_with_three_alerts() -> None:
    world = World("Off", Policy())
    detected = 4 + 10  # a poll and a health check that takes all its time
    assert detected + world.to(S.FENCED) <= 26
    assert world.commands == []
    assert world.alerts == ["HEALTH_LOST", "FENCE_STARTED", "FENCED"]
    assert world.said(Alert.FENCED)[0]["how"] == "already-off"
    assert world.states == ["Suspect", "Checking", "Suspect", "Checking", "Recovering", "Fencing", "Fenced"]


def test_the_proof_is_two_reads_of_the_fence_itself_at_least_stable_for_apart() -> None:
    world = World("Off", Policy())
    world.to(S.FENCED)
    fact = world.said(Alert.FENCED)[0]
    begun = next(w for w in world.effects if isinstance(w, Told) and w.detail.get("alert") == Alert.FENCE_STARTED)
    assert begun is not None
    assert float(str(fact["last_read_at"])) - float(str(fact["first_read_at"])) >= world.policy.stable_for
    assert fact["chassis_check"] == "not-linked"
    assert [e for e in world.effects if isinstance(e, Release)] == [Release(fence_id="node1-f1")]


def test_without_the_fast_path_cloudstacks_activity_rule_decides() -> None:
    world = World("Off", Policy(fast_path=False))
    assert 9 * 60 <= world.to(S.FENCED) <= 10.5 * 60 + 12
    assert world.commands == []


def test_from_degraded_a_chassis_that_goes_off_is_found_out_at_once() -> None:
    world = World("On", Policy(activity_samples=1))
    world.active = True
    world.to(S.DEGRADED)
    world.word = "Off"
    assert world.to(S.FENCED) <= 4 + 4 + 4 + 1


# -- On


def test_a_hung_host_is_forced_off_and_fenced_only_when_two_reads_say_off() -> None:
    world = fencing("On")
    world.run(25, lambda w: w.off_commands > 0)
    assert world.rec.fence is not None
    assert world.rec.fence.command_sent
    world.run(25)
    assert world.rec.state is S.FENCING
    world.word = "PoweringOff"
    world.run(8)
    assert world.rec.state is S.FENCING
    world.word = "Off"
    assert world.to(S.FENCED) <= 4 + 8
    assert world.said(Alert.FENCED)[0]["how"] == "powered-off"
    assert world.off_commands == 1


def test_an_accepted_power_off_without_effect_fails_the_attempt_and_blocks_after_ten() -> None:
    world = fencing("On")
    world.run(10 * 130, lambda w: w.rec.fence is not None and w.rec.fence.phase is Phase.BLOCKED)
    assert world.off_commands == 10
    told = world.said(Alert.FENCE_ATTEMPT_FAILED)
    assert told[0]["reason"] == "timeout"
    assert "the BMC still says On" in str(told[0]["text"])
    assert len(told) <= 2
    assert world.alerts.count("FENCE_BLOCKED") == 1
    before = len(world.reads)
    world.run(60)
    assert len(world.reads) - before >= 12, "reading never stops"
    world.word = "Off"
    world.to(S.FENCED, 20)
    assert world.alerts.count("FENCED") == 1


def test_a_refusal_is_settled_by_reading_not_by_its_code() -> None:
    off = fencing("On")
    off.reply = lambda w, a: (cuts_power(w, a), answers(CommandResult.REFUSED, Cause.CONFLICT)(w, a))[1]
    off.to(S.FENCED, 30)
    on = fencing("On")
    on.reply = answers(CommandResult.REFUSED, Cause.CONFLICT, "busy with POST")
    on.run(30, lambda w: bool(w.said(Alert.FENCE_ATTEMPT_FAILED)))
    told = on.said(Alert.FENCE_ATTEMPT_FAILED)[0]
    assert (told["reason"], told["code"], told["message_id"]) == ("conflict-other", "HTTP 409", "Base.1.0.X")
    assert "busy with POST" in str(told["text"])


def test_a_lost_answer_is_not_a_failure_until_the_power_off_had_its_time() -> None:
    world = fencing("On")
    world.reply = answers(CommandResult.AMBIGUOUS, Cause.TIMEOUT)
    world.run(50, lambda w: w.off_commands > 0)
    world.run(50)
    assert world.said(Alert.FENCE_ATTEMPT_FAILED) == []
    world.run(15)
    assert world.said(Alert.FENCE_ATTEMPT_FAILED)[0]["reason"] == "timeout"


def test_a_bmc_that_vanishes_after_the_command_gives_its_own_reason() -> None:
    world = fencing("On")
    world.run(50, lambda w: w.off_commands > 0)
    world.word = Cause.UNREACHABLE
    world.run(65)
    assert world.said(Alert.FENCE_ATTEMPT_FAILED)[0]["reason"] == "unreachable"


def test_a_final_failure_of_a_command_fails_the_attempt_at_once() -> None:
    world = fencing("On")
    world.reply = answers(CommandResult.FAILED, Cause.PRIVILEGE)
    world.run(10, lambda w: bool(w.said(Alert.FENCE_ATTEMPT_FAILED)))
    assert world.rec.fence is not None
    assert world.rec.fence.next_attempt_at >= world.now + 299


def test_a_command_that_was_not_sent_is_decided_again_after_a_new_read() -> None:
    world = fencing("On")
    sent: list[int] = []

    def once(w: World, ask: Ask) -> tuple[CommandResult, Failure | None]:
        sent.append(1)
        return (CommandResult.NOT_SENT, None) if len(sent) == 1 else cuts_power(w, ask)

    world.reply = once
    world.to(S.FENCED, 30)
    assert len(sent) == 2


# -- what is not Off


@pytest.mark.parametrize("word", ["PoweringOff", "PoweringOn", "Paused", "Unknown", "", "off"])
def test_no_other_word_is_off(word: str) -> None:
    world = fencing(word)
    world.run(300)
    assert world.rec.state is S.FENCING


def test_a_chassis_that_says_on_contradicts_the_systems_off_unless_told_to_be_ignored() -> None:
    world = fencing("Off")
    assert world.rec.state is S.FENCING
    doubted = World("Off")
    doubted.chassis = "On"
    doubted.run(300)
    assert doubted.rec.state is not S.FENCED
    doubted.chassis = "Off"
    doubted.to(S.FENCED)
    assert doubted.said(Alert.FENCED)[0]["chassis_check"] == "ok"
    ignored = World("Off", chassis_check=False)
    ignored.chassis = "On"
    ignored.to(S.FENCED)
    assert ignored.said(Alert.FENCED)[0]["chassis_check"] == "ignore"


def test_a_bmc_that_flaps_must_be_stable_first() -> None:
    world = fencing("Off", stable_for=6.0)
    for word in ("Off", "On", "Off", "On"):
        world.word = word
        world.run(3.5)
    assert world.rec.state is S.FENCING


def test_the_bmc_of_another_machine_is_neither_proof_nor_target() -> None:
    world = World("Off", identity="A")
    world.identity = "B"
    world.policy = Policy(recovery_attempts=0, activity_samples=1, fast_path=False)
    world.to(S.FENCING)
    world.run(120)
    world.word = "On"
    world.run(120)
    assert (world.rec.state, world.off_commands) == (S.FENCING, 0)
    told = world.said(Alert.FENCE_ATTEMPT_FAILED)[0]
    assert (told["reason"], "shows machine B" in str(told["text"])) == ("precondition", True)
    world.identity = "A"
    world.word = "Off"
    world.to(S.FENCED, 30)


def test_two_reads_of_different_machines_are_no_proof() -> None:
    world = fencing("Off", stable_for=6.0)
    for serial in ("A", "B", "A", "B"):
        world.identity = serial
        world.run(4)
    assert world.rec.state is S.FENCING


def test_an_unreachable_bmc_is_never_a_fence_and_its_return_is_noticed_within_23_seconds() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.run(3600)
    assert world.rec.state is S.FENCING
    messages = [a for a in world.alerts if a.startswith("FENCE")]
    assert len(messages) <= 7, messages
    assert world.off_commands == 0
    world.word = "Off"
    assert world.to(S.FENCED) <= 23


def test_a_wrong_password_is_tried_once_in_300_seconds_and_works_after_a_restart_with_the_right_one() -> None:
    world = fencing(Cause.AUTH)
    world.run(3000)
    assert len(world.reads) <= 12
    world.word = "Off"
    world.rec = replace(world.rec, epoch=2)
    world.see(Claimed())
    assert world.to(S.FENCED) <= 12


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.BAD_RESPONSE])
def test_a_read_that_failed_harmlessly_does_not_stop_the_command(cause: Cause) -> None:
    world = fencing(cause)
    world.reply = cuts_power
    world.to(S.FENCED, 30)
    assert world.off_commands == 1


# -- brakes, back-off, reading


def test_the_brake_holds_commands_and_says_so_once_and_hosts_that_are_off_still_become_down() -> None:
    world = fencing("On")
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.BRAKE
    world.to(S.FENCING)
    world.run(2000)
    assert (world.off_commands, world.alerts.count("FENCE_HELD")) == (0, 1)
    world.word = "Off"
    world.to(S.FENCED, 30)


def test_other_holds_are_silent() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.START
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
    assert world.rec.fence.phase is Phase.STATUS_FIRST
    assert world.to(S.FENCED) <= 12


# -- the host comes back


def test_a_host_that_is_healthy_before_any_command_goes_back_to_available() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.START
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
    assert [e for e in world.effects if isinstance(e, StopStrangers)] == [StopStrangers(fence_id="node1-f1")]
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
    assert sum(isinstance(e, StopStrangers) for e in world.effects) == 2


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
    assert [ask for _, ask in world.commands] == [Ask.RESET]
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
    world.see(Activity(seen=False, epoch=1))
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
            inflight=Request(id="1.1", ask=Ask.RESET, at=0.0),
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
    world.run(10, lambda w: w.rec.inflight is not None and w.rec.inflight.ask is Ask.READ)
    request = world.rec.inflight
    assert request is not None
    world.see(world.read(request, 1))
    world.see(Tick())
    assert world.rec.inflight is not None
    assert world.rec.inflight.ask is Ask.OFF
    world.see(Disable(request=1))
    world.see(Enable(request=2))
    assert (world.rec.state, world.answers[-1].ok) == (S.DISABLED, False)
    world.see(CommandReply(request=world.rec.inflight.id, epoch=1, result=CommandResult.ACCEPTED))
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
    aborted.hold = Hold.START
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


def test_an_operator_ends_a_fence_that_no_bmc_can_prove() -> None:
    world = fencing(Cause.UNREACHABLE)
    manual(world)
    manual(world, request=6)
    world.to(S.FENCED, 20)
    assert [(a.request, a.ok) for a in world.answers] == [(6, False), (5, True)]
    fact = world.said(Alert.FENCED)[0]
    assert (fact["how"], fact["who"], fact["why"]) == ("manual", "alice", "cords pulled")


def test_a_signature_is_refused_while_the_bmc_says_on() -> None:
    world = World("On", Policy(recovery_attempts=0, fast_path=False, activity_samples=1))
    world.hold = Hold.START
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
    assert world.said(Alert.FENCED)[0]["how"] == "already-off"
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
    last = [e for e in world.effects if isinstance(e, Told) and e.kind is Kind.STATE][-1]
    assert last.detail["event"] == "Fenced"


def test_success_words_appear_only_after_the_commit() -> None:
    world = fencing("On")
    world.run(300)
    said = " ".join(str(e.detail.get("text")) for e in world.effects if isinstance(e, Told) and e.kind is Kind.ALERT)
    assert not any(word in said for word in ("performed", "succeeded", "fenced"))


def test_a_repeated_alert_is_told_again_after_a_quarter_of_an_hour_with_a_count() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.run(2000)
    told = world.said(Alert.FENCE_ATTEMPT_FAILED)
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
    world.hold = Hold.START
    world.to(S.FENCING)
    world.run(4)
    world.rec = replace(world.rec, lease_until=world.now + 11)
    world.hold = None
    world.see(Tick())
    assert world.commands == []
