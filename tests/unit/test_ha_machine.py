"""The pure machine, driven by a virtual clock: a host, its BMC and what the manager would do with the effects."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.ha import machine
from fencer.ha.effects import AlertName, Release, TimelineLine
from fencer.ha.observations import (
    Activity,
    Claimed,
    CommandResult,
    Health,
    Tick,
)
from fencer.ha.policy import Policy
from fencer.ha.record import FencePhase, RequestKind
from fencer.outcome import Cause, Failure
from tests.ha_world import (
    S,
    World,
    answers,
    cuts_power,
    fencing,
)

# -- the incident


def test_a_host_that_is_off_is_down_within_26_seconds_without_a_power_command_and_with_three_alerts() -> None:
    world = World("Off", Policy())
    detected = 4 + 10  # a poll and a health check that takes all its time
    assert detected + world.to(S.FENCED) <= 26
    assert world.commands == []
    assert world.alerts == ["HEALTH_LOST", "FENCE_STARTED", "FENCED"]
    assert world.said(AlertName.FENCED)[0]["how"] == "already-off"
    assert world.states == ["Suspect", "Checking", "Suspect", "Checking", "Recovering", "Fencing", "Fenced"]


def test_the_proof_is_two_reads_of_the_fence_itself_at_least_stable_for_apart() -> None:
    world = World("Off", Policy())
    world.to(S.FENCED)
    fact = world.said(AlertName.FENCED)[0]
    begun = next(w for w in world.effects if isinstance(w, TimelineLine) and w.detail.get("alert") == AlertName.FENCE_STARTED)
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
    assert world.said(AlertName.FENCED)[0]["how"] == "powered-off"
    assert world.off_commands == 1


def test_an_accepted_power_off_without_effect_fails_the_attempt_and_blocks_after_ten() -> None:
    world = fencing("On")
    world.run(10 * 130, lambda w: w.rec.fence is not None and w.rec.fence.phase is FencePhase.BLOCKED)
    assert world.off_commands == 10
    told = world.said(AlertName.FENCE_ATTEMPT_FAILED)
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
    on.run(30, lambda w: bool(w.said(AlertName.FENCE_ATTEMPT_FAILED)))
    told = on.said(AlertName.FENCE_ATTEMPT_FAILED)[0]
    assert (told["reason"], told["code"], told["message_id"]) == ("conflict-other", "HTTP 409", "Base.1.0.X")
    assert "busy with POST" in str(told["text"])


def test_a_lost_answer_is_not_a_failure_until_the_power_off_had_its_time() -> None:
    world = fencing("On")
    world.reply = answers(CommandResult.AMBIGUOUS, Cause.TIMEOUT)
    world.run(50, lambda w: w.off_commands > 0)
    world.run(50)
    assert world.said(AlertName.FENCE_ATTEMPT_FAILED) == []
    world.run(15)
    assert world.said(AlertName.FENCE_ATTEMPT_FAILED)[0]["reason"] == "timeout"


def test_a_bmc_that_vanishes_after_the_command_gives_its_own_reason() -> None:
    world = fencing("On")
    world.run(50, lambda w: w.off_commands > 0)
    world.word = Cause.UNREACHABLE
    world.run(65)
    assert world.said(AlertName.FENCE_ATTEMPT_FAILED)[0]["reason"] == "unreachable"


def test_a_final_failure_of_a_command_fails_the_attempt_at_once() -> None:
    world = fencing("On")
    world.reply = answers(CommandResult.FAILED, Cause.PRIVILEGE)
    world.run(10, lambda w: bool(w.said(AlertName.FENCE_ATTEMPT_FAILED)))
    assert world.rec.fence is not None
    assert world.rec.fence.next_attempt_at >= world.now + 299


def test_a_command_that_was_not_sent_is_decided_again_after_a_new_read() -> None:
    world = fencing("On")
    sent: list[int] = []

    def once(w: World, ask: RequestKind) -> tuple[CommandResult, Failure | None]:
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
    assert doubted.said(AlertName.FENCED)[0]["chassis_check"] == "ok"
    ignored = World("Off", chassis_check=False)
    ignored.chassis = "On"
    ignored.to(S.FENCED)
    assert ignored.said(AlertName.FENCED)[0]["chassis_check"] == "ignore"


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
    told = world.said(AlertName.FENCE_ATTEMPT_FAILED)[0]
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


def test_a_manager_that_stood_still_between_two_reads_begins_its_proof_anew() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.word = "Off"
    world.run(60, lambda w: w.rec.off_run is not None)
    world.now += world.policy.lease + world.policy.stable_for + 1
    world.see(Tick())
    assert world.rec.state is S.FENCING
    assert world.rec.off_run is not None
    assert world.rec.off_run.count == 1
    assert world.to(S.FENCED) <= world.policy.stable_for + 0.25


def test_an_unreachable_bmc_is_never_a_fence_and_its_return_is_noticed_within_23_seconds() -> None:
    world = fencing(Cause.UNREACHABLE)
    world.run(3600)
    assert world.rec.state is S.FENCING
    messages = [a for a in world.alerts if a.startswith("FENCE")]
    assert len(messages) <= 7, messages
    assert world.off_commands == 0
    world.word = "Off"
    assert world.to(S.FENCED) <= 23


def test_a_wrong_password_is_tried_once_in_300_seconds_also_by_another_manager() -> None:
    world = fencing(Cause.AUTH)
    world.run(3000)
    assert len(world.reads) + len(world.checks) <= 12
    world.word = "Off"
    world.rec = replace(world.rec, epoch=2)
    world.see(Claimed())
    assert world.to(S.FENCED) <= 300 + 12


@pytest.mark.parametrize("cause", [Cause.BUSY, Cause.BAD_RESPONSE])
def test_a_read_that_failed_harmlessly_does_not_stop_the_command(cause: Cause) -> None:
    world = fencing(cause)
    world.reply = cuts_power
    world.to(S.FENCED, 30)
    assert world.off_commands == 1


def test_the_proof_starts_anew_when_the_fence_begins_and_the_read_that_was_under_way_neither_proves_nor_commands() -> None:
    world = World("Off", Policy(activity_samples=1, recovery_attempts=0, device_check=0))
    world.silent = True
    for seen in (Health(passed=False), Tick()):  # a read goes out, and a sample begins
        world.rec, _ = machine.step(world.rec, seen, world.policy, world.now)
    old = world.rec.inflight
    assert old is not None
    world.now += 0.5
    world.see(Activity(active=False, epoch=1))
    assert world.rec.state is S.FENCING
    world.now += 0.5
    world.see(replace(world.read(old, 1), started=world.now - 1.0))
    assert world.rec.off_run is None
    world.silent = False
    assert world.to(S.FENCED, 60) <= world.policy.stable_for + world.policy.status_poll
    assert world.commands == []
