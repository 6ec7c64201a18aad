"""What holds power commands back, reason by reason, on snapshots of a cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.ha.fence_limiter import LIMITS, ClusterView, ManagerFacts, too_many_lost
from fencer.ha.observations import Hold
from fencer.ha.policy import Policy
from fencer.ha.record import DeviceMemory, Fence, FencePhase, HostRecord, OffRead, OffRun, SignedOrder
from fencer.ha.states import HAState

POLICY = Policy()
NOW = 1000.0
S = HAState
ME = ManagerFacts(owner="me", started=0.0)


def good(number: int, passed: float = NOW - 2) -> HostRecord:
    return HostRecord(host=f"g{number}", state=S.AVAILABLE, healthy=True, seen_healthy=True, passed_at=passed)


def bad(number: int, since: float = NOW - 600, state: HAState = S.FENCING, **more: object) -> HostRecord:
    facts = {"healthy": False, "seen_healthy": True, "silent_since": since, "suspect_since": since, **more}
    return HostRecord(host=f"b{number}", state=state, **facts)  # type: ignore[arg-type]


def hold(*records: HostRecord, of: HostRecord | None = None, me: ManagerFacts = ME, policy: Policy = POLICY) -> Hold | None:
    """Why the power of `of` (or of the first host that is not well) must not be cut, in a cluster of `records`."""
    target = of or next(record for record in records if record.state is not S.AVAILABLE)
    return ClusterView(records, policy, NOW, me).hold(target)


def cluster(lost: int, total: int, apart: float = 0.0, state: HAState = S.SUSPECT) -> list[HostRecord]:
    return [*map(good, range(total - lost)), *(bad(n, n * apart, state) for n in range(lost))]


def test_more_than_half_and_at_least_three_lost_together_is_too_many() -> None:
    assert too_many_lost(cluster(6, 10), POLICY)
    assert not too_many_lost(cluster(5, 10), POLICY)
    assert not too_many_lost(cluster(2, 2), POLICY)
    assert not too_many_lost(cluster(6, 10, apart=50), POLICY)


def test_hosts_that_are_proved_off_are_not_suspect() -> None:
    read = OffRead(at=0.0, request="1", word="Off", path="redfish")
    proved = OffRun(first=read, last=replace(read, at=4.0), count=2, epoch=0)
    assert not too_many_lost(cluster(6, 10, state=S.FENCED), POLICY)
    assert not too_many_lost([replace(record, off_run=proved) for record in cluster(6, 10)], POLICY)


def test_one_silent_host_of_four_may_be_cut() -> None:
    assert hold(good(1), good(2), good(3), bad(1)) is None


def test_a_storm_holds_as_long_as_one_host_has_its_mark() -> None:
    assert hold(*map(good, range(9)), bad(1, storm=True)) is Hold.TOO_MANY_LOST
    assert hold(*map(good, range(8)), replace(good(9), storm=True, calm_since=NOW), bad(1)) is Hold.TOO_MANY_LOST


def test_two_hosts_both_silent_and_three_with_two_silent_get_no_command() -> None:
    assert hold(bad(1), bad(2)) is Hold.MIN_HEALTHY
    assert hold(good(1), bad(1), bad(2)) is Hold.MIN_HEALTHY
    assert hold(good(1), bad(1)) is None
    assert hold(good(1), good(2), bad(1)) is None


def test_a_check_that_began_before_the_host_fell_silent_does_not_make_another_one_healthy() -> None:
    silent = NOW - 600
    assert hold(good(1, passed=silent - 1), bad(1, silent)) is Hold.MIN_HEALTHY
    assert hold(good(1, passed=silent), bad(1, silent)) is Hold.MIN_HEALTHY
    assert hold(good(1, passed=NOW - POLICY.health_counts_for - 1), bad(1, silent)) is Hold.MIN_HEALTHY, "too old"


def test_hosts_that_are_not_under_ha_neither_count_nor_are_needed() -> None:
    away = [HostRecord(host=f"d{n}", state=S.DISABLED) for n in range(5)]
    assert hold(*away, good(1), bad(1), of=bad(1)) is None
    quarantined = replace(good(2), state=S.FENCED)
    assert hold(good(1), quarantined, bad(1), of=bad(1)) is Hold.MIN_HEALTHY


def test_somebody_must_be_available_to_take_the_vms() -> None:
    answers = replace(good(1), state=S.RECOVERED)
    assert hold(answers, bad(1), of=bad(1)) is Hold.NOBODY_AVAILABLE


def test_no_more_than_a_quarter_of_the_hosts_is_cut_in_a_day() -> None:
    fenced = HostRecord(host="f", state=S.FENCED, cut_at=NOW - 3600)
    assert hold(*map(good, range(4)), fenced, bad(1), of=bad(1)) is None, "two of six are allowed"
    twice = replace(good(9), cuts=(NOW - 7200,))
    assert hold(*map(good, range(3)), twice, fenced, bad(1), of=bad(1)) is Hold.MAX_FENCED
    again = bad(1, cut_at=NOW - 60)
    assert hold(good(1), good(2), good(3), again) is None, "another try of the same fence is not another host"
    old = replace(good(9), cuts=(NOW - 90_000,))
    assert hold(good(1), good(2), old, bad(1)) is None


def test_a_witness_that_did_not_pass_since_the_host_fell_silent_holds() -> None:
    well = (good(1), good(2), good(3), bad(1, NOW - 600))
    for passed, expected in (
        (None, Hold.WITNESS_SILENT), (NOW - 700, Hold.WITNESS_SILENT), (NOW - 500, Hold.WITNESS_SILENT), (NOW - 5, None),
    ):  # fmt: skip
        me = replace(ME, has_witness=True, witness_passed_at=passed)
        assert hold(*well, me=me) is expected


def test_one_machine_behind_two_bmcs_is_never_commanded_whatever_an_operator_says() -> None:
    uuid = (("UUID", "4c4c4544-0042-3510-8057-b7c04f4e3333"),)
    lower, upper = replace(good(1), pinned=uuid), bad(1, pinned=((uuid[0][0], uuid[0][1].upper()),))
    signed = replace(upper, override=SignedOrder(who="alice", why="dead", at=NOW))
    assert hold(good(2), good(3), lower, signed, of=signed) is Hold.SAME_MACHINE
    view = ClusterView((good(2), lower, upper), POLICY, NOW, ME)
    assert (view.tick(lower).same_machine, view.tick(upper).same_machine) == (("b1",), ("g1",))


def test_an_override_lifts_the_limits_of_its_host_alone() -> None:
    stormy = [bad(number, storm=True) for number in range(3)]
    passed = replace(stormy[0], override=SignedOrder(who="alice", why="dead", at=NOW))
    assert hold(passed, *stormy[1:], of=passed) is None
    assert hold(passed, *stormy[1:], of=stormy[1]) is Hold.TOO_MANY_LOST
    assert hold(passed, me=replace(ME, last_command=NOW - 0.1)) is Hold.RATE


def test_a_young_manager_and_a_busy_one_wait() -> None:
    well = (good(1), good(2), good(3), bad(1))
    assert hold(*well, me=replace(ME, started=NOW - 59)) is Hold.JUST_STARTED
    assert hold(*well, me=replace(ME, last_command=NOW - 0.1)) is Hold.RATE
    fence = Fence(id="x", started_at=0, phase=FencePhase.CONFIRM)
    busy = [bad(n, owner="me", fence=fence) for n in range(25)]
    many = [*map(good, range(200)), *busy]
    assert hold(*many, of=busy[0]) is Hold.RATE
    assert hold(*many, of=busy[0], me=replace(ME, owner="other")) is None


def test_a_refused_log_in_concerns_all_hosts_behind_that_bmc() -> None:
    one, two, other = replace(good(1), login_refused_at=NOW - 5), good(2), good(3)
    view = ClusterView((one, two, other), POLICY, NOW, ME, {"g1": "bmc", "g2": "bmc", "g3": "other"})
    assert [view.tick(record).login_refused_at for record in (one, two, other)] == [NOW - 5, NOW - 5, None]


def test_passed_checks_are_asked_for_only_where_a_command_waits_for_them() -> None:
    assert ClusterView((good(1), bad(1, state=S.SUSPECT)), POLICY, NOW, ME).health_wanted_since is None
    assert ClusterView((good(1), bad(1, 300.0), bad(2, 200.0)), POLICY, NOW, ME).health_wanted_since == 300.0


@pytest.mark.parametrize("name", list(Hold))
def test_every_reason_has_a_rule(name: Hold) -> None:
    assert name in LIMITS


def test_a_refused_log_in_at_a_shared_device_reaches_all_hosts_that_use_it() -> None:
    first = replace(bad(1), levels=(("bmc",), ("pdu1",)), devices=(DeviceMemory(name="pdu1", login_refused_at=NOW - 5),))
    second = replace(bad(2), levels=(("bmc",), ("pdu1", "pdu2")), devices=(DeviceMemory(name="pdu1", login_refused_at=NOW - 9),))
    stranger = replace(bad(3), devices=(DeviceMemory(name="pdu1"),))
    view = ClusterView([first, second, stranger], POLICY, NOW, ME)
    assert view.tick(second).devices_refused_at == (("pdu1", NOW - 5),)
    assert view.tick(stranger).devices_refused_at == ()
