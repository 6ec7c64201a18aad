"""Asks at the same time: which events belong to whom, and what is counted for all of them together."""

from __future__ import annotations

import pytest

from conformance import requirement as req
from conformance.expectations.claims import Claims
from conformance.expectations.expectation import Expectation
from conformance.expectations.requests import ClosesSessions
from conformance.expectations.run_counts import AtMostCommandsInAll, AtMostEffective
from conformance.finding import Judgement
from conformance.judge import Trial, judge
from conformance.outcome import FencerOutcome
from conformance.play_scenario import groups
from conformance.scenario import AskStep
from conformance.timeline import Timeline
from conformance.vocabulary import SUCCESS, Ask, Claim, FindingKind, Verdict
from emulator.core.faults.trigger import Intent
from emulator.core.journal import EventKind
from tests.stories import Story


def verdict(story: Story, *expect: Expectation, asks: tuple[Ask, ...] = (Ask.OFF, Ask.OFF), duration: float = 1.0) -> Judgement:
    """Every ask claims; `expect` is expected of each."""
    return judge(
        Trial(
            requirement=req.SHARED_TARGET,
            steps=tuple(AskStep(ask, expect, together=1) for ask in asks),
            outcomes=tuple(
                FencerOutcome(ask=ask, claim=Claim.ON if ask is Ask.ON else min(SUCCESS[ask]), exit=0, duration=duration)
                for ask in asks
            ),
            events=tuple(story.journal),
            deadline=15.0,
        )
    )


def both_off() -> Story:
    """Two fencers read, command, and read again; the host falls in between."""
    story = Story().start().start(number=1).read().read().command().command().falls()
    return story.read(told="Off").read(told="Off").claim().claim(number=1)


def test_steps_in_a_row_with_one_number_are_one_group_and_all_others_are_alone() -> None:
    def step(together: int) -> AskStep:
        return AskStep(Ask.OFF, (), together=together)

    assert list(groups([step(n) for n in (0, 0, 1, 1, 2, 0, 1)])) == [(0,), (1,), (2, 3), (4,), (5,), (6,)]
    assert list(groups([])) == []


def test_each_has_a_window_of_its_own_that_knows_of_the_other() -> None:
    timeline = Timeline(tuple(both_off().journal))
    first, second = timeline.window(0), timeline.window(1)
    assert (first.beside, second.beside) == ((Ask.OFF,), (Ask.OFF,))
    assert first.settled == (), "the other one still runs"
    assert {e.kind for e in second.settled} >= {EventKind.REQUEST, EventKind.COMMAND, EventKind.RAIL}


def test_asks_one_after_the_other_are_beside_nobody_and_each_is_settled() -> None:
    story = Story("down").start().read(told="Off").claim().start(number=1).read(told="Off").claim(number=1)
    windows = [Timeline(tuple(story.journal)).window(n) for n in (0, 1)]
    assert [window.beside for window in windows] == [(), ()]
    assert all(window.settled == window.during for window in windows)
    assert [len(window.state_reads) for window in windows] == [1, 1]


def test_an_ask_of_another_bmc_at_the_same_time_has_its_events_for_itself() -> None:
    story = Story().start()
    story.say(EventKind.RAIL, bmc="other", system="1", host="o", rail="down", os="stopped", incarnation=1, was="initial")
    story.say(EventKind.FENCER, bmc="other", what="start", ask=1, action="off", system="1")
    story.say(EventKind.REQUEST, bmc="other", protocol="redfish", intent=Intent.POWER_READ)
    story.read().claim()
    story.say(EventKind.FENCER, bmc="other", what="claim", ask=1)
    timeline = Timeline(tuple(story.journal))
    assert [e.bmc for e in timeline.window(0).requests] == ["target"]
    assert [e.bmc for e in timeline.window(1).requests] == ["other"]
    assert timeline.window(0).beside == ()


def test_true_claims_of_both_pass_and_nothing_is_charged_twice() -> None:
    judgement = verdict(both_off(), Claims(), AtMostEffective(2))
    assert (judgement.verdict, judgement.notes) == (Verdict.PASS, ())


def test_a_false_claim_of_one_is_unsafe() -> None:
    story = Story().start().start(number=1).command().claim().falls().read(told="Off").claim(number=1)
    judgement = verdict(story)
    assert (judgement.verdict, judgement.kind) == (Verdict.UNSAFE, FindingKind.EARLY)
    assert [finding.ask for finding in judgement.findings] == [0]


def test_on_beside_off_is_no_overreach_and_on_alone_is() -> None:
    story = Story("down").start(Ask.OFF).start(Ask.ON, number=1).read(told="Off").claim().command("On").rises().claim(number=1)
    assert verdict(story, asks=(Ask.OFF, Ask.ON)).verdict is Verdict.PASS
    alone = Story("down").start(Ask.OFF).start(Ask.OFF, number=1).command("On").read(told="Off").claim().claim(number=1)
    assert FindingKind.OVERREACH in {finding.kind for finding in verdict(alone).findings}


def test_a_question_beside_a_command_is_not_charged_with_it() -> None:
    story = Story().start(Ask.STATUS).start(Ask.OFF, number=1).command().falls().read(told="Off").claim().claim(number=1)
    assert verdict(story, asks=(Ask.STATUS, Ask.OFF)).verdict is not Verdict.HYGIENE


def test_traffic_is_allowed_for_each() -> None:
    story = Story("down").start().start(number=1)
    for _ in range(22):
        story.read(told="Off")
    story.claim().claim(number=1)
    assert verdict(story, duration=1.0).notes == ()
    for_one = Story("down").start()
    for _ in range(22):
        for_one.read(told="Off")
    assert {note.rule for note in verdict(for_one.claim(), asks=(Ask.OFF,)).notes} == {"G4"}


@pytest.mark.parametrize(("closed", "level"), [(2, Verdict.PASS), (1, Verdict.HYGIENE)])
def test_sessions_are_counted_when_the_last_has_ended(closed: int, level: Verdict) -> None:
    story = Story("down").start().start(number=1)
    for _ in range(2):
        story.say(EventKind.SESSION, what="opened", via="redfish")
    story.read(told="Off").claim()
    for _ in range(closed):
        story.say(EventKind.SESSION, what="closed", via="redfish")
    judgement = verdict(story.claim(number=1), ClosesSessions())
    assert judgement.verdict is level
    assert {finding.ask for finding in judgement.findings} <= {1}


def test_an_ipmi_session_that_its_client_could_not_use_is_not_left_open_by_it() -> None:
    story = Story().start()
    story.say(EventKind.SESSION, what="opened", via="ipmi")
    assert verdict(story.falls().claim(), asks=(Ask.OFF,)).notes == ()
    used = Story("down").start()
    used.say(EventKind.SESSION, what="opened", via="ipmi")
    notes = verdict(used.read(protocol="ipmi", method="IPMI", told="Off").claim(), asks=(Ask.OFF,)).notes
    assert "G5" in {note.rule for note in notes}


# -- counted for the whole run ---------------------------------------------------------------------------------------------


def test_commands_with_an_effect_are_counted_for_all_of_a_group() -> None:
    judgement = verdict(both_off(), AtMostEffective(1))
    assert (judgement.verdict, judgement.kind) == (Verdict.HYGIENE, FindingKind.REPEATED)
    assert [finding.ask for finding in judgement.findings] == [1]
    assert "2 were accepted" in judgement.why
    assert AtMostEffective(1).phrase() == "causes at most 1 power command with an effect"


def test_commands_without_an_effect_do_not_count() -> None:
    story = Story("down").start()
    for code, effect in ((409, "none"), (204, "none"), (409, "off")):
        story.say(EventKind.COMMAND, system="1", via="redfish", reset="ForceOff", row="Off", status=code, effect=effect)
    story.say(EventKind.COMMAND, system="1", via="ipmi", reset="ForceOff", row="Off", completion_code=0xD5, effect="off")
    assert verdict(story.read(told="Off").claim(), AtMostEffective(0), asks=(Ask.OFF,)).verdict is Verdict.PASS
    story = Story("down").start()
    story.say(EventKind.COMMAND, system="1", via="ipmi", reset="ForceOff", row="Off", completion_code=0, effect="off")
    assert verdict(story.read(told="Off").claim(), AtMostEffective(0), asks=(Ask.OFF,)).verdict is Verdict.HYGIENE


def test_commands_of_earlier_asks_count_in_all() -> None:
    def story(*commands: int) -> Story:
        told = Story("down")
        for number, count in enumerate(commands):
            told.start(number=number)
            for _ in range(count):
                told.command(row="Off")
            told.read(told="Off").claim(number=number)
        return told

    asks = (Ask.OFF, Ask.OFF, Ask.OFF)
    assert verdict(story(1, 0, 0), AtMostCommandsInAll(1), asks=asks).verdict is Verdict.PASS
    judgement = verdict(story(1, 0, 1), AtMostCommandsInAll(1), asks=asks)
    assert [finding.ask for finding in judgement.findings] == [2]
    assert judgement.why == "sent 2"
    assert AtMostCommandsInAll(2).phrase() == "has sent at most 2 power commands in all, earlier asks included"
