"""What a finding says besides: what was seen when, and what to do about it."""

from __future__ import annotations

import pytest

from conformance import remedies
from conformance.expectations.claims import Claims
from conformance.finding import Finding
from conformance.remedies import REMEDIES, Situation, remedy
from conformance.vocabulary import Claim, FindingKind
from emulator.core.journal import EventKind
from tests.stories import Story, verdict_on

KIND, IS = FindingKind, Situation


def finding(story: Story, claim: Claim = Claim.OFF) -> Finding:
    return verdict_on(story.claim(), Claims(), claim=claim, stderr="no" if claim is Claim.FAILED else "").findings[0]


# -- what was seen ---------------------------------------------------------------------------------------------------------


def test_a_finding_says_what_was_read_and_commanded_when() -> None:
    story = (
        Story()
        .start()
        .later(0.4)
        .read()
        .later(0.1)
        .command()
        .later(0.5)
        .read(told="PoweringOff")
        .later(1)
        .read(told="PoweringOff")
    )
    assert finding(story).seen == (
        "read System PowerState On at +0.4 s; sent ForceOff at +0.5 s: HTTP 204; "
        "read System PowerState PoweringOff at +1.0 s (2 times)"
    )


def test_a_command_without_an_answer_another_system_and_null_are_told_as_such() -> None:
    story = Story().start()
    asked = story.say(
        EventKind.REQUEST, protocol="ipmi", method="IPMI", path="chassis-control", intent="power-command", system="1"
    )
    story.say(EventKind.LOOK, asked, system="2", view="chassis", word=None)
    story.say(EventKind.LOOK, asked, bmc="other", system="1", view="ipmi", word="Off")
    assert finding(story).seen == (
        "sent a power command at +0.0 s: no answer; read Chassis PowerState null of 2 at +0.0 s; "
        "read IPMI power Off of other/1 at +0.0 s"
    )


def test_a_completion_code_is_told_as_one() -> None:
    story = Story().start()
    asked = story.say(
        EventKind.REQUEST,
        protocol="ipmi",
        method="IPMI",
        path="chassis-control",
        intent="power-command",
        system="1",
        reset="ForceOff",
    )
    story.say(EventKind.RESPONSE, asked, completion_code=0xD5)
    assert finding(story).seen == "sent ForceOff at +0.0 s: 0xD5"


def test_who_did_nothing_has_seen_nothing_and_who_did_much_is_cut_short() -> None:
    assert finding(Story().start()).seen == "read no power state and sent no power command"
    story = Story().start()
    for _ in range(6):
        story.read().command()
    assert "... 4 more ..." in finding(story).seen


# -- remedies --------------------------------------------------------------------------------------------------------------

CASES = [
    (Story().start().read(told="Off"), Claim.OFF, "Read the Chassis"),
    (Story().start(), Claim.OFF, "does not answer as unknown"),
    (Story().start().command(), Claim.OFF, "accepted proves nothing"),
    (Story().start().command(status=409), Claim.OFF, "400, 409 and 0xD5"),
    (Story().start().read(told="PoweringOff"), Claim.OFF, "nothing but the word Off"),
    (Story().start().read(), Claim.OFF, "Go on reading"),
    (Story().start().request("GET", "/redfish/v1/Systems/1"), Claim.OFF, "Take an answer without a power state"),
    (Story().start().command().falls().read(told="Off").rises(), Claim.OFF, "Read Off twice"),
    (Story().start().read(system="2", told="Off"), Claim.OFF, "Choose the system"),
    (Story("down").start().read(), Claim.FAILED, "Read the state before you command"),
    (Story().start().command(status=503), Claim.FAILED, "Retry-After"),
    (Story().start().command("GracefulShutdown"), Claim.FAILED, "polite request"),
    (Story().start().command(status=400), Claim.FAILED, "after a refused command"),
    (Story().start().command(status=308), Claim.FAILED, "Follow a redirect on the same host"),
    (Story().start().command(status=308).command().read(), Claim.FAILED, "Poll until the deadline"),
    (Story().start().read(), Claim.FAILED, "Send the power command"),
    (Story().start().command().read(), Claim.FAILED, "Poll until the deadline"),
]


@pytest.mark.parametrize(("story", "claim", "advice"), CASES, ids=[advice for _, _, advice in CASES])
def test_the_remedy_fits_what_was_done(story: Story, claim: Claim, advice: str) -> None:
    assert advice in finding(story, claim).remedy


def test_who_fails_on_a_refused_log_in_is_told_to_look_at_the_log_in() -> None:
    refused = Story("down").start().refused_login().claim()
    assert "byte for byte" in finding(refused, Claim.FAILED).remedy
    late = Story("down").start().refused_login().read(told="Off").claim()
    assert "byte for byte" not in finding(late, Claim.FAILED).remedy


def test_a_chassis_that_said_on_and_a_lost_answer_have_their_own_remedy() -> None:
    said_on = Story().start().read(told="Off")
    said_on.say(EventKind.LOOK, 5, system="1", view="chassis", word="On")
    assert "while it says On" in finding(said_on).remedy
    for claim, advice in ((Claim.OFF, "after a lost answer and claim only"), (Claim.FAILED, "send the command once more")):
        lost = Story().start()
        asked = lost.say(EventKind.REQUEST, intent="power-command", system="1", reset="ForceOff")
        lost.say(EventKind.WIRE, asked, answer="none", fault="wire.reset")
        assert advice in finding(lost, claim).remedy


EVERY = [
    ("G1", KIND.FALSE), ("G1", KIND.EARLY), ("G1", KIND.RESURRECTED), ("G1", KIND.WRONG_TARGET), ("G1", KIND.WRONG_ANSWER),
    ("G2", None), ("G2", KIND.LEFTOVER), ("G2", KIND.CONDUCT), ("G3", KIND.SECRET), ("G4", KIND.REPEATED), ("G5", KIND.LEFTOVER),
    ("G6", KIND.WRONG_TARGET), ("G6", KIND.OVERREACH), ("G7", None), ("G8", KIND.CREDENTIALS), ("G9", KIND.WRONG_ANSWER),
    ("S", KIND.UNVERIFIED), ("S", KIND.WRONG_TARGET), ("S", None), ("L", None), ("L", KIND.NOT_TRIED), ("T", KIND.WRONG_CAUSE),
    ("T", KIND.NO_CAUSE), ("T", KIND.WRONG_ANSWER), ("T", None), ("H", KIND.REPEATED),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "kind"), EVERY)
def test_every_sort_of_finding_has_a_remedy(rule: str, kind: FindingKind | None) -> None:
    assert remedy(rule, "FENCE-0", kind, frozenset())


def test_what_no_row_is_about_has_none() -> None:
    assert remedy("X1", "FENCE-0", None, frozenset()) == ""


def test_every_row_of_the_remedies_can_be_chosen() -> None:
    """A row that a row above it always forestalls would be dead."""
    for number, row in enumerate(REMEDIES):
        rules, kinds = row.rules or tuple(r for r, _ in EVERY), row.kinds or (None, *FindingKind)
        asked = [(rule, row.requirement or "FENCE-0", kind, frozenset(row.when)) for rule in rules for kind in kinds]
        assert any(remedies.remedy(*one) == row.advice for one in asked), REMEDIES[number].advice


def test_the_remedy_of_an_exit_code_and_of_a_monitor_differ() -> None:
    assert remedy("G9", "FENCE-25", KIND.WRONG_ANSWER, frozenset()) != remedy("G9", "FENCE-24", KIND.WRONG_ANSWER, frozenset())
