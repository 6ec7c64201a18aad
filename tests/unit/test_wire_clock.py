"""The wall's clock."""

from __future__ import annotations

import pytest

from emulator.wire.wallclock import WallClock, utc_now


def test_it_starts_at_zero_and_does_not_run_backwards():
    clock = WallClock()
    first, second = clock.now(), clock.now()
    assert 0 <= first <= second < 60


def test_a_rate_shortens_the_wait():
    assert 9.0 < WallClock(rate=10).seconds_until(100.0) <= 10.0
    assert WallClock().seconds_until(-1.0) == 0.0


@pytest.mark.parametrize("rate", [0, -1, float("nan")])
def test_a_rate_that_is_not_positive_is_refused(rate):
    with pytest.raises(ValueError, match="forwards"):
        WallClock(rate)


def test_the_calendar_knows_its_zone():
    assert utc_now().utcoffset().total_seconds() == 0


class Watch:
    """The machine's clock, moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_new_rate_counts_from_now_on():
    watch = Watch()
    clock = WallClock(monotonic=watch)
    watch.now += 10
    clock.set_rate(5)
    watch.now += 2
    assert (clock.now(), clock.rate) == (20.0, 5)
    assert clock.seconds_until(30.0) == 2.0
    with pytest.raises(ValueError, match="forwards"):
        clock.set_rate(float("inf"))


def test_a_paused_clock_stands_still_until_it_is_stepped_or_resumed():
    watch = Watch()
    clock = WallClock(rate=2, monotonic=watch)
    watch.now += 1
    clock.pause()
    watch.now += 50
    assert (clock.now(), clock.paused) == (2.0, True)
    assert clock.seconds_until(2.5) == float("inf")
    assert clock.seconds_until(2.0) == 0.0
    clock.step(3)
    clock.set_rate(4)
    assert clock.now() == 5.0
    clock.resume()
    watch.now += 1
    assert (clock.now(), clock.paused) == (9.0, False)
    with pytest.raises(ValueError, match="backwards"):
        clock.step(-1)
