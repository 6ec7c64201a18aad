"""G4, G5, G7, G8 and G9, an Off from another host, what --strict changes, and the requirement that each finding quotes."""

from __future__ import annotations

import re

import pytest

from conformance import requirement as req
from conformance.expectations.causes import names_cause
from conformance.expectations.claims import Claims, NeverClaims, answers
from conformance.finding import Finding, Judgement
from conformance.givens.no_selector import NoSelector
from conformance.givens.verifies_tls import VerifiesTls
from conformance.vocabulary import Ask, Cause, Claim, FindingKind, Level, Verdict
from emulator.core.faults.trigger import Intent
from emulator.core.journal import EventKind
from tests.stories import Story, verdict_on, verified_off

SESSIONS = "/redfish/v1/SessionService/Sessions"


def note(judgement: Judgement, rule: str) -> Finding:
    return next(f for f in judgement.notes if f.rule == rule)


# -- G4, G5, G7: notes, and findings with --strict -----------------------------------------------------------------------


def test_commands_that_met_a_busy_bmc_are_not_counted_as_hammering() -> None:
    story = Story().start()
    for _ in range(5):
        story.command(status=503).later(3)
    assert verdict_on(story.command().falls().read().claim(), duration=14.0).notes == ()


def test_a_busy_bmc_is_asked_again_after_two_seconds() -> None:
    story = Story().start().command(status=503).later(0.5).command().falls().read().claim()
    found = note(verdict_on(story), "G4")
    assert "0.5 s after" in found.actual
    assert found.requirement is req.LITTLE_TRAFFIC


@pytest.mark.parametrize(("said", "waits", "kept"), [("5", 3, False), ("5", 5, True), ("Sat, 28 Nov 2026 12:00:00 GMT", 3, True)])
def test_a_busy_bmc_is_asked_again_after_the_seconds_that_it_named(said: str, waits: float, kept: bool) -> None:
    story = Story().start().command(status=503, retry_after=said).later(waits).command().falls().read().claim()
    assert ("G4" in [f.rule for f in verdict_on(story).notes]) is not kept


@pytest.mark.parametrize("said", ["Success: Powered OFF", "  * SUCCESS"])
def test_a_failure_with_a_word_of_success_is_noted(said: str) -> None:
    judgement = verdict_on(Story().start().claim(), claim=Claim.FAILED, stdout=said)
    assert "words of success" in note(judgement, "G7").expected


def test_strict_makes_findings_of_what_is_only_noted() -> None:
    story = Story("down").start().read()
    story.say(EventKind.SESSION, what="opened", user="root", session="1", live=1)
    story.claim()
    lax, strict = verdict_on(story), verdict_on(story, strict=True)
    assert (lax.verdict, [f.rule for f in lax.notes]) == (Verdict.PASS, ["G5"])
    assert (strict.verdict, [f.rule for f in strict.findings], strict.notes) == (Verdict.HYGIENE, ["G5"], ())
    assert strict.findings[0].level is Level.SHOULD


def test_strict_makes_no_finding_of_a_guess() -> None:
    word = names_cause(Cause.AUTH)
    story = Story().start().claim()
    assert verdict_on(story, word, claim=Claim.FAILED, stderr="no", strict=True).verdict is Verdict.PASS
    own = {Cause.AUTH: re.compile("401")}
    assert verdict_on(story, word, claim=Claim.FAILED, stderr="no", causes=own).verdict is Verdict.MISLEADING


# -- G8 --------------------------------------------------------------------------------------------------------------------


def test_credentials_for_a_certificate_that_cannot_be_verified_are_bad_hygiene() -> None:
    judgement = verdict_on(verified_off(), certificate_fails=True)
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, FindingKind.CREDENTIALS)
    assert judgement.findings[0].requirement is req.VERIFIED_PEER
    assert verdict_on(verified_off()).verdict is Verdict.PASS


def test_a_log_in_carries_credentials_though_its_request_has_none() -> None:
    story = Story().start().request("POST", SESSIONS, Intent.LOGIN, auth="none").claim()
    assert verdict_on(story, claim=Claim.FAILED, stderr="tls", certificate_fails=True).kind is FindingKind.CREDENTIALS


def test_asking_without_credentials_and_giving_up_is_right() -> None:
    story = Story().start().request("GET", "/redfish/v1", auth="none").claim()
    assert verdict_on(story, claim=Claim.FAILED, stderr="tls", certificate_fails=True).verdict is Verdict.PASS


def test_credentials_over_plain_http_are_bad_hygiene() -> None:
    story = Story().start()
    story.say(EventKind.REQUEST, protocol="redfish", method="GET", path="/", intent="other", auth="basic", tls=False)
    judgement = verdict_on(story.claim(), claim=Claim.FAILED, stderr="x")
    assert judgement.kind is FindingKind.CREDENTIALS
    assert "clear text" in judgement.why


@pytest.mark.parametrize("kind", [EventKind.REQUEST, EventKind.AUTH])
def test_credentials_for_another_host_are_bad_hygiene(kind: EventKind) -> None:
    story = Story("down").start().read()
    data = {"protocol": "redfish", "auth": "session"} if kind is EventKind.REQUEST else {"via": "ipmi", "result": "ok"}
    story.say(kind, bmc="other", **data)
    judgement = verdict_on(story.claim())
    assert judgement.kind is FindingKind.CREDENTIALS
    assert "another host" in judgement.why


def test_a_precondition_says_whether_verification_must_fail() -> None:
    values = {"bmc.insecure": "1", "bmc.ca_file": "/ca.pem"}
    assert not NoSelector().certificate_fails, "who is not told to verify has nothing that could fail"
    assert VerifiesTls().certificate_fails
    assert VerifiesTls().handed(values) == {"bmc.insecure": "", "bmc.ca_file": ""}
    assert not VerifiesTls(ca_file=True).certificate_fails
    assert VerifiesTls(ca_file=True).handed(values) == {"bmc.insecure": "", "bmc.ca_file": "/ca.pem"}
    assert VerifiesTls(ca_file=True, valid=False).certificate_fails
    assert "no CA certificate" in VerifiesTls().sentence
    assert "the CA certificate" in VerifiesTls(ca_file=True).sentence


# -- G9 --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["Error: session timeout", "2026-01-01 10:00:00 ERROR: no route", "Unable to set power"])
def test_exit_code_zero_with_an_error_is_misleading(said: str) -> None:
    judgement = verdict_on(verified_off(), stderr=f"trying\n{said}\n\n")
    assert (judgement.verdict, judgement.findings[0].rule) == (Verdict.MISLEADING, "G9")
    assert judgement.findings[0].requirement is req.TRUE_EXIT


@pytest.mark.parametrize("said", ["", "Success: Powered OFF", "ERROR: first try failed\nSuccess: Powered OFF", "no errors"])
def test_exit_code_zero_with_a_success_is_fine(said: str) -> None:
    assert verdict_on(verified_off(), stdout=said).verdict is Verdict.PASS


def test_a_failure_with_exit_code_zero_is_misleading() -> None:
    judgement = verdict_on(Story().start().claim(), claim=Claim.FAILED, exit=0, stderr="no")
    assert judgement.findings[0].rule == "G9"


def test_a_false_claim_with_an_error_is_unsafe_and_nothing_more() -> None:
    judgement = verdict_on(Story().start().command().claim(), stderr="ERROR: x")
    assert [f.rule for f in judgement.findings] == ["G1"]


def test_a_reboot_may_log_an_error_about_its_second_half() -> None:
    story = Story().start(Ask.REBOOT).command("ForceRestart").resets().read().claim()
    assert verdict_on(story, claim=Claim.REBOOTED, ask=Ask.REBOOT, stderr="ERROR: on failed").verdict is Verdict.PASS


def test_a_monitor_that_exits_with_two_is_a_should() -> None:
    story = Story("down").start(Ask.MONITOR).read(told="Off").claim()
    judgement = verdict_on(story, answers(Claim.OK), claim=Claim.OK, ask=Ask.MONITOR, exit=2)
    assert judgement.verdict is Verdict.PASS
    assert note(judgement, "G9").requirement is req.MONITOR_IS_NO_STATUS
    assert verdict_on(story, claim=Claim.OK, ask=Ask.MONITOR, exit=2, strict=True).verdict is Verdict.MISLEADING
    assert verdict_on(story, claim=Claim.OK, ask=Ask.MONITOR, exit=0).notes == ()


# -- an Off of another host -----------------------------------------------------------------------------------------------


def foreign(story: Story) -> Story:
    story.say(EventKind.LOOK, bmc="other", system="1", view="system", word="Off")
    return story


def test_an_off_of_another_host_is_no_evidence_even_where_it_is_true() -> None:
    judgement = verdict_on(foreign(Story("down").start()).claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, FindingKind.WRONG_TARGET)
    assert "other/1" in judgement.why


def test_an_off_of_another_host_is_the_wrong_target_though_its_system_has_the_same_id() -> None:
    judgement = verdict_on(foreign(Story().start().read()).claim())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, FindingKind.WRONG_TARGET)
    assert judgement.findings[0].requirement is req.EXACT_TARGET


def test_an_off_of_the_target_counts_whatever_others_say() -> None:
    assert verdict_on(foreign(Story("down").start().read(told="Off")).claim()).verdict is Verdict.PASS


# -- which requirement is quoted -----------------------------------------------------------------------------------------


def failed(story: Story, requirement: req.Requirement = req.SAFE_CLAIM) -> Finding:
    judgement = verdict_on(story.claim(), Claims(), NeverClaims(), claim=Claim.FAILED, stderr="no", requirement=requirement)
    assert judgement.verdict is Verdict.STUCK
    return judgement.findings[0]


def test_a_stuck_fencer_is_not_told_that_it_must_not_claim() -> None:
    assert failed(Story().start().read()).requirement is req.DOES_IT
    assert failed(Story("down").start().read()).requirement is req.STATE_NOT_TRANSITION
    assert failed(Story().start().read(), req.LOST_ANSWER).requirement is req.LOST_ANSWER


def test_a_false_claim_quotes_the_scenario_where_that_is_about_safety() -> None:
    story = Story().start().command().claim()
    assert verdict_on(story, requirement=req.CODES_ARE_NOT_STATE).findings[0].requirement is req.CODES_ARE_NOT_STATE
    assert verdict_on(story, requirement=req.LOST_ANSWER).findings[0].requirement is req.SAFE_CLAIM


def test_a_wrong_answer_is_about_status_and_no_answer_about_success() -> None:
    wrong = verdict_on(Story("down").start(Ask.STATUS).read().claim(), answers(Claim.OFF), claim=Claim.ON, ask=Ask.STATUS)
    none = verdict_on(Story("down").start(Ask.STATUS).claim(), answers(Claim.OFF), claim=Claim.FAILED, ask=Ask.STATUS, stderr="x")
    assert wrong.findings[0].requirement is req.TRUE_STATUS
    assert none.findings[0].requirement is req.DOES_IT


# -- G6: settings, and commands that lead the other way ------------------------------------------------------------------


@pytest.mark.parametrize(("status", "verdict"), [(200, Verdict.HYGIENE), (405, Verdict.PASS), (None, Verdict.PASS)])
def test_a_setting_that_is_changed_on_the_way_to_off_is_overreach_and_one_that_is_refused_is_not(
    status: int | None, verdict: Verdict
) -> None:
    story = Story().start()
    asked = story.say(EventKind.REQUEST, protocol="redfish", method="PATCH", path="/redfish/v1/Systems/1", intent="write")
    if status is not None:
        story.say(EventKind.RESPONSE, asked, status=status)
    assert verdict_on(story.command().falls().read(told="Off").claim()).verdict is verdict


@pytest.mark.parametrize(("code", "verdict"), [(0x00, Verdict.HYGIENE), (0xD4, Verdict.PASS)])
def test_a_setting_over_ipmi_is_judged_by_its_completion_code(code: int, verdict: Verdict) -> None:
    story = Story().start()
    asked = story.say(EventKind.REQUEST, protocol="ipmi", method="IPMI", path="set-restore-policy", intent="write")
    story.say(EventKind.RESPONSE, asked, completion_code=code)
    assert verdict_on(story.command().falls().read(told="Off").claim()).verdict is verdict


@pytest.mark.parametrize(
    ("reset", "row", "verdict"),
    [
        ("ForceOff", "On", Verdict.HYGIENE),
        ("PushPowerButton", "On", Verdict.HYGIENE),
        ("PowerCycle", "Off", Verdict.PASS),
        ("PushPowerButton", "Off", Verdict.PASS),
    ],
)
def test_who_takes_a_host_down_to_switch_it_on_oversteps(reset: str, row: str, verdict: Verdict) -> None:
    story = Story("down" if row == "Off" else "up").start(Ask.ON).command(reset, row=row).rises().read().claim()
    assert verdict_on(story, claim=Claim.ON, ask=Ask.ON).verdict is verdict
