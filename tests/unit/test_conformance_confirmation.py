"""How well a claim of off was confirmed, what a lie that nobody can see through counts, and hosts that still fall later."""

from __future__ import annotations

import pytest

from conformance.expectations.claims import BringsBack, NeverClaims
from conformance.expectations.requests import ConfirmsOff
from conformance.judge import Trial, judge
from conformance.outcome import FencerOutcome
from conformance.requirement import SAFE_CLAIM
from conformance.scenario import AskStep
from conformance.vocabulary import Ask, Claim, Level, Verdict
from conformance.vocabulary import FindingKind as Manner
from emulator.core.journal import EventKind
from tests.stories import Story, verdict_on


def told(*words: tuple[str, float], rail: str = "up") -> Story:
    """A fencer that is told these words, and waits so many seconds after each; then it claims."""
    story = Story(rail).start()
    for word, then in words:
        story.read(told=word)
        story.clock.advance(then)
    return story.claim()


TWICE = (("On", 0.0), ("Off", 1.0), ("Off", 0.0))


@pytest.mark.parametrize(
    ("words", "confirmed"),
    [
        (TWICE, True),
        ((("Off", 0.4), ("Off", 0.4), ("Off", 0.0)), True),
        ((("Off", 0.0),), False),
        ((("Off", 0.1), ("Off", 0.0)), False),
        ((("Off", 2.0), ("On", 0.0), ("Off", 0.0)), False),
        ((("On", 0.0),), False),
    ],
)
def test_a_claim_is_confirmed_by_two_words_of_off_a_second_apart(words: tuple[tuple[str, float], ...], confirmed: bool) -> None:
    judgement = verdict_on(told(*words, rail="down"), ConfirmsOff())
    assert judgement.verdict is Verdict.PASS
    assert [note.kind for note in judgement.notes if note.rule == "S"] == ([] if confirmed else [Manner.UNVERIFIED])


def test_another_system_confirms_nothing() -> None:
    story = Story("down").start()
    for _ in range(2):
        story.read(system="2", told="Off")
        story.clock.advance(2.0)
    judgement = verdict_on(story.claim(), ConfirmsOff(level=Level.MUST))
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, Manner.UNVERIFIED)
    assert "after 0 of its reads" in judgement.why


def test_a_failure_needs_no_confirmation() -> None:
    assert verdict_on(told(("On", 0.0)), ConfirmsOff(level=Level.MUST), claim=Claim.FAILED, stderr="x").verdict is Verdict.PASS


def test_a_false_claim_that_was_confirmed_is_for_information_where_the_scenario_says_so() -> None:
    excused = verdict_on(told(*TWICE), NeverClaims(unless_confirmed=True))
    assert (excused.verdict, [note.level for note in excused.notes if note.rule == "G1"]) == (Verdict.PASS, [Level.MAY])
    hasty = verdict_on(told(("Off", 0.0)), NeverClaims(unless_confirmed=True))
    assert (hasty.verdict, hasty.kind) == (Verdict.UNSAFE, Manner.FALSE)
    assert verdict_on(told(*TWICE), NeverClaims()).verdict is Verdict.UNSAFE
    assert verdict_on(told(("On", 0.0)), NeverClaims(Level.SHOULD)).verdict is Verdict.PASS


def test_only_the_claim_is_excused() -> None:
    story = told(*TWICE)
    judgement = verdict_on(story, NeverClaims(Level.MAY), leftover=("sleep",))
    assert judgement.verdict is Verdict.HYGIENE


def test_the_phrases_say_it() -> None:
    assert NeverClaims().phrase() == "never claims while the rail is up"
    assert NeverClaims(Level.MAY).phrase().endswith("(MAY)")
    assert "unless it was told Off twice" in NeverClaims(unless_confirmed=True).phrase()
    assert "a second apart" in ConfirmsOff().phrase()
    assert "warns" in BringsBack().phrase()


@pytest.mark.parametrize(("text", "noted"), [("", True), ("the host is off and could not be switched on", False)])
def test_a_reboot_that_leaves_the_host_off_says_so(text: str, noted: bool) -> None:
    story = Story().start(Ask.REBOOT).read().command().falls().read(told="Off").claim()
    judgement = verdict_on(story, BringsBack(), ask=Ask.REBOOT, claim=Claim.REBOOTED, stderr=text)
    assert judgement.verdict is Verdict.PASS
    assert [note.verdict for note in judgement.notes if note.rule == "L"] == ([Verdict.STUCK] if noted else [])


def test_a_reboot_that_ends_in_on_or_fails_needs_no_warning() -> None:
    story = Story().start(Ask.REBOOT).read().command().falls().rises().claim()
    assert verdict_on(story, BringsBack(Level.MUST), ask=Ask.REBOOT, claim=Claim.REBOOTED).verdict is Verdict.PASS
    down = Story().start(Ask.REBOOT).read().command().falls().claim()
    failed = verdict_on(down, BringsBack(Level.MUST), ask=Ask.REBOOT, claim=Claim.FAILED, stderr="x")
    assert failed.verdict is Verdict.PASS


def two_asks(commanded_again: bool) -> Verdict:
    """The first ask is about one BMC and fails; its host falls while the second ask is about another BMC."""
    story = Story("down")
    story.say(EventKind.RAIL, bmc="first", system="1", host="h", rail="up", os="running", incarnation=1, was="initial")
    story.say(EventKind.FENCER, bmc="first", what="start", ask=0, action="off", system="1")
    story.say(EventKind.FENCER, bmc="first", what="claim", ask=0)
    story.start(number=1).read(told="Off")
    if commanded_again:
        story.say(EventKind.COMMAND, bmc="first", system="1", via="redfish", reset="ForceOff", row="On")
    story.say(EventKind.RAIL, bmc="first", system="1", host="h", rail="down", os="stopped", incarnation=2, was="went-down")
    story.claim(number=1)
    outcomes = [
        FencerOutcome(ask=Ask.OFF, claim=Claim.FAILED, exit=1, duration=1.0, stderr="x"),
        FencerOutcome(ask=Ask.OFF, claim=Claim.OFF, exit=0, duration=1.0),
    ]
    steps = (AskStep(Ask.OFF, (), "first"), AskStep(Ask.OFF, (), "target"))
    return judge(
        Trial(requirement=SAFE_CLAIM, steps=steps, outcomes=outcomes, events=tuple(story.journal), deadline=15.0)
    ).verdict


def test_a_host_of_an_earlier_ask_may_fall_later_and_is_no_bystander() -> None:
    assert two_asks(commanded_again=False) is Verdict.PASS
    assert two_asks(commanded_again=True) is Verdict.UNSAFE
