"""A find is made smaller: fewer deviations, milder ones, earlier ones; and of each class one is shown."""

from __future__ import annotations

from conformance.hunt.observation import ObservedStep
from conformance.hunt.shrink import MOST_TRIES, classes, shrink
from conformance.hunt.trace import PlacedDeviation, Trace
from conformance.hunt.verdict import HuntedRun, size
from conformance.vocabulary import Verdict
from tests.hunt_runs import PLAIN, REDFISH, hunted, placed


def unsafe(*deviations: PlacedDeviation) -> HuntedRun:
    return hunted(Trace(REDFISH, deviations), Verdict.UNSAFE, "FALSE")


def before(trace: Trace) -> tuple[ObservedStep, ...]:
    return PLAIN


def test_a_deviation_that_is_not_needed_is_dropped() -> None:
    lie = placed(3, "early-off", 2)

    def play(trace: Trace) -> HuntedRun:
        return unsafe(*trace.deviations) if lie in trace.deviations else hunted(trace)

    found = shrink(unsafe(placed(1, "busy"), lie), play, lambda trace: ())
    assert found.trace.deviations == (lie,)


def test_the_earliest_place_is_found() -> None:
    def play(trace: Trace) -> HuntedRun:
        words = {each.word for each in trace.deviations}
        return unsafe(*trace.deviations) if "early-off" in words else hunted(trace)

    found = shrink(unsafe(placed(3, "early-off", 2)), play, before)
    assert [str(each) for each in found.trace.deviations] == ["early-off at request 1"]


def test_the_mildest_deviation_that_does_it_is_found() -> None:
    def play(trace: Trace) -> HuntedRun:
        words = {each.word for each in trace.deviations} & {"silent", "null", "early-off"}
        return unsafe(*trace.deviations) if words else hunted(trace)

    found = shrink(unsafe(placed(3, "early-off", 2)), play, before)
    assert [each.word for each in found.trace.deviations] == ["null"]


def test_another_verdict_is_another_find() -> None:
    def play(trace: Trace) -> HuntedRun:
        return hunted(trace, Verdict.STUCK)

    find = unsafe(placed(3, "early-off", 2))
    assert shrink(find, play, before) == find


def test_shrinking_ends_after_a_number_of_runs() -> None:
    tried: list[Trace] = []
    many = tuple(placed(at, "busy", at) for at in range(1, 60))

    def play(trace: Trace) -> HuntedRun:
        tried.append(trace)
        return hunted(trace)

    shrink(unsafe(*many), play, lambda trace: ())
    assert len(tried) == MOST_TRIES


def test_of_each_class_the_smallest_is_shown_the_worst_first_and_one_that_only_adds_is_left_out() -> None:
    early, later = unsafe(placed(1, "early-off")), unsafe(placed(3, "early-off", 2))
    adding = unsafe(placed(1, "null"), placed(3, "early-off", 2))
    stuck = hunted(Trace(REDFISH, (placed(1, "busy"),)), Verdict.STUCK)
    assert classes([adding, later, stuck, early]) == (early, stuck)
    assert size(early.trace) < size(later.trace) < size(adding.trace)
