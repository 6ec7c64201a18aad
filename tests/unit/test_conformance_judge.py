"""Every verdict and every invariant, from journals written by hand."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace

import pytest

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, Refuses, answers
from conformance.expectations.requests import AtMostCommands, Forces, ReadsBeforeClaim
from conformance.finding import PowerCellMet
from conformance.givens.given import FaultFacts
from conformance.judge import Trial, judge
from conformance.outcome import FencerOutcome
from conformance.scenario import AskStep
from conformance.vocabulary import Ask, Cause, Claim, Verdict
from conformance.vocabulary import FindingKind as Manner
from emulator.core.clock import VirtualClock
from emulator.core.faults.trigger import Intent
from emulator.core.journal import EventKind, Journal
from tests.stories import RESET, SECRET, SYSTEM, Story, verdict_on, verified_off


def dead_fault(sentence: str = "x", *, must_fire: bool = True) -> FaultFacts:
    """A fault that was armed and never fired."""
    return FaultFacts(sentence=sentence, bmc="target", must_fire=must_fire, fired=0)


# -- G1: the claim and the truth -------------------------------------------------------------------------------------------


def test_a_verified_claim_of_off_on_a_dead_rail_passes() -> None:
    judgement = verdict_on(verified_off(), Claims(), ReadsBeforeClaim(), AtMostCommands(1), NeverClaims(), Forces())
    assert judgement.verdict is Verdict.PASS
    assert judgement.findings == ()
    assert judgement.why == ""


def test_a_claim_of_off_that_never_comes_true_is_unsafe_and_false() -> None:
    judgement = verdict_on(Story().start().command().claim(), NeverClaims())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.FALSE)
    assert [f.rule for f in judgement.findings] == ["G1"]


def test_a_claim_of_off_before_the_rail_falls_is_unsafe_and_early() -> None:
    judgement = verdict_on(Story().start().command().claim().falls())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.EARLY)


def test_a_claim_of_off_on_a_host_that_came_back_is_unsafe_and_resurrected() -> None:
    judgement = verdict_on(Story().start().command().falls().read().rises().claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.RESURRECTED)


def test_who_reads_all_systems_and_takes_the_wrong_one_has_the_wrong_target() -> None:
    judgement = verdict_on(Story().start().read(told="On").read(system="2", told="Off").claim())
    assert judgement.kind is Manner.WRONG_TARGET
    assert "off was 2, the target is 1" in judgement.why


def test_a_look_alone_says_which_system_was_read() -> None:
    story = Story().start()
    asked = story.say(EventKind.REQUEST, protocol="redfish", method="GET", path="/redfish/v1/Systems", intent="power-read")
    story.say(EventKind.LOOK, asked, system="2", view="system", word="Off")
    judgement = verdict_on(story.claim())
    assert judgement.kind is Manner.WRONG_TARGET, "the members of an expanded collection are read too"


def test_a_claim_of_off_after_looking_at_another_system_is_the_wrong_target() -> None:
    judgement = verdict_on(Story().start().read("/redfish/v1/Systems/2", system="2").claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.WRONG_TARGET)


def test_a_status_that_calls_a_running_host_off_is_unsafe() -> None:
    judgement = verdict_on(Story().start(Ask.STATUS).read().claim(), answers(Claim.ON), ask=Ask.STATUS)
    assert judgement.verdict is Verdict.UNSAFE


def test_a_rail_that_nobody_knows_is_not_down() -> None:
    story = Story()
    story._truth(EventKind.RAIL, "1", "unknown", "stopped", "out-of-sight")
    assert verdict_on(story.start().claim()).verdict is Verdict.UNSAFE


def test_only_the_truth_at_the_position_of_the_claim_counts() -> None:
    assert verdict_on(Story().start().command().falls().read().claim().rises()).verdict is Verdict.PASS


def test_a_reboot_is_safe_when_the_incarnation_has_moved() -> None:
    story = Story().start(Ask.REBOOT).command("ForceRestart").resets().read().claim()
    assert verdict_on(story, Claims(), claim=Claim.REBOOTED, ask=Ask.REBOOT).verdict is Verdict.PASS


def test_a_reboot_is_safe_when_the_host_is_off() -> None:
    story = Story("down").start(Ask.REBOOT).read().claim()
    assert verdict_on(story, claim=Claim.REBOOTED, ask=Ask.REBOOT).verdict is Verdict.PASS


def test_a_reboot_that_ended_nothing_is_unsafe() -> None:
    story = Story().start(Ask.REBOOT).command("PowerCycle").claim()
    judgement = verdict_on(story, claim=Claim.REBOOTED, ask=Ask.REBOOT)
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.FALSE)


def test_a_claim_of_on_for_a_dead_host_is_misleading() -> None:
    story = Story("down").start(Ask.ON).command("On").claim()
    assert verdict_on(story, claim=Claim.ON, ask=Ask.ON).verdict is Verdict.MISLEADING


def test_a_true_claim_of_on_passes() -> None:
    story = Story("down").start(Ask.ON).command("On").rises().read().claim()
    assert verdict_on(story, Claims(), claim=Claim.ON, ask=Ask.ON).verdict is Verdict.PASS


# -- G2, G3, G6 ------------------------------------------------------------------------------------------------------------


def test_no_end_by_the_cap_is_a_hang_and_no_success_was_missed() -> None:
    judgement = verdict_on(
        Story("down").start().read().claim(),
        Claims(),
        names_cause(Cause.TIMEOUT),
        Refuses(),
        answers(Claim.OFF),
        claim=Claim.NONE,
        timed_out=True,
        duration=20.0,
    )
    assert judgement.verdict is Verdict.HANG
    assert len(judgement.findings) == 1
    assert judgement.facts[0].claim is Claim.NONE


def test_an_end_within_the_grace_is_only_noted() -> None:
    judgement = verdict_on(verified_off(), duration=16.0)
    assert judgement.verdict is Verdict.PASS
    assert [note.rule for note in judgement.notes] == ["G2"]
    assert verdict_on(verified_off(), duration=15.4).notes == (), "the suite needs a moment to start it"
    assert verdict_on(verified_off(), duration=16.0, lag_s=0.8).notes == (), "a late machine gives the time back"


def test_a_password_in_a_file_that_stays_is_in_sight() -> None:
    judgement = verdict_on(verified_off(), files=("agent.log",))
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.SECRET)
    assert "the file agent.log that it left" in judgement.why


@pytest.mark.parametrize(
    ("code", "said"), [(3, "exit 3"), (None, "no exit code"), (-11, "killed by SIGSEGV"), (-99, "killed by signal 99")]
)
def test_the_end_of_a_fencer_is_told_in_words(code: int | None, said: str) -> None:
    assert said in verdict_on(verified_off(), Claims(), claim=Claim.FAILED, exit=code, stderr="x").why


def test_processes_that_outlive_the_fencer_are_bad_hygiene() -> None:
    judgement = verdict_on(verified_off(), leftover=("sleep",))
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.LEFTOVER)


def test_an_attack_on_the_watcher_is_bad_hygiene_and_says_what_was_done() -> None:
    conduct = ("killed the process that watches it", "removed its HOME")
    judgement = verdict_on(verified_off(), conduct=conduct)
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.CONDUCT)
    assert judgement.why == "it killed the process that watches it; it removed its HOME"


@pytest.mark.parametrize(
    "shown",
    [
        {"stdout": f"Authorization: Basic {b64encode(f'root:{SECRET}'.encode()).decode()}"},
        {"argv": (("fence_x",), ("curl", f"https://root:%5A{SECRET[1:]}@bmc/"))},
        {"argv": (("fence_x",), ("ipmitool", "-P", SECRET))},
        {"stdout": f"using {SECRET}"},
        {"stderr": f"debug: password={SECRET}"},
    ],
)
def test_the_password_in_sight_is_bad_hygiene(shown: dict[str, object]) -> None:
    judgement = verdict_on(verified_off(), **shown)  # type: ignore[arg-type]
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.SECRET)
    assert SECRET not in judgement.why


def test_a_password_that_only_went_through_the_environment_is_fine() -> None:
    assert verdict_on(verified_off(), argv=(("ipmitool", "-E"),)).verdict is Verdict.PASS


def test_another_host_that_was_changed_is_unsafe() -> None:
    judgement = verdict_on(Story("down").start().read().command(system="2").falls("2").claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.WRONG_TARGET)
    assert "host2" in judgement.why


def test_a_command_to_another_host_that_changed_nothing_is_overreach() -> None:
    judgement = verdict_on(Story("down").start().read().command(system="2", row="Off").claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.OVERREACH)


@pytest.mark.parametrize("reset", ["On", "ForceRestart", "PowerCycle"])
def test_power_on_during_off_is_overreach(reset: str) -> None:
    judgement = verdict_on(Story().start().command(reset).falls().read().claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.OVERREACH)


def test_a_button_is_pressed_only_on_a_host_that_is_on() -> None:
    pressed_on = Story().start().command("PushPowerButton", row="On").falls().read().claim()
    pressed_off = Story("down").start().command("PushPowerButton", row="Off").read().claim()
    assert verdict_on(pressed_on).verdict is Verdict.PASS
    assert verdict_on(pressed_off).kind is Manner.OVERREACH


def test_resetting_the_bmc_is_overreach() -> None:
    story = Story("down").start().read().request("POST", "/redfish/v1/Managers/1/Actions/Manager.Reset", Intent.BMC_RESET).claim()
    assert verdict_on(story).kind is Manner.OVERREACH


def test_reading_about_the_reset_of_a_bmc_is_not_doing_it() -> None:
    story = Story("down").start().read().request("GET", "/redfish/v1/Managers/1/Manager.ResetActionInfo").claim()
    assert verdict_on(story).verdict is Verdict.PASS


@pytest.mark.parametrize(
    "write",
    [
        ("PATCH", SYSTEM, Intent.WRITE),
        ("IPMI", "chassis-control", Intent.POWER_COMMAND),
        ("IPMI", "cold-reset", Intent.BMC_RESET),
        ("IPMI", "set-lan", Intent.WRITE),
        ("POST", f"{RESET}/", Intent.POWER_COMMAND),
    ],
)
def test_a_status_that_writes_is_overreach(write: tuple[str, str, Intent]) -> None:
    story = Story().start(Ask.STATUS).read().request(*write).claim()
    judgement = verdict_on(story, answers(Claim.ON), claim=Claim.ON, ask=Ask.STATUS)
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.OVERREACH)


def test_logging_in_and_out_is_not_writing() -> None:
    sessions = "/redfish/v1/SessionService/Sessions"
    story = Story().start(Ask.STATUS).request("POST", sessions, Intent.LOGIN).read()
    story = story.request("DELETE", f"{sessions}/1", Intent.LOGOUT).claim()
    assert verdict_on(story, answers(Claim.ON), claim=Claim.ON, ask=Ask.STATUS).verdict is Verdict.PASS


# -- notes -----------------------------------------------------------------------------------------------------------------


def test_much_traffic_and_a_lost_session_are_notes() -> None:
    story = Story().start()
    for _ in range(14):
        story.read()
    story.say(EventKind.SESSION, what="opened", user="root", session="1", live=1)
    judgement = verdict_on(story.command().falls().read().claim())
    assert judgement.verdict is Verdict.PASS
    assert [note.rule for note in judgement.notes] == ["G4", "G5"]


def test_a_session_that_was_closed_is_no_note() -> None:
    story = Story("down").start().read()
    story.say(EventKind.SESSION, what="opened", user="root", session="1", live=1)
    story.say(EventKind.SESSION, what="closed", user="root", session="1", live=0)
    assert verdict_on(story.claim()).notes == ()


def test_many_commands_are_a_note() -> None:
    judgement = verdict_on(Story().start().command().command().command().command().falls().read().claim())
    assert [note.rule for note in judgement.notes] == ["G4"]


def test_a_traceback_and_a_failure_without_a_word_are_notes() -> None:
    broke = verdict_on(Story().start().claim(), claim=Claim.FAILED, stderr="Traceback (most recent call last):\n  KeyError: x")
    mute = verdict_on(Story().start().claim(), claim=Claim.FAILED)
    assert [note.rule for note in broke.notes] == ["G7"]
    assert [note.rule for note in mute.notes] == ["G7"]


# -- the sum ---------------------------------------------------------------------------------------------------------------


def test_the_worst_finding_is_the_verdict() -> None:
    judgement = verdict_on(Story().start().command().command().claim(), AtMostCommands(1), leftover=("sleep",), stdout=SECRET)
    assert [f.verdict for f in judgement.findings] == [Verdict.UNSAFE, *[Verdict.HYGIENE] * 3]
    assert judgement.verdict is Verdict.UNSAFE


def test_a_fault_that_never_fired_makes_a_pass_void() -> None:
    judgement = verdict_on(verified_off(), faults=(dead_fault("the connection is reset"),))
    assert (judgement.verdict, judgement.kind) == (Verdict.ERROR, Manner.UNFIRED)
    assert "the connection is reset" in judgement.why


def test_a_fault_that_fired_voids_nothing() -> None:
    assert verdict_on(verified_off(), faults=(replace(dead_fault(), fired=1),)).verdict is Verdict.PASS


def test_a_fault_that_need_not_fire_is_void_where_its_bmc_took_a_command_in() -> None:
    """`must_fire=False` has a witness: the fencer sent no power command that the fault could have met."""
    table = dead_fault("a reset of a host that is off is refused", must_fire=False)
    met = verdict_on(Story("down").start().command(row="Off").read().claim(), faults=(table,))
    assert (met.verdict, met.kind) == (Verdict.ERROR, Manner.UNFIRED)
    assert "refused" in met.why
    assert verdict_on(Story("down").start().read().claim(), faults=(table,)).verdict is Verdict.PASS


def test_a_command_to_another_bmc_is_no_witness_against_a_fault() -> None:
    elsewhere = replace(dead_fault(must_fire=False), bmc="other")
    assert verdict_on(Story("down").start().command(row="Off").read().claim(), faults=(elsewhere,)).verdict is Verdict.PASS


def test_a_command_over_redfish_is_no_witness_against_a_fault_of_ipmi() -> None:
    """A fencer that speaks one protocol cannot meet what waits on the other."""
    story = Story("down").start().command(row="Off").read().claim()
    over_ipmi = replace(dead_fault(must_fire=False), protocol="ipmi")
    assert verdict_on(story, faults=(over_ipmi,)).verdict is Verdict.PASS
    assert verdict_on(story, faults=(replace(over_ipmi, protocol="redfish"),)).verdict is Verdict.ERROR


def test_a_fault_that_never_fired_excuses_nothing() -> None:
    assert verdict_on(Story().start().claim(), faults=(dead_fault(),)).verdict is Verdict.UNSAFE
    assert (
        verdict_on(Story().start().claim(), Claims(), claim=Claim.FAILED, stderr="x", faults=(dead_fault(),)).verdict
        is Verdict.STUCK
    )
    hang = verdict_on(Story().start().claim(), claim=Claim.NONE, timed_out=True, duration=20.0, faults=(dead_fault(),))
    assert hang.verdict is Verdict.HANG
    shown = verdict_on(verified_off(), stdout=SECRET, faults=(dead_fault(),))
    assert shown.kind is Manner.SECRET


def test_a_wrong_cause_does_not_stand_without_the_fault_that_was_to_cause_it() -> None:
    word = names_cause(Cause.AUTH)
    causes = {Cause.AUTH: re.compile("401")}
    story = Story().start().claim()
    judgement = verdict_on(story, word, claim=Claim.FAILED, stderr="x", causes=causes, faults=(dead_fault(),))
    assert (judgement.verdict, judgement.kind) == (Verdict.STUCK, Manner.NOT_TRIED)
    assert [f.rule for f in judgement.findings] == ["L"]


def test_who_gives_up_before_the_fault_is_stuck_and_the_fault_is_named() -> None:
    judgement = verdict_on(Story().start().claim(), NeverClaims(), claim=Claim.FAILED, stderr="x", faults=(dead_fault("y acts"),))
    assert (judgement.verdict, judgement.kind) == (Verdict.STUCK, Manner.NOT_TRIED)
    assert judgement.findings[0].requirement is req.DOES_IT
    assert "y acts" in judgement.why
    assert judgement.remarks == ("never met: y acts",)


def test_a_refusal_that_is_expected_and_never_met_the_fault_is_not_applicable() -> None:
    dead = (dead_fault(),)
    refused = verdict_on(Story().start().claim(), Refuses(), claim=Claim.FAILED, stderr="config", faults=dead)
    assert refused.verdict is Verdict.NA
    asked = Story().start(Ask.STATUS).claim()
    unknown = verdict_on(asked, answers(Claim.FAILED), claim=Claim.FAILED, ask=Ask.STATUS, stderr="x", faults=dead)
    assert unknown.verdict is Verdict.NA


def test_a_finding_keeps_the_remark_that_a_fault_was_never_met() -> None:
    judgement = verdict_on(Story().start().claim(), faults=(dead_fault("z"),))
    assert (judgement.verdict, judgement.remarks) == (Verdict.UNSAFE, ("never met: z",))


def test_a_journal_without_stamps_or_without_truth_is_an_error_of_the_suite() -> None:
    assert verdict_on(Story().start()).verdict is Verdict.ERROR
    blind = Story()
    blind.journal = Journal(VirtualClock())
    assert "no truth" in verdict_on(blind.start().claim()).why


def test_each_ask_is_judged_in_its_own_window() -> None:
    story = Story().start(Ask.STATUS, 0).read().claim(0).start(Ask.OFF, 1).command().falls().read().claim(1)
    judgement = judge(
        Trial(
            requirement=req.TRUE_STATUS,
            steps=(AskStep(Ask.STATUS, (answers(Claim.ON),)), AskStep(Ask.OFF, (Claims(),))),
            outcomes=(FencerOutcome(ask=Ask.STATUS, claim=Claim.ON, exit=0), FencerOutcome(ask=Ask.OFF, claim=Claim.OFF, exit=0)),
            events=tuple(story.journal),
            deadline=15.0,
        )
    )
    assert judgement.verdict is Verdict.PASS
    assert [f.power_commands for f in judgement.facts] == [0, 1]


def test_the_facts_are_counted() -> None:
    story = Story().start().read().refused_login().command(assumed=True).falls().read().claim()
    facts = verdict_on(story).facts[0]
    assert (facts.requests, facts.state_reads, facts.power_commands, facts.login_failures, facts.assumed) == (3, 2, 1, 1, 1)
    assert (facts.rail, facts.incarnation_before, facts.incarnation) == ("down", 1, 2)


def test_the_facts_name_the_cells_of_the_power_table_that_commands_met() -> None:
    story = Story().start().command("Smash", status=400).command(row="Off", status=409, assumed=True).falls().claim()
    assert verdict_on(story).facts[0].cells == (
        PowerCellMet("redfish", "On", "another", 400, "off", assumed=False),
        PowerCellMet("redfish", "Off", "ForceOff", 409, "off", assumed=True),
    )
