"""The fence procedure, played on a BMC of the test's own and on a clock that costs nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.events_effects import CommandAnswered
from fencer.outcome import Cause, FenceVerdict, PowerCommand
from fencer.target import ChassisCheck
from tests.fencer_bmc import (
    LIMITS,
    OFF,
    Bmc,
    Clock,
    cause_of,
    how,
    play,
    refused,
    trouble,
)


@pytest.fixture
def bmc() -> Bmc:
    return Bmc(Clock())


# --- what proves Off ------------------------------------------------------------------------------------------------


def test_a_host_that_is_off_already_gets_no_command(bmc: Bmc) -> None:
    bmc.up = False
    outcome = play(bmc)
    assert (how(outcome), outcome.commands_sent, bmc.sent) == ("already-off", 0, [])


def test_off_needs_reads_that_span_stable_for(bmc: Bmc) -> None:
    bmc.up = False
    outcome = play(bmc, limits=replace(LIMITS, stable_for=4.0))
    assert outcome.evidence is not None
    readings = outcome.evidence.readings
    assert len(readings) >= 2
    assert readings[-1].at - readings[0].at >= 4.0


def test_stable_for_zero_still_needs_two_reads(bmc: Bmc) -> None:
    bmc.up = False
    outcome = play(bmc, limits=replace(LIMITS, stable_for=0.0))
    assert outcome.evidence is not None
    assert len(outcome.evidence.readings) == 2


def test_a_running_host_is_forced_off_once_and_read_afterwards(bmc: Bmc) -> None:
    outcome = play(bmc)
    assert (how(outcome), bmc.sent) == ("powered-off", [OFF])
    assert outcome.evidence is not None
    assert all(reading.at > bmc.commands[0][0] for reading in outcome.evidence.readings)


@pytest.mark.parametrize("glitch", [1, 2, 3])
def test_a_false_off_at_the_first_reads_is_not_believed(bmc: Bmc, glitch: int) -> None:
    bmc.says = lambda it: "Off" if it.reads <= glitch or not it.up else "On"
    assert (how(play(bmc)), bmc.sent) == ("powered-off", [OFF])


def test_a_flap_after_the_command_starts_the_count_again(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.says = lambda it: ["On", "Off", "Off", "Off", "On"][min(it.reads - 1, 4)]
    assert cause_of(play(bmc)) is Cause.TIMEOUT


def test_off_and_on_in_turn_for_ever_is_never_off(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.says = lambda it: "Off" if it.reads % 2 else "On"
    play_outcome = play(bmc)
    assert play_outcome.verdict is not FenceVerdict.CONFIRMED


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.UNREACHABLE, Cause.BUSY, Cause.BAD_RESPONSE, Cause.NOT_FOUND])
@pytest.mark.parametrize("voids", [True, False])
def test_a_missed_read_makes_the_proof_longer_and_an_answer_about_something_else_starts_it_again(
    bmc: Bmc, cause: Cause, voids: bool
) -> None:
    bmc.up, bmc.foreign = False, voids
    seen: list[str] = []

    def says(it: Bmc) -> str:
        seen.append("Off")
        if len(seen) == 2:
            it.misses = [trouble(cause)]
        return "Off"

    bmc.says = says
    outcome = play(bmc)
    assert outcome.evidence is not None
    proof = outcome.evidence.readings
    assert proof == outcome.readings[2 if voids else 0 :]
    assert len(proof) >= 3
    assert proof[-1].at - proof[0].at >= 2 * LIMITS.stable_for


def test_a_chassis_that_is_still_on_contradicts_an_early_off(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.says = lambda it: "Off" if it.commands else "On"
    bmc.chassis = lambda it: "On" if it.says(it) == "Off" and it.up else "Off"

    def power_falls_at_the_tenth_read(it: Bmc) -> str | None:
        it.up = it.reads < 10
        return "On" if it.up else "Off"

    bmc.chassis = power_falls_at_the_tenth_read
    outcome = play(bmc)
    assert (how(outcome), bmc.sent) == ("powered-off", [OFF])
    assert outcome.evidence is not None
    assert outcome.evidence.chassis_check == "ok"


def test_a_chassis_that_stays_on_means_no_claim(bmc: Bmc) -> None:
    bmc.says = lambda it: "Off"
    bmc.chassis = lambda it: "On"
    bmc.obeys = lambda it, command: None
    outcome = play(bmc)
    assert cause_of(outcome) is Cause.TIMEOUT
    assert outcome.failure is not None
    assert "chassis says On" in outcome.failure.text


def test_an_ignored_chassis_is_recorded_in_the_evidence(bmc: Bmc) -> None:
    bmc.up = False
    outcome = play(bmc, limits=replace(LIMITS, chassis_check=ChassisCheck.IGNORE))
    assert outcome.evidence is not None
    assert outcome.evidence.chassis_check == "ignore"


@pytest.mark.parametrize("word", ["PoweringOff", "Paused", "Sleep", "off", " Off ", "", None])
def test_no_other_word_is_off(bmc: Bmc, word: str | None) -> None:
    bmc.says = lambda it: word
    bmc.obeys = lambda it, command: None
    expected = Cause.TIMEOUT if word in ("PoweringOff", "Paused") else Cause.BAD_RESPONSE
    assert cause_of(play(bmc)) is expected


def test_powering_off_for_a_while_then_off(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None

    def says(it: Bmc) -> str:
        if not it.commands:
            return "On"
        it.up = it.reads < 7
        return "PoweringOff" if it.up else "Off"

    bmc.says = says
    assert (how(play(bmc)), bmc.sent) == ("powered-off", [OFF])


def test_a_host_that_powers_off_by_itself_is_given_time_before_it_is_forced(bmc: Bmc) -> None:
    def says(it: Bmc) -> str:
        it.up = it.reads < 3
        return "PoweringOff" if it.up else "Off"

    bmc.says = says
    assert (how(play(bmc)), bmc.sent) == ("already-off", [])


def test_another_machine_behind_the_same_address_is_refused(bmc: Bmc) -> None:
    bmc.identity = lambda it: "uuid-1" if it.reads < 2 else "uuid-2"
    bmc.says = lambda it: "On" if it.reads < 2 else "Off"
    outcome = play(bmc)
    assert cause_of(outcome) is Cause.CONFIG


def test_a_uuid_that_vanishes_with_the_power_is_no_other_machine(bmc: Bmc) -> None:
    bmc.identity = lambda it: "uuid-1" if it.up else None
    assert how(play(bmc)) == "powered-off"


# --- answers to commands --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.CONFLICT, Cause.BAD_RESPONSE, Cause.PRECONDITION, Cause.TIMEOUT])
def test_an_ambiguous_answer_on_a_running_host_is_no_off(bmc: Bmc, cause: Cause) -> None:
    bmc.answers = [refused(cause)] * 9
    outcome = play(bmc)
    assert (cause_of(outcome), outcome.verdict, outcome.commands_sent) == (cause, FenceVerdict.REFUTED, 3)
    assert outcome.failure is not None
    assert "last known power state On" in outcome.failure.text


def test_not_ready_twice_and_then_obeyed(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.CONFLICT), refused(Cause.CONFLICT)]
    assert (how(play(bmc)), len(bmc.sent)) == ("powered-off", 3)


def test_every_command_has_a_read_right_before_it(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.CONFLICT), refused(Cause.CONFLICT)]
    trail: list[str] = []
    play(bmc, observe=lambda at, what: trail.append(type(what).__name__))
    sends = [index for index, name in enumerate(trail) if name == "Send"]
    assert all("ReadOk" in trail[index - 2 : index] or trail[index - 1] == "AllowedCommands" for index in sends)


def test_executed_although_the_answer_was_lost(bmc: Bmc) -> None:
    def lost(timeout: float) -> None:
        bmc.up = False

    bmc.answers = [refused(Cause.UNREACHABLE)]
    command = bmc.command

    def execute_and_drop(wanted: PowerCommand, timeout: float) -> CommandAnswered:
        lost(timeout)
        return command(wanted, timeout)

    bmc.command = execute_and_drop  # type: ignore[method-assign]
    assert (how(play(bmc)), len(bmc.sent)) == ("powered-off", 1)


def test_not_executed_and_the_answer_lost_is_sent_again_once(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.UNREACHABLE)]
    assert (how(play(bmc)), len(bmc.sent)) == ("powered-off", 2)


def test_retry_after_is_honoured(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.BUSY, 3.0)]
    assert how(play(bmc)) == "powered-off"
    assert bmc.commands[1][0] - bmc.commands[0][0] >= 3.0


def test_a_bmc_that_says_when_is_not_kept_waiting_for_an_earlier_lost_command(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.TIMEOUT), refused(Cause.BUSY, 1.0)]
    assert how(play(bmc)) == "powered-off"
    assert 2.0 <= bmc.commands[2][0] - bmc.commands[1][0] < 3.0


def test_a_command_that_was_lost_makes_no_wait_longer_after_a_refusal(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.TIMEOUT), refused(Cause.CONFLICT)]
    assert how(play(bmc)) == "powered-off"
    assert 2.0 <= bmc.commands[2][0] - bmc.commands[1][0] < 3.0


@pytest.mark.parametrize("cause", [Cause.TIMEOUT, Cause.UNREACHABLE])
def test_a_command_that_is_lost_twice_is_sent_again_without_a_longer_wait(bmc: Bmc, cause: Cause) -> None:
    bmc.answers = [refused(cause)] * 2
    assert how(play(bmc)) == "powered-off"
    first, second, third = (at for at, _ in bmc.commands)
    assert 2.0 <= second - first < 3.0
    assert 2.0 <= third - second < 3.0


def test_a_retry_after_beyond_the_deadline_means_no_second_command(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.BUSY, 60.0)]
    assert cause_of(play(bmc)) is Cause.BUSY
    assert len(bmc.sent) == 1


@pytest.mark.parametrize("cause", [Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.UNSUPPORTED, Cause.NOT_FOUND])
def test_a_second_denial_ends_early_after_one_more_look(bmc: Bmc, cause: Cause) -> None:
    bmc.answers = [refused(cause)] * 3
    began = bmc.clock.at
    assert cause_of(play(bmc)) is cause
    assert len(bmc.sent) == 2
    assert bmc.commands[1][0] - bmc.commands[0][0] >= 2
    assert bmc.clock.at - began < 3


@pytest.mark.parametrize("cause", [Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.UNSUPPORTED, Cause.NOT_FOUND, Cause.TLS])
def test_one_denial_of_the_command_does_not_end_the_fence(bmc: Bmc, cause: Cause) -> None:
    bmc.answers = [refused(cause)]
    assert (how(play(bmc)), len(bmc.sent)) == ("powered-off", 2)


def test_with_one_command_to_spend_the_first_denial_ends(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.PRIVILEGE)]
    assert cause_of(play(bmc, limits=replace(LIMITS, max_commands=1))) is Cause.PRIVILEGE
    assert (len(bmc.sent), bmc.reads) == (1, 2)


def test_a_denial_of_a_host_that_is_off_by_then_is_no_failure(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.PRIVILEGE)]
    bmc.says = lambda it: "On" if it.reads < 2 else "Off"
    bmc.up = False
    assert how(play(bmc)) == "powered-off"


def test_a_denial_and_then_no_reading_is_the_denial(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.PRIVILEGE)] * 2
    command = bmc.command

    def then_silent(wanted: PowerCommand, timeout: float) -> CommandAnswered:
        bmc.misses = [trouble(Cause.TIMEOUT)] * (9 if len(bmc.sent) == 1 else 1)
        return command(wanted, timeout)

    bmc.command = then_silent  # type: ignore[method-assign]
    assert cause_of(play(bmc)) is Cause.PRIVILEGE


def test_accepted_without_effect_is_a_time_out_that_names_the_limit(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    outcome = play(bmc)
    assert (cause_of(outcome), outcome.verdict, len(bmc.sent)) == (Cause.TIMEOUT, FenceVerdict.REFUTED, 2)
    assert bmc.commands[1][0] - bmc.commands[0][0] >= 5  # once more after a third of the time
    assert outcome.failure is not None
    assert "within 15 s" in outcome.failure.text


def test_off_at_the_fifteenth_read_is_still_seen(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None

    def says(it: Bmc) -> str:
        # The gate of the suite: fifteen reads after the command, or 10 s after the second.
        it.up = it.reads < 16 and not (it.commands and it.clock.at - it.commands[0][0] > 11)
        return "On" if it.up else "Off"

    bmc.says = says
    assert how(play(bmc)) == "powered-off"


def test_a_veto_sends_nothing_and_says_so(bmc: Bmc) -> None:
    asked: list[PowerCommand] = []

    def permit(command: PowerCommand) -> bool:
        asked.append(command)
        return False

    outcome = play(bmc, permit=permit)
    assert (cause_of(outcome), bmc.sent, asked, outcome.commands_sent) == (Cause.BUSY, [], [OFF], 0)
    assert outcome.failure is not None
    assert "not permitted" in outcome.failure.text


def test_permission_is_asked_before_each_command(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.BUSY)]
    asked: list[PowerCommand] = []
    play(bmc, permit=lambda command: not asked.append(command))  # type: ignore[func-returns-value]
    assert asked == bmc.sent == [OFF, OFF]
