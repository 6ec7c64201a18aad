"""What a run of a hunt comes to: which failures count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.finding import AskFacts, Finding, Judgement
from conformance.hunt.trace import PlacedDeviation, Trace
from conformance.hunt.verdict import end_of, worst
from conformance.requirement import DOES_IT
from conformance.vocabulary import Ask, Claim, FindingKind, Verdict
from emulator import Os, Rail
from tests.hunt_runs import PLAIN, REDFISH, placed, read

LOST = Trace(REDFISH, (placed(2, "lost-answer", what="power-command"),))


def judgement(verdict: Verdict, rail: Rail, ask: Ask = Ask.OFF, incarnation: int = 1) -> Judgement:
    kind = FindingKind.FALSE if verdict is Verdict.UNSAFE else None
    finding = Finding(verdict=verdict, rule="L", requirement=DOES_IT, expected="", actual="why", ask=0, kind=kind)
    facts = AskFacts(
        ask=ask, bmc="target", system="1", claim=Claim.FAILED, exit=1, seconds=1.0, rail=rail, os=Os.RUNNING,
        incarnation_before=1, incarnation=incarnation, requests=1, state_reads=1, power_commands=1, login_failures=0, assumed=0,
    )  # fmt: skip
    return Judgement(verdict=verdict, kind=kind, why="why", findings=(finding,), notes=(), facts=(facts,))


def test_a_false_claim_and_a_hang_always_count() -> None:
    assert worst(judgement(Verdict.UNSAFE, Rail.UP), LOST, PLAIN) == (Verdict.UNSAFE, "FALSE", "why")
    assert worst(judgement(Verdict.HANG, Rail.UP), LOST, PLAIN)[0] is Verdict.HANG


@pytest.mark.parametrize("verdict", [Verdict.MISLEADING, Verdict.HYGIENE])
def test_other_findings_do_not_count(verdict: Verdict) -> None:
    assert worst(judgement(verdict, Rail.DOWN), LOST, PLAIN)[0] is Verdict.PASS


def test_a_failure_counts_where_the_goal_held_or_was_coming() -> None:
    only_reads = (read(1),)
    assert worst(judgement(Verdict.STUCK, Rail.DOWN), LOST, only_reads)[0] is Verdict.STUCK
    assert worst(judgement(Verdict.STUCK, Rail.UP), LOST, only_reads)[0] is Verdict.PASS
    assert worst(judgement(Verdict.STUCK, Rail.UP), LOST, PLAIN)[0] is Verdict.STUCK
    withheld = Trace(REDFISH, (placed(2, "ignored", what="power-command"),))
    assert worst(judgement(Verdict.STUCK, Rail.UP), withheld, PLAIN)[0] is Verdict.PASS


def test_a_fencer_may_fail_where_silence_has_taken_its_time() -> None:
    assert worst(judgement(Verdict.STUCK, Rail.DOWN), LOST, PLAIN, 0.4)[0] is Verdict.STUCK
    assert worst(judgement(Verdict.STUCK, Rail.DOWN), LOST, PLAIN, 0.6)[0] is Verdict.PASS
    assert worst(judgement(Verdict.UNSAFE, Rail.UP), LOST, PLAIN, 0.6)[0] is Verdict.UNSAFE


def test_a_graceful_request_is_no_forced_one() -> None:
    asked = replace(PLAIN[1], did="sends GracefulShutdown")
    assert worst(judgement(Verdict.STUCK, Rail.UP), LOST, (asked,))[0] is Verdict.PASS


def test_without_a_deviation_every_failure_counts() -> None:
    assert worst(judgement(Verdict.STUCK, Rail.UP), Trace(REDFISH), (read(1),))[0] is Verdict.STUCK


def test_a_bmc_that_has_denied_twice_may_be_believed() -> None:
    def denied(*words: str) -> Trace:
        return Trace(REDFISH, tuple(PlacedDeviation(at, word, at, "power-read") for at, word in enumerate(words, start=1)))

    assert worst(judgement(Verdict.STUCK, Rail.DOWN), denied("unauthorized", "not-found"), PLAIN)[0] is Verdict.PASS
    assert worst(judgement(Verdict.STUCK, Rail.DOWN), denied("unauthorized", "busy"), PLAIN)[0] is Verdict.STUCK


@pytest.mark.parametrize("silence", ["lost-request", "lost-answer", "hang"])
def test_credentials_refused_and_not_answered_when_sent_again_may_have_been_refused_twice(silence: str) -> None:
    def stuck_after(*words: tuple[int, str]) -> Verdict:
        trace = Trace(REDFISH, tuple(placed(at, word, what="power-read") for at, word in words))
        return worst(judgement(Verdict.STUCK, Rail.DOWN), trace, PLAIN)[0]

    assert stuck_after((1, "unauthorized"), (2, silence)) is Verdict.PASS
    assert stuck_after((2, "unauthorized"), (3, silence)) is Verdict.STUCK, "they had been accepted before"
    assert stuck_after((1, "unauthorized"), (3, silence)) is Verdict.STUCK, "they were accepted in between"
    assert stuck_after((1, silence), (2, "unauthorized")) is Verdict.STUCK


@pytest.mark.parametrize(
    ("rail", "incarnation", "expected"), [(Rail.UP, 2, Verdict.STUCK), (Rail.UP, 1, Verdict.PASS), (Rail.DOWN, 2, Verdict.PASS)]
)
def test_a_reboot_has_reached_its_goal_with_another_run_of_the_host(rail: Rail, incarnation: int, expected: Verdict) -> None:
    assert worst(judgement(Verdict.STUCK, rail, Ask.REBOOT, incarnation), LOST, PLAIN)[0] is expected


def test_how_it_ended_is_said_in_words() -> None:
    assert [end_of(claim) for claim in (Claim.OFF, Claim.FAILED, Claim.NONE)] == ["claims off", "fails", "hangs"]


def test_a_fencer_that_gives_up_on_one_answer_of_busy_is_stuck() -> None:
    only_reads = (read(1),)
    assert worst(judgement(Verdict.STUCK, Rail.UP), Trace(REDFISH, (placed(1, "busy"),)), only_reads)[0] is Verdict.STUCK
    twice = Trace(REDFISH, (placed(1, "busy"), placed(2, "busy", 2)))
    assert worst(judgement(Verdict.STUCK, Rail.UP), twice, only_reads)[0] is Verdict.PASS


@pytest.mark.parametrize("word", ["gone", "locked-out", "unreadable", "deaf"])
def test_a_bmc_that_denies_again_and_again_may_be_believed(word: str) -> None:
    assert worst(judgement(Verdict.STUCK, Rail.DOWN), Trace(REDFISH, (placed(1, word),)), PLAIN)[0] is Verdict.PASS
    assert worst(judgement(Verdict.UNSAFE, Rail.UP), Trace(REDFISH, (placed(1, word),)), PLAIN)[0] is Verdict.UNSAFE


def test_a_fencer_that_waited_and_looked_too_seldom_for_the_gate_may_fail() -> None:
    """The host of a hunt moves when it was looked at three times; who sleeps for ten seconds and looks once sees On for ever."""
    assert worst(judgement(Verdict.STUCK, Rail.UP), Trace(REDFISH), PLAIN, held_back=True)[0] is Verdict.PASS
    assert worst(judgement(Verdict.STUCK, Rail.DOWN), LOST, PLAIN, held_back=True)[0] is Verdict.PASS
    assert worst(judgement(Verdict.UNSAFE, Rail.UP), Trace(REDFISH), PLAIN, held_back=True)[0] is Verdict.UNSAFE
