"""Every word of a scenario, from journals written by hand."""

from __future__ import annotations

import re

import pytest

from conformance.expectations.causes import NamesCause, NeverSays, SaysInText, names_cause
from conformance.expectations.claims import Answers, Claims, LeavesOn, NeverClaims, Refuses, answers
from conformance.expectations.ending import EndsAfterSigterm
from conformance.expectations.expectation import Expectation
from conformance.expectations.repeats import ReadsBetweenCommands, WaitsBetweenCommands
from conformance.expectations.requests import AtMostAuthFailures, AtMostCommands, ClosesSessions, Forces, ReadsBeforeClaim
from conformance.finding import Judgement
from conformance.vocabulary import Ask, Cause, Claim, Level, Verdict
from conformance.vocabulary import FindingKind as Manner
from emulator.core.journal import EventKind
from tests.stories import (
    Story,
    verdict_on,
    verified_off,
)

# -- words -----------------------------------------------------------------------------------------------------------------


def test_a_failure_on_a_host_that_is_off_is_stuck() -> None:
    judgement = verdict_on(Story("down").start().command(row="Off").claim(), Claims(), claim=Claim.FAILED, stderr="HTTP 409")
    assert judgement.verdict is Verdict.STUCK
    assert "off already" in judgement.why
    assert "HTTP 409" in judgement.why


def test_a_failure_on_a_host_that_could_have_been_fenced_is_stuck() -> None:
    judgement = verdict_on(Story().start().claim(), Claims(), claim=Claim.FAILED)
    assert judgement.verdict is Verdict.STUCK
    assert "could have been" in judgement.why


def test_another_ask_that_fails_is_stuck_too() -> None:
    assert verdict_on(Story().start(Ask.ON).claim(), Claims(), claim=Claim.FAILED, ask=Ask.ON).verdict is Verdict.STUCK


def test_a_success_that_only_should_be_is_a_note() -> None:
    judgement = verdict_on(Story().start().claim(), Claims(Level.SHOULD), claim=Claim.FAILED, stderr="x")
    assert judgement.verdict is Verdict.PASS
    assert [note.verdict for note in judgement.notes] == [Verdict.STUCK]


def test_whoever_must_refuse_and_claims_is_unsafe_even_if_the_claim_is_true() -> None:
    judgement = verdict_on(verified_off(), Refuses())
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.WRONG_TARGET)
    assert "claimed off" in judgement.why


def test_whoever_must_refuse_and_only_acts_is_unsafe() -> None:
    judgement = verdict_on(Story().start().command().command().claim(), Refuses(), claim=Claim.FAILED, stderr="x")
    assert judgement.verdict is Verdict.UNSAFE
    assert "2 power commands" in judgement.why


def test_whoever_must_refuse_and_claims_without_acting_is_unsafe() -> None:
    assert verdict_on(Story("down").start().read().claim(), Refuses()).verdict is Verdict.UNSAFE


def test_whoever_refuses_passes() -> None:
    assert (
        verdict_on(Story().start().read("/redfish/v1/Systems").claim(), Refuses(), claim=Claim.FAILED, stderr="x").verdict
        is Verdict.PASS
    )


def test_whoever_should_refuse_and_does_not_gets_a_note() -> None:
    judgement = verdict_on(verified_off(), Refuses(Level.SHOULD))
    assert (judgement.verdict, [note.verdict for note in judgement.notes]) == (Verdict.PASS, [Verdict.UNSAFE])
    assert Refuses(Level.SHOULD).phrase().endswith("(SHOULD)")


@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        ((), Verdict.PASS),
        (("opened", "closed"), Verdict.PASS),
        (("opened", "refused: table full"), Verdict.HYGIENE),
        (("opened", "closed", "opened"), Verdict.HYGIENE),
    ],
)
def test_whoever_leaves_a_session_open_is_found(events: tuple[str, ...], verdict: Verdict) -> None:
    story = Story("down").start().read(told="Off")
    for what in events:
        story.say(EventKind.SESSION, what=what, via="redfish")
    judgement = verdict_on(story.claim(), ClosesSessions())
    assert judgement.verdict is verdict
    assert verdict is Verdict.PASS or "left 1 open" in judgement.why
    ended = verdict_on(story, ClosesSessions(), claim=Claim.NONE, timed_out=True)
    assert ended.verdict is Verdict.HANG
    assert ClosesSessions().phrase() == "closes every session that it has opened"


def test_a_true_answer_passes_and_an_untrue_one_is_misleading() -> None:
    story = Story("down").start(Ask.STATUS).read().claim()
    assert verdict_on(story, answers(Claim.OFF), ask=Ask.STATUS).verdict is Verdict.PASS
    untrue = verdict_on(story, answers(Claim.OFF), claim=Claim.ON, ask=Ask.STATUS)
    assert (untrue.verdict, untrue.kind) == (Verdict.MISLEADING, Manner.WRONG_ANSWER)


@pytest.mark.parametrize(
    ("over", "words", "claim", "verdict"),
    [
        (("redfish", "ipmi"), (None, "On"), Claim.ON, Verdict.PASS),
        (("redfish", "ipmi"), (None, "Off"), Claim.OFF, Verdict.UNSAFE),  # told, and not true
        (("redfish", "ipmi"), (None, None), Claim.ON, Verdict.MISLEADING),  # true, and not told
        (("redfish", "redfish"), (None, "On"), Claim.ON, Verdict.MISLEADING),  # by the channel that is in trouble
        (("ipmi", "ipmi"), (None, "On"), Claim.ON, Verdict.MISLEADING),
    ],
)
def test_where_one_channel_must_not_be_believed_the_other_may_tell_the_truth(
    over: tuple[str, str], words: tuple[str | None, str | None], claim: Claim, verdict: Verdict
) -> None:
    story = Story().start(Ask.STATUS)
    for protocol, word in zip(over, words, strict=True):
        story.read(protocol=protocol, told=word)
    assert verdict_on(story.claim(), answers(Claim.FAILED), claim=claim, ask=Ask.STATUS).verdict is verdict
    if verdict is Verdict.PASS:
        assert verdict_on(story, answers(Claim.OFF), claim=claim, ask=Ask.STATUS).verdict is Verdict.MISLEADING


def test_no_answer_where_there_is_one_is_stuck() -> None:
    story = Story().start(Ask.STATUS).read().claim()
    assert verdict_on(story, Answers(frozenset({Claim.ON})), claim=Claim.FAILED, ask=Ask.STATUS).verdict is Verdict.STUCK


CAUSES = {Cause.AUTH: re.compile("401"), Cause.TIMEOUT: re.compile("timed out")}


def test_the_right_cause_passes() -> None:
    judgement = verdict_on(Story().start().claim(), names_cause(Cause.AUTH), claim=Claim.FAILED, stderr="401", causes=CAUSES)
    assert judgement.verdict is Verdict.PASS


def test_a_wrong_cause_and_no_cause_are_misleading() -> None:
    wrong = verdict_on(Story().start().claim(), names_cause(Cause.AUTH), claim=Claim.FAILED, stderr="timed out", causes=CAUSES)
    none = verdict_on(Story().start().claim(), names_cause(Cause.AUTH), claim=Claim.FAILED, stderr="oops", causes=CAUSES)
    assert (wrong.verdict, wrong.kind) == (Verdict.MISLEADING, Manner.WRONG_CAUSE)
    assert (none.verdict, none.kind) == (Verdict.MISLEADING, Manner.NO_CAUSE)


def test_without_patterns_of_its_own_a_wrong_cause_is_only_a_note() -> None:
    judgement = verdict_on(Story().start().claim(), names_cause(Cause.AUTH), claim=Claim.FAILED, stderr="timed out")
    assert judgement.verdict is Verdict.PASS
    assert [note.verdict for note in judgement.notes] == [Verdict.MISLEADING]


def test_a_cause_is_asked_of_failures_only() -> None:
    assert verdict_on(verified_off(), names_cause(Cause.AUTH), causes=CAUSES).verdict is Verdict.PASS


def test_a_cause_that_only_should_be_named_is_a_note() -> None:
    word = NamesCause(frozenset({Cause.AUTH}), Level.SHOULD)
    judgement = verdict_on(Story().start().claim(), word, claim=Claim.FAILED, stderr="oops", causes=CAUSES)
    assert judgement.verdict is Verdict.PASS
    assert len(judgement.notes) == 1


def test_words_that_send_the_reader_astray_are_misleading() -> None:
    word = NeverSays("not configured")
    failed = {"claim": Claim.FAILED, "stderr": "OOBM service is not configured"}
    assert verdict_on(Story().start().claim(), word, **failed).kind is Manner.WRONG_CAUSE  # type: ignore[arg-type]
    assert verdict_on(Story().start().claim(), word, claim=Claim.FAILED, stderr="HTTP 409").verdict is Verdict.PASS
    assert verdict_on(verified_off(), word, stderr="not configured").verdict is Verdict.PASS


def test_a_true_claim_that_was_not_read_is_unverified() -> None:
    after_command = verdict_on(Story("down").start().read().command(row="Off").claim(), ReadsBeforeClaim())
    never = verdict_on(Story("down").start().claim(), ReadsBeforeClaim())
    assert (after_command.verdict, after_command.kind) == (Verdict.HYGIENE, Manner.UNVERIFIED)
    assert "after its last power command" in after_command.why
    assert "at all" in never.why


def test_a_read_over_ipmi_verifies_too() -> None:
    story = Story("down").start().read("chassis-status", "IPMI", "ipmi").claim()
    assert verdict_on(story, ReadsBeforeClaim()).verdict is Verdict.PASS


def test_a_read_whose_answer_was_lost_verifies_nothing() -> None:
    judgement = verdict_on(Story("down").start().read(told=None).claim(), ReadsBeforeClaim())
    assert (judgement.kind, judgement.facts[0].requests, judgement.facts[0].state_reads) == (Manner.UNVERIFIED, 1, 0)


def test_one_answer_that_tells_several_words_is_one_read() -> None:
    story = Story("down").start().read(told="Off")
    asked = next(e.seq for e in story.journal if e.kind is EventKind.REQUEST)
    story.say(EventKind.LOOK, asked, system="1", view="chassis", word="Off")
    judgement = verdict_on(story.claim(), ReadsBeforeClaim())
    assert (judgement.verdict, judgement.facts[0].state_reads) == (Verdict.PASS, 1)


def test_a_word_that_nobody_asked_for_is_no_read() -> None:
    story = Story("down").start()
    story.say(EventKind.LOOK, None, system="1", view="event", word="Off")
    assert verdict_on(story.claim(), ReadsBeforeClaim()).kind is Manner.UNVERIFIED


def test_who_does_not_claim_need_not_read() -> None:
    assert (
        verdict_on(Story().start().command().claim(), ReadsBeforeClaim(), claim=Claim.FAILED, stderr="x").verdict is Verdict.PASS
    )


def test_more_commands_than_allowed_are_bad_hygiene() -> None:
    story = Story().start().command().command().falls().read().claim()
    assert verdict_on(story, AtMostCommands(2)).verdict is Verdict.PASS
    judgement = verdict_on(story, AtMostCommands(1))
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.REPEATED)


def test_repeated_refused_logins_are_bad_hygiene() -> None:
    failed = {"claim": Claim.FAILED, "stderr": "401"}
    twice, thrice = (Story().start().refused_login(n).claim() for n in (2, 3))
    assert verdict_on(twice, AtMostAuthFailures(2), **failed).verdict is Verdict.PASS  # type: ignore[arg-type]
    assert verdict_on(thrice, AtMostAuthFailures(2), **failed).kind is Manner.REPEATED  # type: ignore[arg-type]


def test_leaving_the_host_to_its_system_is_a_note_or_a_finding_by_level() -> None:
    asked = Story().start().command("GracefulShutdown").claim()
    idle = Story().start().claim()
    failed = {"claim": Claim.FAILED, "stderr": "x"}
    assert verdict_on(asked, Forces(), **failed).notes[0].actual == "only ever asked for GracefulShutdown"  # type: ignore[arg-type]
    assert verdict_on(idle, Forces(Level.MUST), **failed).verdict is Verdict.STUCK  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("word", "phrase"),
    [
        (Claims(), "succeeds by its deadline"),
        (Claims(Level.SHOULD), "succeeds by its deadline (SHOULD)"),
        (NeverClaims(), "never claims while the rail is up"),
        (Refuses(), "refuses: no claim, no power command"),
        (answers(Claim.ON, Claim.OFF), "answers off or on"),
        (names_cause(Cause.AUTH, Cause.TLS), "if it fails, names auth or tls"),
        (NeverSays("a+"), "if it fails, does not say /a+/"),
        (ReadsBeforeClaim(), "reads the power state after its last power command and before it claims"),
        (AtMostCommands(1), "sends at most 1 power command"),
        (AtMostCommands(2), "sends at most 2 power commands"),
        (AtMostAuthFailures(2), "tries refused credentials at most 2 times"),
        (Forces(), "sends a command that needs no operating system (SHOULD)"),
    ],
)
def test_every_expectation_is_a_phrase(word: Expectation, phrase: str) -> None:
    assert word.phrase() == phrase


# -- repeats, credentials, ends ----------------------------------------------------------------------------------------------


def noted(judgement: Judgement) -> list[tuple[str, Verdict]]:
    return [(note.rule, note.verdict) for note in judgement.notes if not note.rule.startswith("G")]


def test_a_command_that_is_repeated_without_a_look_is_noted() -> None:
    failed = {"claim": Claim.FAILED, "stderr": "x"}
    blind = Story().start().command().command().claim()
    looked = Story().start().command().read().command().claim()
    assert noted(verdict_on(blind, ReadsBetweenCommands(), **failed)) == [("H", Verdict.HYGIENE)]  # type: ignore[arg-type]
    assert noted(verdict_on(looked, ReadsBetweenCommands(), **failed)) == []  # type: ignore[arg-type]
    assert verdict_on(blind, ReadsBetweenCommands(Level.MUST), **failed).kind is Manner.REPEATED  # type: ignore[arg-type]


def test_a_command_that_is_repeated_too_soon_is_noted() -> None:
    failed = {"claim": Claim.FAILED, "stderr": "x"}
    story = Story().start().command()
    story.clock.advance(2.0)
    story.command().claim()
    assert noted(verdict_on(story, WaitsBetweenCommands(3), **failed)) == [("H", Verdict.HYGIENE)]  # type: ignore[arg-type]
    assert noted(verdict_on(story, WaitsBetweenCommands(2), **failed)) == []  # type: ignore[arg-type]
    once = Story().start().command().claim()
    assert noted(verdict_on(once, WaitsBetweenCommands(3), **failed)) == []  # type: ignore[arg-type]


def test_words_that_a_failure_must_have() -> None:
    word = SaysInText(r"redirect", "the redirect")
    story = Story().start().claim()
    assert verdict_on(story, word, claim=Claim.FAILED, stderr="the redirect").verdict is Verdict.PASS
    assert verdict_on(story, word, claim=Claim.FAILED, stderr="oops").kind is Manner.NO_CAUSE
    assert verdict_on(verified_off(), word).verdict is Verdict.PASS
    weak = verdict_on(story, SaysInText("x", "x", Level.SHOULD), claim=Claim.FAILED, stderr="oops")
    assert (weak.verdict, len(weak.notes)) == (Verdict.PASS, 1)


def test_a_reboot_that_leaves_the_host_off_is_noted() -> None:
    story = Story().start(Ask.REBOOT).read().command().falls().read(told="Off").claim()
    judgement = verdict_on(story, LeavesOn(), claim=Claim.REBOOTED, ask=Ask.REBOOT)
    assert (judgement.verdict, noted(judgement)) == (Verdict.PASS, [("L", Verdict.STUCK)])
    back = Story().start(Ask.REBOOT).read().command().falls().rises().read().claim()
    assert noted(verdict_on(back, LeavesOn(), claim=Claim.REBOOTED, ask=Ask.REBOOT)) == []
    assert noted(verdict_on(story, LeavesOn(), claim=Claim.FAILED, ask=Ask.REBOOT, stderr="x")) == []


def test_who_runs_on_after_sigterm_hangs() -> None:
    story, failed = Story().start().read().claim(), {"claim": Claim.FAILED, "stderr": "ended by SIGTERM"}
    late = verdict_on(story, EndsAfterSigterm(5), **failed, duration=8.0, sigterm_at=2.0)  # type: ignore[arg-type]
    assert (late.verdict, late.why) == (Verdict.HANG, "ran on for 6.0 s")
    assert verdict_on(story, EndsAfterSigterm(5), **failed, duration=6.0, sigterm_at=2.0).verdict is Verdict.PASS  # type: ignore[arg-type]
    assert verdict_on(story, EndsAfterSigterm(5), **failed, duration=8.0).verdict is Verdict.PASS  # type: ignore[arg-type]


def test_sigterm_is_no_success() -> None:
    judgement = verdict_on(verified_off(), EndsAfterSigterm(5), duration=2.0, sigterm_at=1.0)
    assert (judgement.verdict, judgement.kind) == (Verdict.MISLEADING, Manner.WRONG_ANSWER)


def test_a_session_that_stays_is_bad_hygiene() -> None:
    story = Story().start()
    story.say(EventKind.SESSION, what="opened")
    left = verdict_on(story.claim(), ClosesSessions(), claim=Claim.FAILED, stderr="x")
    assert (left.verdict, left.kind) == (Verdict.HYGIENE, Manner.LEFTOVER)
    closed = Story().start()
    closed.say(EventKind.SESSION, what="opened")
    closed.say(EventKind.SESSION, what="closed")
    assert verdict_on(closed.claim(), ClosesSessions(), claim=Claim.FAILED, stderr="x").verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("word", "phrase"),
    [
        (ReadsBetweenCommands(), "reads the power state before it repeats a power command (SHOULD)"),
        (WaitsBetweenCommands(2, Level.MUST), "waits 2 s before it repeats a power command"),
        (SaysInText("a+", "the redirect"), "if it fails, names the redirect"),
        (LeavesOn(), "where it succeeds, has brought the host on (SHOULD)"),
        (EndsAfterSigterm(5), "ends within 5 s after SIGTERM, and not as a success"),
        (ClosesSessions(), "closes every session that it has opened"),
    ],
)
def test_these_expectations_are_phrases_too(word: Expectation, phrase: str) -> None:
    assert word.phrase() == phrase
