from __future__ import annotations

from dataclasses import replace

from fencer.ha.fence_limiter import hold, too_many_lost
from fencer.ha.observations import Hold
from fencer.ha.policy import Policy
from fencer.ha.record import Fence, FencePhase, HostRecord
from fencer.ha.states import HAState

POLICY = Policy()


def cluster(lost: int, total: int, apart: float = 0.0, state: HAState = HAState.SUSPECT) -> list[HostRecord]:
    good = [HostRecord(host=f"g{n}", state=HAState.AVAILABLE) for n in range(total - lost)]
    return good + [HostRecord(host=f"b{n}", state=state, suspect_since=n * apart) for n in range(lost)]


def test_more_than_half_and_at_least_three_lost_together_is_too_many() -> None:
    assert too_many_lost(cluster(6, 10), POLICY)
    assert not too_many_lost(cluster(5, 10), POLICY)
    assert not too_many_lost(cluster(2, 2), POLICY)
    assert not too_many_lost(cluster(6, 10, apart=50), POLICY)


def test_hosts_that_are_proved_off_are_explained() -> None:
    assert not too_many_lost(cluster(6, 10, state=HAState.FENCED), POLICY)


def test_each_reason_to_hold() -> None:
    quiet = cluster(1, 10)
    assert hold(cluster(6, 10), "me", POLICY, 100, 0, None) is Hold.TOO_MANY_LOST
    assert hold(quiet, "me", POLICY, 59, 0, None) is Hold.JUST_STARTED
    assert hold(quiet, "me", POLICY, 100, 0, 99.9) is Hold.RATE
    assert hold(quiet, "me", POLICY, 100, 0, 99.0) is None
    fence = Fence(id="x", started_at=0, phase=FencePhase.CONFIRM)
    busy = [replace(record, owner="me", fence=fence) for record in cluster(25, 100)[75:]]
    assert hold(busy + cluster(0, 100), "me", POLICY, 100, 0, None) is Hold.RATE
    assert hold(busy + cluster(0, 100), "other", POLICY, 100, 0, None) is None
