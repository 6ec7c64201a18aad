"""What makes a false claim of off one about the wrong target: what was asked for, not what was answered."""

from __future__ import annotations

from conformance.vocabulary import FindingKind as Manner
from conformance.vocabulary import Verdict
from emulator.core.journal import EventKind
from tests.stories import SYSTEM, Story, verdict_on


def test_who_commands_the_target_and_reads_another_system_has_the_wrong_target() -> None:
    other = Story().start().command().read("/redfish/v1/Systems/2", system="2", told="Off").claim().falls()
    judgement = verdict_on(other)
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, Manner.WRONG_TARGET)
    assert "it had read Off of 2 only, the target is 1" in judgement.why


def test_a_body_of_another_system_in_the_answer_of_the_target_is_no_wrong_target() -> None:
    story = Story().start().command()
    asked = story.say(EventKind.REQUEST, protocol="redfish", method="GET", path=SYSTEM, intent="power-read", system="1")
    story.say(EventKind.LOOK, asked, system="2", view="system", word="Off")
    assert verdict_on(story.claim().falls()).kind is Manner.EARLY, "it had asked for the right one"
