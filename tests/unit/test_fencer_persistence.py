"""The fence procedure does not give up early: swallowed commands, slow and busy BMCs, identity, the last reads before the end."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from fencer.events_effects import CommandAnswered
from fencer.outcome import Action, Cause, FenceVerdict, PowerCommand, Reading
from tests.fencer_bmc import LIMITS, OFF, ON, SILENT, UNKNOWN, Bmc, Clock, cause_of, how, listed, play, refused, trouble


@pytest.fixture
def bmc() -> Bmc:
    return Bmc(Clock())


# --- commands -----------------------------------------------------------------------------------------------------------


def swallow_until(seconds: float, wanted: PowerCommand, bmc: Bmc) -> None:
    began = bmc.clock.at
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is not wanted or it.clock.at - began > seconds else None


def test_a_swallowed_force_off_is_sent_once_more_and_works(bmc: Bmc) -> None:
    swallow_until(3.0, OFF, bmc)
    assert (how(play(bmc)), bmc.sent) == ("powered-off", [OFF, OFF])


def test_a_caller_with_one_command_sends_it_once(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    play(bmc, limits=replace(LIMITS, max_commands=1))
    assert bmc.sent == [OFF]


@pytest.mark.parametrize("seconds", [3.0, 8.0, 12.0])
def test_reboot_sends_a_swallowed_on_again_while_the_host_stays_off(bmc: Bmc, seconds: float) -> None:
    swallow_until(seconds, ON, bmc)
    outcome = play(bmc, Action.REBOOT, replace(LIMITS, deadline=50))
    assert (how(outcome), outcome.notes, bmc.up) == ("restarted", (), True)


@pytest.mark.parametrize(
    "answers", [[], [refused(Cause.CONFLICT)] * 99, [refused(Cause.PRIVILEGE)] * 99, [refused(Cause.BUSY)] * 99]
)
def test_reboot_warns_only_after_it_tried_on_to_the_deadline(bmc: Bmc, answers: list[CommandAnswered]) -> None:
    bmc.up = False
    bmc.answers = answers
    bmc.obeys = lambda it, command: None
    began = bmc.clock.at
    outcome = play(bmc, Action.REBOOT, replace(LIMITS, deadline=50))
    assert (outcome.verdict, how(outcome)) == (FenceVerdict.CONFIRMED, "already-off")
    assert "switching it on again failed" in outcome.notes[0]
    assert bmc.clock.at - began > 49
    assert bmc.commands[-1][0] - began > 35


def test_an_on_that_is_refused_just_after_the_off_is_repeated_soon_and_then_less_often(bmc: Bmc) -> None:
    bmc.up = False
    bmc.answers = [refused(Cause.CONFLICT)] * 99
    bmc.obeys = lambda it, command: None
    play(bmc, Action.REBOOT, replace(LIMITS, deadline=50))
    times = [at for at, _ in bmc.commands]
    for gap, wanted in zip((later - earlier for earlier, later in pairwise(times)), [2, 2, 2, 4, 8, 8], strict=False):
        assert wanted <= gap < wanted + 1.5


def test_a_host_that_is_powering_off_is_not_asked_again(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None

    def says(it: Bmc) -> str:
        it.up = not it.commands or it.clock.at - it.commands[0][0] < 10
        return "On" if not it.commands else "PoweringOff" if it.up else "Off"

    bmc.says = says
    assert (how(play(bmc)), bmc.sent) == ("powered-off", [OFF])


def test_busy_is_repeated_after_two_four_and_eight_seconds_up_to_the_deadline(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.BUSY)] * 99
    outcome = play(bmc, limits=replace(LIMITS, deadline=50))
    assert cause_of(outcome) is Cause.BUSY
    times = [at for at, _ in bmc.commands]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) >= 6
    for gap, wanted in zip(gaps, [2, 4, 8, 8, 8, 8], strict=False):
        assert wanted <= gap < wanted + 1.5


def test_busy_commands_do_not_use_up_the_others(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.BUSY)] * 3
    assert (how(play(bmc, limits=replace(LIMITS, deadline=30))), len(bmc.sent)) == ("powered-off", 4)


def test_a_refused_parameter_gives_way_to_every_other_listed_way(bmc: Bmc) -> None:
    bmc.offered = listed(OFF, PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON)
    bmc.answers = [replace(refused(Cause.UNSUPPORTED), wrong_parameter=True)]
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is PowerCommand.PUSH_POWER_BUTTON else None
    assert how(play(bmc)) == "powered-off"
    assert bmc.sent == [OFF, PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON]


def test_a_refused_parameter_without_another_way_is_tried_once_more(bmc: Bmc) -> None:
    bmc.answers = [replace(refused(Cause.UNSUPPORTED), wrong_parameter=True)] * 9
    assert cause_of(play(bmc)) is Cause.UNSUPPORTED
    assert bmc.sent == [OFF, OFF]


def test_a_refused_on_gives_way_to_force_on(bmc: Bmc) -> None:
    bmc.up = False
    bmc.offered = listed(ON, PowerCommand.FORCE_ON)
    bmc.answers = [replace(refused(Cause.UNSUPPORTED), wrong_parameter=True)]
    assert how(play(bmc, Action.ON)) == "on"
    assert bmc.sent == [ON, PowerCommand.FORCE_ON]


def test_a_system_without_commands_is_read_again(bmc: Bmc) -> None:
    offers = iter([listed(), listed()])
    bmc.allowed_commands = lambda timeout: next(offers, listed(OFF))  # type: ignore[method-assign]
    assert how(play(bmc)) == "powered-off"


def test_a_lost_answer_makes_the_proof_longer(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.TIMEOUT)]
    outcome = play(bmc)
    assert outcome.evidence is not None
    proof = outcome.evidence.readings
    assert len(proof) >= 3
    assert proof[-1].at - proof[0].at >= 2 * LIMITS.stable_for


def test_a_request_that_was_repeated_makes_the_proof_longer(bmc: Bmc) -> None:
    bmc.up = False
    bmc.repeated = lambda it: 1 if it.reads == 1 else 0
    outcome = play(bmc)
    assert outcome.evidence is not None
    assert outcome.evidence.readings[-1].at - outcome.evidence.readings[0].at >= 2 * LIMITS.stable_for


# --- time ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("up", [True, False])
def test_a_bmc_that_takes_seconds_for_each_answer_is_fenced(bmc: Bmc, up: bool) -> None:
    bmc.up = up
    bmc.cost = 7.0  # two requests of 3.5 s
    bmc.requests = 2
    assert how(play(bmc, limits=replace(LIMITS, deadline=50))) == ("powered-off" if up else "already-off")


@pytest.mark.parametrize("requests", [1, 2])
@pytest.mark.parametrize("cost", [0.05, 0.3, 0.6])
def test_polling_is_steady_so_that_a_late_off_is_seen(bmc: Bmc, cost: float, requests: int) -> None:
    """The rail falls 10 s after the second read of 15; every read costs something, as on a loaded machine."""
    bmc.cost, bmc.requests = cost, requests
    bmc.obeys = lambda it, command: None
    times: list[float] = []

    def says(it: Bmc) -> str:
        times.append(it.clock.at)
        it.up = len(times) < 2 or it.clock.at - times[1] < 10
        return "On" if it.up else "Off"

    bmc.says = says
    assert how(play(bmc)) == "powered-off"
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) <= max(1.1, 2 * cost + 0.55)


def test_a_read_that_may_complete_a_proof_uses_the_last_moments(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None

    def says(it: Bmc) -> str:
        it.up = it.clock.at < 113.55
        return "On" if it.up else "Off"

    bmc.says = says
    assert how(play(bmc, limits=replace(LIMITS, poll_max=0.5))) == "powered-off"


def test_a_late_off_that_is_no_proof_yet_is_said_so(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.says = lambda it: "On" if it.clock.at < 114.2 else "Off"
    outcome = play(bmc, limits=replace(LIMITS, poll_max=0.5))
    assert cause_of(outcome) is Cause.TIMEOUT
    assert outcome.failure is not None
    assert "a proof needs 2 reads over 1 s" in outcome.failure.text
    assert "was not off" not in outcome.failure.text


def test_a_late_off_and_a_lost_read_name_both(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None

    def says(it: Bmc) -> str:
        if it.clock.at < 114.2:
            return "On"
        it.misses = [trouble(Cause.BUSY, "the BMC is busy")] * 9
        return "Off"

    bmc.says = says
    outcome = play(bmc, limits=replace(LIMITS, poll_max=0.5))
    assert cause_of(outcome) is Cause.BUSY
    assert "the last read failed: the BMC is busy" in str(outcome.failure)


# --- witnesses and identity ---------------------------------------------------------------------------------------------


def test_a_chassis_that_falls_silent_is_named(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.says = lambda it: "Off" if it.commands else "On"
    bmc.chassis = lambda it: SILENT if it.commands else "On"
    outcome = play(bmc)
    assert cause_of(outcome) is Cause.BAD_RESPONSE
    for words in ("/c/1", "has no PowerState any more", "chassis_check"):
        assert words in str(outcome.failure)


def test_a_chassis_that_cannot_be_read_is_named(bmc: Bmc) -> None:
    bmc.up = False
    bmc.chassis = lambda it: UNKNOWN
    outcome = play(bmc)
    assert cause_of(outcome) is Cause.BAD_RESPONSE
    assert "its chassis /c/1 gives no word" in str(outcome.failure)


def test_status_names_the_knob_where_a_chassis_contradicts(bmc: Bmc) -> None:
    bmc.up = False
    bmc.chassis = lambda it: "On"
    assert "chassis_check" in str(play(bmc, Action.STATUS).failure)


def test_an_identity_that_was_shown_once_is_enough(bmc: Bmc) -> None:
    bmc.wanted = "uuid-1"
    bmc.identity = lambda it: "uuid-1" if it.up else None
    assert how(play(bmc)) == "powered-off"


@pytest.mark.parametrize("action", [Action.OFF, Action.ON, Action.STATUS, Action.REBOOT])
@pytest.mark.parametrize("up", [True, False])
def test_a_machine_that_never_shows_its_identity_is_neither_touched_nor_believed(bmc: Bmc, action: Action, up: bool) -> None:
    bmc.up, bmc.wanted = up, "uuid-1"
    bmc.identity = lambda it: None
    outcome = play(bmc, action)
    assert (cause_of(outcome), bmc.sent) == (Cause.CONFIG, [])
    assert "identity_check=when-shown" in str(outcome.failure)


def test_an_identity_that_comes_late_is_waited_for(bmc: Bmc) -> None:
    bmc.wanted = "uuid-1"
    bmc.identity = lambda it: "uuid-1" if it.reads > 2 else None
    assert how(play(bmc)) == "powered-off"


def test_a_denied_command_and_a_read_that_fails_for_good(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.PRIVILEGE)] * 2
    read = bmc.read

    def gone(timeout: float) -> Reading:
        if len(bmc.sent) == 2:
            bmc.misses = [trouble(Cause.CONFIG, "another machine")]
        return read(timeout)

    bmc.read = gone  # type: ignore[method-assign]
    assert cause_of(play(bmc)) is Cause.CONFIG
