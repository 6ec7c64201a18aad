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
