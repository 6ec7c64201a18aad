"""What a slow machine could have made is repeated; a difference is FLAKY, and a late machine is nobody's fault."""

from __future__ import annotations

import pytest

from conformance.finding import Finding, Judgement
from conformance.outcome import FencerOutcome
from conformance.repeated_runs import JudgedRun, hangs_on_the_clock, is_open, settle, settle_repeats
from conformance.requirement import DOES_IT
from conformance.vocabulary import Ask, Claim, FindingKind, Verdict
from emulator import Event, EventKind

DEADLINE, CAP = 15.0, 20.0
LEFTOVER = FindingKind.LEFTOVER


def run(
    verdict: Verdict,
    duration: float = 14.0,
    *,
    last: float = 1.0,
    lag: float = 0.0,
    gate: str | None = None,
    kind: FindingKind | None = None,
) -> JudgedRun:
    """A run whose fencer sent its last request after `last` seconds; `gate` is what opened one."""
    findings = ()
    if verdict.is_defect:
        findings = (Finding(verdict=verdict, rule="L", requirement=DOES_IT, expected="", actual="too slow", ask=0),)
    events = [
        Event(1, last, "target", EventKind.REQUEST, None, {}),
        Event(2, duration, "target", EventKind.FENCER, None, {}),
    ]
    if gate is not None:
        events.append(Event(3, 5.0, "target", EventKind.GATE, None, {"by": gate}))
    why = "too slow" if findings else ""
    return JudgedRun(
        judgement=Judgement(verdict=verdict, kind=kind, why=why, findings=findings, notes=(), facts=()),
        outcomes=(FencerOutcome(ask=Ask.OFF, claim=Claim.FAILED, duration=duration),),
        events=events,
        deadline=DEADLINE,
        cap=CAP,
        lag_s=lag,
    )


SLOW, QUICK = run(Verdict.STUCK), run(Verdict.STUCK, 2.0)
PASSED = run(Verdict.PASS)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (run(Verdict.HANG, 20.0), None),  # silent for most of its time: it hangs by itself
        (run(Verdict.HANG, 20.0, lag=9.0), None),
        (run(Verdict.HANG, 20.0, last=19.0), "still working"),
        (SLOW, "nearly all of its time"),
        (run(Verdict.STUCK, 17.0), "nearly all of its time"),
        (QUICK, None),
        (run(Verdict.STUCK, 2.0, gate="time"), "time was up"),
        (run(Verdict.STUCK, 2.0, gate="reads"), None),
        (run(Verdict.MISLEADING), "nearly all of its time"),
        (run(Verdict.STUCK, 2.0, lag=0.6), "late by 0.6 s"),
        (run(Verdict.STUCK, 2.0, lag=0.4), None),
        (run(Verdict.UNSAFE, lag=9.0), None),
        (run(Verdict.HYGIENE, lag=9.0), None),
        (run(Verdict.PASS, gate="time", lag=9.0), None),
        (run(Verdict.HYGIENE, 10.0, lag=0.6, kind=LEFTOVER), "late by 0.6 s"),  # a log-out may not take long
        (run(Verdict.HYGIENE, 10.0, lag=0.4, kind=LEFTOVER), None),
        (run(Verdict.HYGIENE, 10.0, lag=9.0, kind=FindingKind.REPEATED), None),
    ],
)
def test_a_verdict_hangs_on_the_clock_or_it_does_not(one: JudgedRun, why: str | None) -> None:
    found = hangs_on_the_clock(one)
    assert (found is None) == (why is None)
    assert why is None or why in str(found)
    assert is_open([one]) == (why is not None)


def test_a_session_left_open_on_a_late_machine_is_tried_again_and_the_better_run_stands() -> None:
    left = run(Verdict.HYGIENE, 10.0, lag=0.6, kind=LEFTOVER)
    assert settle([left, PASSED]).judgement.verdict is Verdict.PASS
    on_time = run(Verdict.HYGIENE, 10.0, kind=LEFTOVER)
    assert settle([left, on_time]).judgement.verdict is Verdict.HYGIENE


def test_the_same_verdict_twice_stands() -> None:
    assert not is_open([SLOW, SLOW])
    settled = settle([SLOW, SLOW])
    assert (settled.judgement.verdict, settled.judgement.remarks) == (Verdict.STUCK, ())


@pytest.mark.parametrize("order", [[SLOW, PASSED], [run(Verdict.HANG, 20.0, last=19.0), SLOW]])
def test_another_verdict_is_flaky_and_shows_both(order: list[JudgedRun]) -> None:
    settled = settle(order)
    assert settled.judgement.verdict is Verdict.FLAKY
    assert settled.judgement.verdict.fails_gate
    assert settled.shown is order[0], "the worse run is the one that can be worked on"
    for one in order:
        assert one.verdict in settled.judgement.why


@pytest.mark.parametrize("order", [[SLOW, run(Verdict.UNSAFE)], [SLOW, SLOW, run(Verdict.UNSAFE)]])
def test_unsafe_in_any_run_wins(order: list[JudgedRun]) -> None:
    settled = settle(order)
    assert settled.judgement.verdict is Verdict.UNSAFE
    assert settled.shown is order[-1]
    assert settled.judgement.remarks == ("another run came out as STUCK",)
    assert not is_open(order)


def test_a_run_that_could_not_be_tested_is_an_error_and_no_flake() -> None:
    assert settle([SLOW, run(Verdict.ERROR)]).judgement.verdict is Verdict.ERROR


def test_a_run_on_a_late_machine_does_not_count() -> None:
    late = run(Verdict.STUCK, lag=3.0)
    assert is_open([late])
    assert is_open([late, late])
    settled = settle([late, PASSED])
    assert settled.judgement.verdict is Verdict.PASS
    assert settled.judgement.remarks == ("not counted: 1 run in which the machine was late, by up to 3.0 s",)
    assert settle([late, late, PASSED]).judgement.verdict is Verdict.PASS
    same = settle([late, late, SLOW]).judgement
    assert (same.verdict, same.remarks) == (Verdict.STUCK, ()), "whether it counts makes no difference"


def test_a_machine_that_is_always_late_is_named_and_the_last_run_stands() -> None:
    late = run(Verdict.STUCK, lag=3.0)
    assert not is_open([late, late, late])
    settled = settle([late, late, late])
    assert settled.judgement.verdict is Verdict.STUCK
    assert "late in every run" in settled.judgement.remarks[0]


def test_a_late_second_run_is_followed_by_a_third() -> None:
    late = run(Verdict.HANG, 20.0, last=19.0, lag=3.0)
    assert is_open([SLOW, late])
    assert settle([SLOW, late, PASSED]).judgement.verdict is Verdict.FLAKY
    assert settle([SLOW, late, SLOW]).judgement.verdict is Verdict.STUCK


@pytest.mark.parametrize(
    ("repeats", "verdict", "words"),
    [
        ([PASSED], Verdict.PASS, ""),
        ([PASSED, PASSED, PASSED], Verdict.PASS, "the same in 3 of 3 repeats"),
        ([QUICK, QUICK], Verdict.STUCK, "the same in 2 of 2 repeats"),
        ([PASSED, QUICK, PASSED], Verdict.FLAKY, "3 repeats: 1 STUCK, 2 PASS; the worst: too slow"),
        ([PASSED, run(Verdict.UNSAFE), QUICK], Verdict.UNSAFE, "3 repeats: 1 UNSAFE, 1 STUCK, 1 PASS"),
        ([PASSED, run(Verdict.ERROR)], Verdict.ERROR, "2 repeats: 1 ERROR, 1 PASS"),
        ([PASSED, run(Verdict.STUCK, lag=9.0)], Verdict.PASS, "the same in 1 of 2 repeats"),  # a late machine makes nobody flaky
        ([run(Verdict.STUCK, lag=9.0)] * 2, Verdict.STUCK, "the same in 1 of 2 repeats"),
    ],
)
def test_repeats_that_differ_are_flaky_and_unsafe_in_any_wins(repeats: list[JudgedRun], verdict: Verdict, words: str) -> None:
    settled = settle_repeats([settle([each]) for each in repeats])
    assert settled.judgement.verdict is verdict
    assert words in "; ".join((settled.judgement.why, *settled.judgement.remarks))
    assert settled.shown in repeats
