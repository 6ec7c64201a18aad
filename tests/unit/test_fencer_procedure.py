"""The fence procedure, played on a BMC of the test's own and on a clock that costs nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from fencer import procedure
from fencer.moves import CommandAnswered, DeadlinePassed, Finish, Offers, ReadFailed, ReadOk, TaskSaid, TimerFired
from fencer.outcome import Action, Cause, Failure, Outcome, Power, PowerCommand, Reading, Verdict, power_of
from fencer.run import perform
from fencer.situation import Input, Phase
from fencer.target import ChassisCheck, Limits
from fencer.transport.base import Unread

OFF, ON = PowerCommand.FORCE_OFF, PowerCommand.ON
LIMITS = Limits(deadline=15)


def trouble(cause: Cause, text: str = "the BMC said no") -> Failure:
    return Failure(cause=cause, text=text, code="HTTP 4xx")


def refused(cause: Cause, retry_after: float | None = None) -> CommandAnswered:
    return CommandAnswered(trouble(cause), retry_after)


@dataclass
class Clock:
    at: float = 100.0

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.at += seconds


@dataclass
class Bmc:
    """Says what it is told to say; `up` is the truth that a claim is compared with."""

    clock: Clock
    up: bool = True
    says: Callable[[Bmc], str | None] = lambda bmc: "On" if bmc.up else "Off"
    chassis: Callable[[Bmc], str | None] = lambda bmc: None
    answers: list[CommandAnswered] = field(default_factory=list)  # then accepted
    obeys: Callable[[Bmc, PowerCommand], None] = lambda bmc, command: bmc.follow_orders(command)
    offered: Offers = field(default_factory=Offers)
    misses: list[Failure] = field(default_factory=list)  # of the next reads
    retry_after: float | None = None
    tasks: list[TaskSaid] = field(default_factory=list)
    identity: Callable[[Bmc], str | None] = lambda bmc: "uuid-1"
    cost: float = 0.02
    requests: int = 1
    reads: int = 0
    followed: int = 0
    commands: list[tuple[float, PowerCommand]] = field(default_factory=list)

    def follow_orders(self, command: PowerCommand) -> None:
        self.up = command in (ON, PowerCommand.FORCE_ON)

    def read(self, timeout: float) -> Reading:
        assert timeout > 0
        at = self.clock.now()
        self.reads += 1
        self.clock.at += min(self.cost, timeout)
        if self.cost > timeout:
            raise Unread(trouble(Cause.TIMEOUT))
        if self.misses:
            raise Unread(self.misses.pop(0), self.retry_after)
        word, chassis = self.says(self), self.chassis(self)
        return Reading(
            power=power_of(word, chassis), word=word, at=at, path="test", source="the System", chassis_word=chassis,
            identity=self.identity(self), requests=self.requests,
        )  # fmt: skip

    def offers(self, timeout: float) -> Offers:
        return self.offered

    def command(self, command: PowerCommand, timeout: float) -> CommandAnswered:
        self.commands.append((self.clock.now(), command))
        self.clock.at += self.cost
        answer = self.answers.pop(0) if self.answers else CommandAnswered()
        if answer.failure is None:
            self.obeys(self, command)
        return answer

    def follow(self, task: str, timeout: float) -> TaskSaid:
        self.followed += 1
        return self.tasks.pop(0) if self.tasks else TaskSaid(ended=False)

    def members(self, timeout: float) -> tuple[str, ...]:
        return ()

    def close(self) -> None: ...

    @property
    def sent(self) -> list[PowerCommand]:
        return [command for _, command in self.commands]


@pytest.fixture
def bmc() -> Bmc:
    return Bmc(Clock())


def play(bmc: Bmc, action: Action = Action.OFF, limits: Limits = LIMITS, **given: object) -> Outcome:
    began = bmc.clock.at
    outcome = perform(action, bmc, bmc.clock, limits, **given)  # type: ignore[arg-type]
    assert bmc.clock.at - began <= limits.deadline + 0.1
    if action is Action.OFF and outcome.verdict is Verdict.CONFIRMED:
        assert not bmc.up, "claimed off while the host was up"
    return outcome


def cause_of(outcome: Outcome) -> Cause:
    assert outcome.verdict is not Verdict.CONFIRMED
    assert outcome.failure is not None
    return outcome.failure.cause


def how(outcome: Outcome) -> str:
    assert outcome.evidence is not None, outcome.failure
    return outcome.evidence.how


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
    assert play_outcome.verdict is not Verdict.CONFIRMED


def test_a_read_that_fails_between_breaks_the_series(bmc: Bmc) -> None:
    bmc.up = False
    seen: list[str] = []

    def says(it: Bmc) -> str:
        seen.append("Off")
        if len(seen) == 2:
            it.misses = [trouble(Cause.TIMEOUT)]
        return "Off"

    bmc.says = says
    outcome = play(bmc)
    assert outcome.evidence is not None
    assert outcome.evidence.readings == outcome.readings[2:]


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


@pytest.mark.parametrize("cause", [Cause.CONFLICT, Cause.BUSY, Cause.BAD_RESPONSE, Cause.PRECONDITION, Cause.TIMEOUT])
def test_an_ambiguous_answer_on_a_running_host_is_no_off(bmc: Bmc, cause: Cause) -> None:
    bmc.answers = [refused(cause)] * 9
    outcome = play(bmc)
    assert (cause_of(outcome), outcome.verdict, outcome.commands_sent) == (cause, Verdict.REFUTED, 3)
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
    assert all("ReadOk" in trail[index - 2 : index] or trail[index - 1] == "Offers" for index in sends)


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


def test_a_retry_after_beyond_the_deadline_means_no_second_command(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.BUSY, 60.0)]
    assert cause_of(play(bmc)) is Cause.BUSY
    assert len(bmc.sent) == 1


@pytest.mark.parametrize("cause", [Cause.AUTH, Cause.PRIVILEGE, Cause.LOCKED, Cause.UNSUPPORTED, Cause.NOT_FOUND])
def test_a_denial_ends_early_after_one_more_look(bmc: Bmc, cause: Cause) -> None:
    bmc.answers = [refused(cause)] * 3
    began = bmc.clock.at
    assert cause_of(play(bmc)) is cause
    assert (len(bmc.sent), bmc.reads) == (1, 2)
    assert bmc.clock.at - began < 1


def test_a_denial_of_a_host_that_is_off_by_then_is_no_failure(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.PRIVILEGE)]
    bmc.says = lambda it: "On" if it.reads < 2 else "Off"
    bmc.up = False
    assert how(play(bmc)) == "powered-off"


def test_a_denial_and_then_no_reading_is_the_denial(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.PRIVILEGE)]
    bmc.obeys = lambda it, command: None
    command = bmc.command

    def then_silent(wanted: PowerCommand, timeout: float) -> CommandAnswered:
        bmc.misses = [trouble(Cause.TIMEOUT)]
        return command(wanted, timeout)

    bmc.command = then_silent  # type: ignore[method-assign]
    assert cause_of(play(bmc)) is Cause.PRIVILEGE


def test_accepted_without_effect_is_a_time_out_that_names_the_limit(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    outcome = play(bmc)
    assert (cause_of(outcome), outcome.verdict, len(bmc.sent)) == (Cause.TIMEOUT, Verdict.REFUTED, 1)
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


# --- which command --------------------------------------------------------------------------------------------------


def listed(*commands: PowerCommand) -> Offers:
    return Offers(frozenset(commands), listed=True, source="the System")


def test_a_polite_shutdown_first_if_wanted_and_force_after_its_budget(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is OFF else None
    outcome = play(bmc, limits=replace(LIMITS, graceful=4.0))
    assert (how(outcome), bmc.sent) == ("powered-off", [PowerCommand.GRACEFUL_SHUTDOWN, OFF])
    assert 4.0 <= bmc.commands[1][0] - bmc.commands[0][0] <= 5.5


def test_a_refused_polite_shutdown_escalates_at_once(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.CONFLICT)]
    play(bmc, limits=replace(LIMITS, graceful=4.0))
    assert bmc.sent == [PowerCommand.GRACEFUL_SHUTDOWN, OFF]
    assert bmc.commands[1][0] - bmc.commands[0][0] < 1


def test_an_unknown_polite_shutdown_gives_way_to_force(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.UNSUPPORTED)]
    assert how(play(bmc, limits=replace(LIMITS, graceful=4.0))) == "powered-off"
    assert bmc.sent == [PowerCommand.GRACEFUL_SHUTDOWN, OFF]


def test_with_one_command_to_spend_force_is_not_put_at_risk(bmc: Bmc) -> None:
    play(bmc, limits=replace(LIMITS, graceful=4.0, max_commands=1))
    assert bmc.sent == [OFF]


def test_the_best_of_a_list_without_force(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON, ON)
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is PowerCommand.PUSH_POWER_BUTTON else None
    assert how(play(bmc)) == "powered-off"
    assert bmc.sent == [PowerCommand.GRACEFUL_SHUTDOWN, PowerCommand.PUSH_POWER_BUTTON]


def test_a_list_without_any_off_is_unsupported(bmc: Bmc) -> None:
    bmc.offered = listed(ON, PowerCommand.NMI)
    outcome = play(bmc)
    assert (cause_of(outcome), bmc.sent) == (Cause.UNSUPPORTED, [])


@pytest.mark.parametrize("word", ["Off", None, "PoweringOff"])
def test_a_button_is_never_pushed_on_a_host_that_is_not_known_on(bmc: Bmc, word: str | None) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.up = word != "Off"
    bmc.says = lambda it: word
    play(bmc)
    assert bmc.sent == []


def test_a_button_whose_answer_was_lost_is_not_pushed_again(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.answers = [refused(Cause.TIMEOUT)]
    play(bmc)
    assert len(bmc.sent) == 1


def test_a_button_that_was_refused_may_be_pushed_again(bmc: Bmc) -> None:
    bmc.offered = listed(PowerCommand.PUSH_POWER_BUTTON)
    bmc.answers = [refused(Cause.BUSY)]
    assert how(play(bmc)) == "powered-off"


# --- reads that fail ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.AUTH, Cause.TLS, Cause.CONFIG, Cause.NOT_FOUND, Cause.PRIVILEGE])
def test_some_failures_of_the_first_read_end_at_once(bmc: Bmc, cause: Cause) -> None:
    bmc.misses = [trouble(cause)] * 9
    assert cause_of(play(bmc)) is cause
    assert (bmc.reads, bmc.sent) == (1, [])


def test_an_unreachable_bmc_is_tried_three_times_and_is_not_off(bmc: Bmc) -> None:
    bmc.misses = [trouble(Cause.UNREACHABLE)] * 9
    began = bmc.clock.at
    outcome = play(bmc)
    assert (cause_of(outcome), outcome.verdict, bmc.reads) == (Cause.UNREACHABLE, Verdict.UNKNOWN, 3)
    assert bmc.clock.at - began < 5


def test_a_bmc_that_boots_is_waited_for(bmc: Bmc) -> None:
    bmc.misses = [trouble(Cause.BUSY)] * 4
    bmc.retry_after = 1.0
    assert how(play(bmc)) == "powered-off"


def test_a_bmc_that_goes_away_after_the_command_is_polled_to_the_deadline(bmc: Bmc) -> None:
    command = bmc.command

    def then_gone(wanted: PowerCommand, timeout: float) -> CommandAnswered:
        bmc.misses = [trouble(Cause.UNREACHABLE), trouble(Cause.NOT_FOUND)] * 3
        return command(wanted, timeout)

    bmc.command = then_gone  # type: ignore[method-assign]
    assert how(play(bmc)) == "powered-off"


def test_garbage_for_ever_is_a_bad_response(bmc: Bmc) -> None:
    bmc.misses = [trouble(Cause.BAD_RESPONSE)] * 99
    assert cause_of(play(bmc)) is Cause.BAD_RESPONSE


def test_one_read_cut_by_the_deadline_does_not_hide_the_refusal(bmc: Bmc) -> None:
    bmc.answers = [refused(Cause.CONFLICT)] * 3
    bmc.says = lambda it: it.misses.extend([trouble(Cause.TIMEOUT)] if it.clock.at > 113.5 else []) or "On"  # type: ignore[func-returns-value]
    assert cause_of(play(bmc)) is Cause.CONFLICT


def test_slow_answers_count_against_the_deadline(bmc: Bmc) -> None:
    bmc.cost = 4.0
    assert cause_of(play(bmc)) is Cause.TIMEOUT


def test_expensive_reads_slow_the_polling_down(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.requests = 5
    play(bmc)
    assert bmc.reads * 5 <= 10 + 5 + 2.5 * 15


@pytest.mark.parametrize("falls_after", [quarter / 4 for quarter in range(45)])
def test_traffic_is_bounded_whenever_the_power_falls(bmc: Bmc, falls_after: float) -> None:
    """Ten requests and two per second (G4), with discovery, an early Off and a chassis that is read each time."""
    total = 0

    def chassis(it: Bmc) -> str | None:
        nonlocal total
        it.up = not it.commands or it.clock.at - it.commands[0][0] < falls_after
        it.requests = 3 if it.reads == 1 else 2 if it.commands else 1
        total += it.requests
        return "On" if it.up else "Off"

    bmc.says = lambda it: "Off" if it.commands else "On"
    bmc.chassis = chassis
    bmc.obeys = lambda it, command: None
    began = bmc.clock.at
    assert how(play(bmc)) == "powered-off"
    assert total + 1 <= 10 + 2 * (bmc.clock.at - began)


# --- tasks ----------------------------------------------------------------------------------------------------------


def test_a_completed_task_is_no_proof(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.answers = [CommandAnswered(task="/t/1")]
    bmc.tasks = [TaskSaid(ended=True)]
    assert cause_of(play(bmc)) is Cause.TIMEOUT
    assert bmc.followed == 1


def test_a_task_that_never_ends_does_not_keep_a_true_off_from_being_seen(bmc: Bmc) -> None:
    bmc.answers = [CommandAnswered(task="/t/1")]

    def late(it: Bmc, command: PowerCommand) -> None: ...

    bmc.obeys = late
    bmc.says = lambda it: "Off" if it.reads > 6 and not setattr(it, "up", False) else "On"  # type: ignore[func-returns-value]
    assert how(play(bmc)) == "powered-off"
    assert bmc.followed >= 1


def test_failed_tasks_end_early_once_no_command_is_left(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    bmc.answers = [CommandAnswered(task=f"/t/{n}") for n in range(3)]
    bmc.tasks = [TaskSaid(ended=True, failure=trouble(Cause.TASK_FAILED))] * 3
    began = bmc.clock.at
    outcome = play(bmc, limits=Limits(deadline=60))
    assert (cause_of(outcome), len(bmc.sent)) == (Cause.TASK_FAILED, 3)
    assert bmc.clock.at - began < 30


def test_a_failed_task_of_a_polite_shutdown_escalates(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: it.follow_orders(command) if command is OFF else None
    bmc.answers = [CommandAnswered(task="/t/1")]
    bmc.tasks = [TaskSaid(ended=True, failure=trouble(Cause.TASK_FAILED))]
    assert how(play(bmc, limits=replace(LIMITS, graceful=8.0))) == "powered-off"
    assert bmc.commands[1][0] - bmc.commands[0][0] < 4


# --- on, reboot, status ---------------------------------------------------------------------------------------------


def test_on_is_idempotent(bmc: Bmc) -> None:
    assert (how(play(bmc, Action.ON)), bmc.sent) == ("already-on", [])


def test_on_powers_on(bmc: Bmc) -> None:
    bmc.up = False
    assert (how(play(bmc, Action.ON)), bmc.sent) == ("on", [ON])


def test_on_that_is_refused_because_it_is_on_by_then(bmc: Bmc) -> None:
    bmc.up = False
    bmc.answers = [refused(Cause.CONFLICT)]
    bmc.says = lambda it: "Off" if it.reads < 2 else "On"
    assert how(play(bmc, Action.ON)) == "on"


def test_on_by_another_word_where_the_list_has_no_on(bmc: Bmc) -> None:
    bmc.up = False
    bmc.offered = listed(PowerCommand.FORCE_ON, PowerCommand.PUSH_POWER_BUTTON)
    assert how(play(bmc, Action.ON)) == "on"
    assert bmc.sent == [PowerCommand.FORCE_ON]


def test_on_without_any_allowed_word_is_unsupported(bmc: Bmc) -> None:
    bmc.up = False
    bmc.offered = listed(OFF)
    assert cause_of(play(bmc, Action.ON)) is Cause.UNSUPPORTED


def test_reboot_is_a_confirmed_off_and_then_on(bmc: Bmc) -> None:
    outcome = play(bmc, Action.REBOOT)
    assert (how(outcome), bmc.sent, outcome.commands_sent) == ("restarted", [OFF, ON], 2)
    assert bmc.up


def test_reboot_of_a_host_that_is_off_only_powers_on(bmc: Bmc) -> None:
    bmc.up = False
    assert (how(play(bmc, Action.REBOOT)), bmc.sent) == ("restarted", [ON])


def test_reboot_retries_an_on_that_is_refused_for_a_while(bmc: Bmc) -> None:
    bmc.up = False
    bmc.answers = [refused(Cause.CONFLICT), refused(Cause.CONFLICT)]
    assert how(play(bmc, Action.REBOOT)) == "restarted"


def test_a_failed_on_half_is_a_note_and_no_failure(bmc: Bmc) -> None:
    bmc.answers = [CommandAnswered(), *[refused(Cause.CONFLICT)] * 3]
    outcome = play(bmc, Action.REBOOT)
    assert (outcome.verdict, how(outcome)) == (Verdict.CONFIRMED, "powered-off")
    assert "switching it on again failed" in outcome.notes[0]


def test_a_failed_off_half_fails_the_reboot(bmc: Bmc) -> None:
    bmc.obeys = lambda it, command: None
    assert cause_of(play(bmc, Action.REBOOT)) is Cause.TIMEOUT
    assert bmc.sent == [OFF]


@pytest.mark.parametrize("action", [Action.STATUS, Action.MONITOR])
@pytest.mark.parametrize("up", [True, False])
def test_status_reads_once_and_sends_nothing(bmc: Bmc, action: Action, up: bool) -> None:
    bmc.up = up
    outcome = play(bmc, action)
    assert (how(outcome), bmc.reads, bmc.sent) == ("read", 1, [])
    assert outcome.readings[0].power is (Power.ON if up else Power.OFF)


def test_status_of_an_unclear_word_is_a_failure(bmc: Bmc) -> None:
    bmc.says = lambda it: "PoweringOff"
    assert cause_of(play(bmc, Action.STATUS)) is Cause.BAD_RESPONSE


# --- the table ------------------------------------------------------------------------------------------------------


def test_an_event_out_of_order_is_refused() -> None:
    state, _ = procedure.begin(Action.OFF, LIMITS, 0.0)
    for event in (TimerFired(), Offers(), CommandAnswered(), TaskSaid(ended=True)):
        with pytest.raises(procedure.OutOfOrder):
            procedure.step(state, event, 0.0)


def test_nothing_happens_after_the_end() -> None:
    state, _ = procedure.begin(Action.STATUS, LIMITS, 0.0)
    state, effect = procedure.step(state, DeadlinePassed(), 15.0)
    assert isinstance(effect, Finish)
    assert state.phase is Phase.DONE
    with pytest.raises(procedure.OutOfOrder):
        procedure.step(state, DeadlinePassed(), 15.0)


def test_the_deadline_ends_every_phase() -> None:
    state, _ = procedure.begin(Action.OFF, LIMITS, 0.0)
    for phase in set(Phase) - {Phase.DONE}:
        _, effect = procedure.step(replace(state, phase=phase), DeadlinePassed(), 15.0)
        assert isinstance(effect, Finish)
        assert effect.outcome.failure is not None
        assert "never read" in effect.outcome.failure.text


def test_every_input_has_a_row() -> None:
    assert {meaning for _, meaning in procedure.STEPS} | set(procedure.ANYWHERE) == set(Input)


def test_actions_without_a_power_state_are_refused() -> None:
    with pytest.raises(KeyError):
        procedure.begin(Action.METADATA, LIMITS, 0.0)


def test_a_missed_read_after_the_last_one_leaves_the_verdict_unknown() -> None:
    state, _ = procedure.begin(Action.OFF, LIMITS, 0.0)
    on = Reading(power=Power.ON, word="On", at=0.0, path="test")
    state, _ = procedure.step(state, ReadOk(on), 0.0)
    state, _ = procedure.step(state, Offers(), 0.0)
    state, _ = procedure.step(state, CommandAnswered(), 0.1)
    state, _ = procedure.step(state, TimerFired(), 1.0)
    state, _ = procedure.step(state, ReadFailed(trouble(Cause.TIMEOUT)), 2.0)
    _, effect = procedure.step(state, DeadlinePassed(), 15.0)
    assert isinstance(effect, Finish)
    assert effect.outcome.verdict is Verdict.UNKNOWN
