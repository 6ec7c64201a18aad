"""No power command of any explored cluster breaks a promise, and each limit that is taken out is found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from fencer.ha import cluster, fence, fence_limiter, orders, recovery
from fencer.ha.fence_limiter import LIMITS, ClusterView
from fencer.ha.observations import CancelFence, Hold
from fencer.ha.policy import Policy
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.step_builder import StepBuilder
from tests.effort import examples
from tests.ha_cluster_explorer import POLICY, Setting, after, search

pytestmark = pytest.mark.long


RESETS = replace(POLICY, recovery_attempts=1)
NO_STORM = replace(POLICY, brake_min=99)
SLOW_CHECKS = replace(NO_STORM, lease=30)  # a check counts for long, so that its age alone does not rule it out
SETTINGS = {
    "four hosts": Setting(),
    "four hosts, resets": Setting(RESETS),
    "two hosts": Setting(hosts=2),
    "three hosts": Setting(hosts=3),
    "no storm": Setting(NO_STORM),
    "slow checks": Setting(SLOW_CHECKS, every=4),
    "one in a day": Setting(replace(POLICY, max_fenced=0.25)),
    "a witness": Setting(has_witness=True),
    "one machine twice": Setting(twins=True, override=True),
    "a delay": Setting(delay=4.0),
    "two hosts, a delay, resets": Setting(RESETS, hosts=2, delay=4.0),
    "a young manager": Setting(replace(POLICY, start_quiet=8.0)),
    "orders": Setting(orders=True, override=True),
    "cancels": Setting(RESETS, orders=True, cancels=True, override=True),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_no_power_command_breaks_a_promise(name: str) -> None:
    broken, way, worlds = search(SETTINGS[name], examples(1_500))
    assert not broken, f"{broken}: {' > '.join(way)}"
    assert len(worlds) > 20


def test_power_is_cut_where_it_may_be() -> None:
    """Otherwise a machine that never commands would keep every promise."""
    _, _, worlds = search(Setting(), examples(1_500))
    assert any(world.cuts for world in (after(world, 12, Setting()) for world in worlds[:40]))


def test_whatever_is_held_back_a_host_without_power_is_down_soon() -> None:
    for name in ("four hosts", "two hosts", "a witness", "a young manager"):
        setting = SETTINGS[name]
        _, _, worlds = search(setting, examples(600))
        for world in worlds[:30]:
            everyone = frozenset(range(setting.hosts))
            end = after(replace(world, dark=everyone, hidden=everyone, witness=False), 8, setting)
            assert all(record.state is HAState.FENCED for record in end.records), name


def _off(*_: object) -> bool:
    return False


def without(hold: Hold) -> Callable[[pytest.MonkeyPatch], None]:
    return lambda patch: patch.setitem(LIMITS, hold, _off)


def _no_mark(builder: StepBuilder, storm: bool) -> None:
    return


def _resets_at_will(builder: StepBuilder, hold: Hold | None) -> None:
    _RECOVERY_TICK(builder, None)


def _any_pass(view: ClusterView, moment: float) -> int:
    return _HEALTHY_SINCE(view, moment - 5)


def _any_available(view: ClusterView, moment: float) -> int:
    return _AVAILABLE_SINCE(view, moment - 5)


def _forgets_when(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ClusterView, "healthy_since", _any_pass)
    patch.setattr(ClusterView, "available_since", _any_available)


def _at_once(builder: StepBuilder, hold: Hold | None) -> None:
    builder.record = replace(builder.record, delay=0.0)
    _FENCE_TICK(builder, hold)


def _keeps_override(builder: StepBuilder, observation: CancelFence) -> None:
    override = builder.record.override
    _ON_CANCEL(builder, observation)
    builder.record = replace(builder.record, override=override)


def _orders_pass(view: ClusterView, record: HostRecord, ignore: frozenset[Hold] = frozenset()) -> Hold | None:
    return None if record.ordered is not None else _HOLD(view, record, ignore)


def _from_the_first_silence(builder: StepBuilder, since: float) -> bool:
    return builder.now >= since + builder.record.delay


def _time_alone_lifts(records: object, policy: Policy) -> bool:
    return False


_ON_CANCEL = orders.on_cancel
_RECOVERY_TICK, _FENCE_TICK, _HEALTHY_SINCE = recovery.on_tick, fence.on_tick, ClusterView.healthy_since
_AVAILABLE_SINCE, _HOLD = ClusterView.available_since, ClusterView.hold

MUTANTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], Setting, str]] = {
    "the end of a storm is a licence": (lambda p: p.setattr(cluster, "_mark_storm", _no_mark), Setting(), "S21"),
    "a storm is no reason": (
        lambda p: p.setitem(LIMITS, Hold.TOO_MANY_LOST, _off), Setting(replace(POLICY, min_healthy=0.0)), "S21",
    ),
    "a storm is not seen": (
        lambda p: p.setattr(fence_limiter, "too_many_lost", _time_alone_lifts), Setting(replace(POLICY, min_healthy=0.0)), "S21",
    ),
    "resets need no leave": (lambda p: p.setattr(recovery, "on_tick", _resets_at_will), Setting(RESETS), "S2"),
    "nobody has to be healthy": (without(Hold.MIN_HEALTHY), Setting(NO_STORM), "S20"),
    "a check from before the silence is good enough": (
        _forgets_when, Setting(SLOW_CHECKS, every=4), "S20",
    ),
    "nobody has to take the VMs": (
        without(Hold.NOBODY_AVAILABLE), Setting(replace(NO_STORM, min_healthy=0.0), hosts=2), "S25",
    ),
    "as many a day as you like": (without(Hold.MAX_FENCED), Setting(replace(POLICY, max_fenced=0.25)), "S22"),
    "the manager is never blind": (without(Hold.WITNESS_SILENT), Setting(has_witness=True), "S23"),
    "a young manager knows enough": (without(Hold.JUST_STARTED), Setting(replace(POLICY, start_quiet=8.0)), "S24"),
    "no delay": (lambda p: p.setattr(fence, "on_tick", _at_once), Setting(delay=4.0), "S26"),
    "the delay counts from the first silence": (
        lambda p: p.setattr(fence, "delay_is_over", _from_the_first_silence), Setting(hosts=2, delay=4.0), "S26",
    ),
    "one machine twice": (without(Hold.SAME_MACHINE), Setting(twins=True), "S27"),
    "an order passes the limits": (lambda p: p.setattr(ClusterView, "hold", _orders_pass), Setting(orders=True), "S2"),
    "a cancel holds nothing back": (without(Hold.CANCELLED), Setting(NO_STORM, cancels=True), "S28"),
    "an override outlives a later cancel": (
        lambda p: p.setattr(orders, "on_cancel", _keeps_override),
        Setting(hosts=2, delay=4.0, override=True, cancels=True), "S28",
    ),
    "an override opens everything": (
        lambda p: p.setattr(fence_limiter, "NEVER_OVERRIDDEN", frozenset()), Setting(twins=True, override=True), "S27",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MUTANTS)
def test_each_limit_that_is_taken_out_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    plant, setting, promise = MUTANTS[name]
    plant(monkeypatch)
    broken, way, _ = search(setting, 30_000)  # it ends with the first one that is found
    assert broken.startswith(promise), f"{name} was not found ({broken})"
    assert len(way) <= 4
