from __future__ import annotations

from dataclasses import fields

import pytest

from fencer.ha.policy import DURATIONS, Policy


def test_defaults_are_cloudstacks_where_both_have_one() -> None:
    p = Policy()
    assert (p.poll, p.health_timeout, p.activity_interval, p.activity_samples, p.activity_ratio) == (4, 10, 60, 10, 0.7)
    assert (p.degraded_period, p.recovered_wait, p.recovery_attempts) == (300, 600, 1)


def test_scaling_shrinks_every_duration_and_no_count() -> None:
    policy, small = Policy(), Policy().scaled(0.05)
    for field in fields(Policy):
        before, after = getattr(policy, field.name), getattr(small, field.name)
        if field.name in DURATIONS:
            assert after == pytest.approx(before * 0.05)
        elif field.name != "power_offs_per_second":
            assert after == before
    assert small.power_offs_per_second == pytest.approx(100)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"poll": 0.0}, "poll must be greater than 0"),
        ({"lease": 12.0}, "lease must be longer"),
        ({"lease_renew": 18.0}, "lease_renew must leave room"),
        ({"backoff_jitter": 1.0}, "backoff_jitter"),
        ({"backoff_cap": 1.0}, "backoff_cap"),
        ({"activity_ratio": 1.0}, "activity_ratio"),
        ({"brake_ratio": 0.0}, "brake_ratio"),
        ({"min_healthy": 1.5}, "min_healthy"),
        ({"max_fenced": 0.0}, "max_fenced"),
        ({"device_check": -1.0}, "device_check"),
        ({"recovery_attempts": -1}, "recovery_attempts"),
    ],
)
def test_settings_that_contradict_one_another_are_refused(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Policy(**wrong)  # type: ignore[arg-type]


def test_a_scale_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="scale"):
        Policy().scaled(0)
