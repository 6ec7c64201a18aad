"""What a hunt tries, in which order, and what it leaves out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.hunt.deviation import BY_WORD, DEVIATIONS, MILD, choices, cost
from conformance.hunt.hunting import Ending
from conformance.hunt.radius import radius_sentence
from conformance.hunt.search import Search, SearchBounds
from conformance.hunt.shrink import classes
from conformance.hunt.told import last_line
from conformance.hunt.trace import Start, Trace, World
from conformance.vocabulary import Ask, Protocol, Verdict
from tests.hunt_runs import PLAIN, REDFISH, command, hunted, placed, read, searched


def test_there_are_at_most_fifteen_mild_deviations_and_their_names_differ() -> None:
    assert 1 <= len(MILD) <= 15
    assert len(BY_WORD) == len(DEVIATIONS)


def test_all_of_one_deviation_are_tried_at_each_of_the_first_requests() -> None:
    played = searched(Search([REDFISH], SearchBounds(budget=1, depth=2)))
    assert played[0] == Trace(REDFISH)
    at_first = {trace.deviations[0].word for trace in played[1:] if trace.deviations[0].at == 1}
    at_second = {trace.deviations[0].word for trace in played[1:] if trace.deviations[0].at == 2}
    assert {"busy", "lost-request", "lost-answer", "hang", "unauthorized", "not-found", "null", "early-off"} <= at_first
    assert {"conflict", "task-fails", "ignored", "powering-off"} <= at_second
    assert not {"conflict", "ignored"} & at_first, "a read is no command"
    assert {trace.deviations[0].at for trace in played[1:]} == {1, 2}


def test_what_costs_two_comes_only_with_a_budget_of_two_and_after_all_that_costs_one() -> None:
    assert not any(cost(trace) > 1 for trace in searched(Search([REDFISH], SearchBounds(budget=1))))
    played = searched(Search([REDFISH], SearchBounds(budget=2)))
    costs = [cost(trace) for trace in played]
    assert costs == sorted(costs)
    assert any(trace.deviations[0].word == "bounce" for trace in played[1:])
    assert any(len(trace.deviations) == 2 for trace in played)


def test_of_what_costs_the_same_fewer_deviations_come_first() -> None:
    played = searched(Search([REDFISH], SearchBounds(budget=2)))
    counts = [len(trace.deviations) for trace in played if cost(trace) == 2]
    assert counts == sorted(counts)
    assert set(counts) == {1, 2}


def test_deviations_that_last_or_are_seldom_are_offered_where_they_can_come() -> None:
    at_a_read = {each.word for each in choices(read(1), 1, REDFISH, budget=2)}
    at_a_command = {each.word for each in choices(command(), 2, REDFISH, budget=2)}
    assert {"unreadable", "gone", "locked-out"} <= at_a_read
    assert "bad-request" not in at_a_read
    assert {"bad-request", "locked-out"} <= at_a_command
    assert not {"unreadable", "gone"} & at_a_command


def test_a_later_deviation_comes_behind_the_earlier_one() -> None:
    for trace in searched(Search([REDFISH], SearchBounds(budget=3))):
        numbers = [each.at for each in trace.deviations]
        assert numbers == sorted(set(numbers))


def test_a_word_is_not_offered_where_it_was_told() -> None:
    words = {each.word for each in choices(read(1, "Off", "down"), 1, REDFISH, budget=1)}
    assert "early-off" not in words
    assert "stale" in words
    assert "early-off" in {each.word for each in choices(read(1), 1, REDFISH, budget=1)}


def test_requests_of_another_protocol_than_the_world_are_left_alone() -> None:
    assert list(choices(replace(read(1), protocol="ipmi"), 1, REDFISH, budget=3)) == []


def test_the_body_of_another_system_needs_another_system() -> None:
    two = World(Protocol.REDFISH, Ask.OFF, Start.TWO)
    assert "other-body" not in {each.word for each in choices(read(1), 1, REDFISH, budget=1)}
    assert "other-body" in {each.word for each in choices(read(1), 1, two, budget=1)}


@pytest.mark.parametrize("verdict", [Verdict.STUCK, Verdict.HANG])
def test_a_fencer_that_fails_may_claim_what_is_not_true_with_a_further_deviation(verdict: Verdict) -> None:
    def judge(trace: Trace) -> tuple[Verdict, str]:
        words = [each.word for each in trace.deviations]
        if words == ["busy", "early-off"]:
            return Verdict.UNSAFE, "FALSE"
        return (verdict, "") if words[:1] == ["busy"] else (Verdict.PASS, "")

    search = Search([REDFISH], SearchBounds(budget=2))
    searched(search, judge)
    finds = classes(run for run in search.runs if run.is_find)
    told = {(run.verdict, tuple(each.word for each in run.trace.deviations)) for run in finds}
    assert told == {(Verdict.UNSAFE, ("busy", "early-off")), (verdict, ("busy",))}, "a failure with one more is the same find"


def test_an_unsafe_find_is_not_extended() -> None:
    def judge(trace: Trace) -> tuple[Verdict, str]:
        return (Verdict.UNSAFE, "FALSE") if [each.word for each in trace.deviations] == ["ignored"] else (Verdict.PASS, "")

    played = searched(Search([REDFISH], SearchBounds(budget=2)), judge)
    assert [trace for trace in played if trace.deviations and trace.deviations[0].word == "ignored"] == [
        Trace(REDFISH, (placed(2, "ignored", what="power-command"),))
    ]


def test_a_fencer_that_fails_without_a_deviation_is_tried_with_one() -> None:
    def judge(trace: Trace) -> tuple[Verdict, str]:
        return (Verdict.PASS, "") if trace.deviations else (Verdict.UNSAFE, "EARLY")

    assert len(searched(Search([REDFISH], SearchBounds(budget=1)), judge)) > 1


def test_runs_that_nobody_could_tell_apart_are_extended_once() -> None:
    search = Search([REDFISH], SearchBounds(budget=2))
    base = search.next()
    assert base is not None
    search.take(hunted(base))
    first, second = search.next(), search.next()
    assert first is not None
    assert second is not None
    search.take(hunted(first))
    waiting = search.waiting
    search.take(replace(hunted(second), key=search.runs[-1].key))
    assert search.waiting == waiting
    assert search.levels[1].merged == 1


def test_a_run_whose_deviation_did_not_come_says_nothing_and_is_not_extended() -> None:
    search = Search([REDFISH], SearchBounds(budget=2))
    base = search.next()
    assert base is not None
    search.take(hunted(base))
    first = search.next()
    assert first is not None
    waiting = search.waiting
    search.take(hunted(first, complete=False))
    assert search.waiting == waiting
    assert search.levels[1].missed == 1


def test_seldom_sequences_of_requests_come_first_and_the_seed_decides_the_rest() -> None:
    bounds = SearchBounds(budget=2, seed=4)
    one, again = searched(Search([REDFISH], bounds)), searched(Search([REDFISH], bounds))
    other = searched(Search([REDFISH], replace(bounds, seed=5)))
    assert one == again
    assert one != other
    assert set(one) == set(other)


def test_known_runs_are_not_played_again() -> None:
    whole = Search([REDFISH], SearchBounds(budget=2))
    everything = searched(whole)
    known = whole.runs[: len(whole.runs) // 2]
    resumed = Search([REDFISH], SearchBounds(budget=2), known)
    rest = searched(resumed)
    assert not set(rest) & {run.trace for run in known}
    assert len(rest) + len(known) == len(everything)
    assert {run.trace for run in resumed.runs} == set(everything)


@pytest.mark.parametrize("budget", [1, 2])
def test_the_radius_says_what_was_tried_and_never_that_a_fencer_is_safe(budget: int) -> None:
    search = Search([REDFISH], SearchBounds(budget=budget, depth=3))
    runs = len(searched(search))
    sentence = radius_sentence([], search.levels, search.bounds)
    assert sentence == f"safety radius: none up to {budget} within the first 3 requests: {runs} runs, all combinations"


def test_the_radius_of_a_search_that_was_cut_short_says_how_far_it_came() -> None:
    search = Search([REDFISH], SearchBounds(budget=2))
    singles = len(searched(Search([REDFISH], SearchBounds(budget=1))))
    searched(search, most=singles + 3)
    planned = search.levels[2].planned
    sentence = radius_sentence([], search.levels, search.bounds)
    assert f"none up to 1 within the first 12 requests: {singles} runs, all combinations; with 2: 3 runs of {planned}" in sentence
    unknown = Search([REDFISH], SearchBounds())
    assert "unknown" in radius_sentence([], unknown.levels, unknown.bounds)


def after_the_base() -> tuple[Search, Trace]:
    """A search whose run without a deviation is taken in, and the next trace."""
    search = Search([REDFISH], SearchBounds(budget=1, depth=1))
    base = search.next()
    assert base is not None
    search.take(hunted(base))
    first = search.next()
    assert first is not None
    return search, first


def test_the_last_line_counts_runs_in_which_a_deviation_did_not_come() -> None:
    search, first = after_the_base()
    assert "did not come" not in last_line(search, Ending.TIME, 1.0, {})
    search.take(hunted(first, complete=False))
    assert ", in 1 a deviation did not come; " in last_line(search, Ending.TIME, 1.0, {})


def test_the_radius_says_what_was_not_tried_as_it_was_planned() -> None:
    search, first = after_the_base()
    search.take(hunted(first, complete=False))
    while (trace := search.next()) is not None:
        search.take(hunted(trace))
    sentence = radius_sentence([], search.levels, search.bounds, shaky=1)
    assert "all combinations, of which 1 went another way than the deviation needs; 1 UNSAFE came out otherwise" in sentence


def test_a_level_with_a_run_that_could_not_be_played_is_not_whole() -> None:
    search, first = after_the_base()
    search.take(hunted(first, Verdict.ERROR))
    while (trace := search.next()) is not None:
        search.take(hunted(trace))
    sentence = radius_sentence([], search.levels, search.bounds)
    assert sentence.startswith("safety radius: none up to 0 ")
    assert sentence.endswith("; 1 could not be played")


def test_the_radius_is_the_smallest_unsafe_find() -> None:
    small = hunted(Trace(REDFISH, (placed(1, "early-off"),)), Verdict.UNSAFE, "FALSE")
    large = hunted(Trace(REDFISH, (placed(1, "busy"), placed(3, "early-off", 2))), Verdict.UNSAFE, "FALSE")
    stuck = hunted(Trace(REDFISH, (placed(1, "busy"),)), Verdict.STUCK)
    search = Search([REDFISH], SearchBounds())
    sentence = radius_sentence([large, small, stuck], search.levels, search.bounds)
    assert sentence == "safety radius: 1 deviation (off over redfish, host on: early-off at request 1)"


def test_a_lost_request_is_counted_by_the_wire_and_not_by_the_service() -> None:
    swallowed = replace(read(2), served=0, viewed=0, told="nothing", word="")
    words = {each.word for each in choices(swallowed, 3, REDFISH, budget=1)}
    assert "lost-answer" in words
    assert "busy" not in words
    assert PLAIN[1] == command()


def test_a_deviation_is_told_as_it_is_over_the_protocol_that_was_spoken() -> None:
    busy, early = BY_WORD["busy"], BY_WORD["early-off"]
    assert busy.sentence_over(Protocol.REDFISH) == "says that it is busy (HTTP 503 with Retry-After 1) and does nothing"
    assert busy.sentence_over(Protocol.IPMI) == "says that it is busy (IPMI 0xC0) and does nothing"
    assert early.sentence_over(Protocol.IPMI) == early.sentence
    for each in DEVIATIONS:
        assert "IPMI" not in each.sentence_over(Protocol.REDFISH)
        assert "HTTP" not in each.sentence_over(Protocol.IPMI) or each.ipmi is None
