"""Time that passes only while somebody waits."""

from __future__ import annotations

import math

import pytest

from emulator.core.clock import VirtualClock
from emulator.wire.virtual_loop import VirtualLoop


@pytest.fixture
def loop() -> VirtualLoop:
    return VirtualLoop(VirtualClock())


def test_a_wait_runs_what_is_due_in_order_and_ends_at_its_instant(loop: VirtualLoop) -> None:
    seen: list[tuple[str, float]] = []
    for name, after_s in (("late", 3.0), ("early", 1.0), ("also early", 1.0), ("never", 9.0)):
        loop.call_later(after_s, lambda name=name: seen.append((name, loop.now())))
    assert not loop.run_until(5.0)
    assert seen == [("early", 1.0), ("also early", 1.0), ("late", 3.0)]
    assert loop.now() == 5.0


def test_what_is_due_at_the_instant_itself_has_happened(loop: VirtualLoop) -> None:
    seen: list[str] = []
    loop.call_later(2.0, lambda: seen.append("in time"))
    assert loop.run_until(2.0, lambda: bool(seen))


def test_a_wait_ends_as_soon_as_it_is_done(loop: VirtualLoop) -> None:
    seen: list[int] = []
    loop.call_later(1.0, lambda: seen.append(1))
    assert loop.run_until(math.inf, lambda: bool(seen))
    assert loop.now() == 1.0


def test_a_callback_may_set_a_timer_for_now_and_it_runs_in_the_same_wait(loop: VirtualLoop) -> None:
    seen: list[str] = []
    loop.call_later(1.0, lambda: loop.call_later(0.0, lambda: seen.append("then")))
    assert loop.run_until(1.0, lambda: bool(seen))


def test_a_cancelled_timer_never_runs(loop: VirtualLoop) -> None:
    seen: list[str] = []
    timer = loop.call_later(1.0, lambda: seen.append("no"))
    timer.cancel()
    timer.cancel()
    assert not loop.run_until(2.0)
    assert seen == []


def test_a_timer_that_another_one_cancels_in_the_same_turn_does_not_run(loop: VirtualLoop) -> None:
    seen: list[str] = []
    loop.call_later(1.0, lambda: second.cancel())
    second = loop.call_later(1.0, lambda: seen.append("no"))
    loop.run_until(2.0)
    assert seen == []


def test_driven_sources_and_posted_calls_run_when_they_are_due(loop: VirtualLoop) -> None:
    due: list[float] = [1.5]
    seen: list[tuple[str, float]] = []

    def advance(now: float) -> None:
        due.clear()
        seen.append(("source", now))

    loop.drive(lambda: due[0] if due else None, advance)
    loop.post(lambda: seen.append(("posted", loop.now())))
    loop.run_until(2.0)
    assert seen == [("posted", 0.0), ("source", 1.5)]


def test_a_call_sees_everything_that_was_due(loop: VirtualLoop) -> None:
    seen: list[str] = []
    loop.post(lambda: seen.append("before"))
    assert loop.call(lambda: list(seen)) == ["before"]


def test_the_clock_never_goes_back(loop: VirtualLoop) -> None:
    loop.run_until(5.0)
    loop.run_until(1.0)
    assert loop.now() == 5.0


def test_after_the_end_nothing_happens(loop: VirtualLoop) -> None:
    seen: list[str] = []
    loop.start()
    loop.call_later(1.0, lambda: seen.append("no"))
    loop.drive(lambda: 1.0, lambda now: seen.append("no"))
    loop.post(lambda: seen.append("no"))
    loop.stop()
    loop.run_until(5.0)
    assert seen == []
