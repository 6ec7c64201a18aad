"""The rules for one VM: where it may run, and when it may start somewhere else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fencer.ha import vm_machine
from fencer.ha.effects import AlertName, LineKind
from fencer.ha.policy import Policy
from fencer.ha.vm_machine import Step
from fencer.ha.vm_record import StartResult, VmPhase, VmRecord, VmSpec

POLICY = Policy()
STARTED, NOT_STARTED, UNKNOWN = StartResult


def on(host: str = "a", **changes: object) -> VmRecord:
    """v1 runs on `host`, whose agent has shown it there."""
    return replace(vm_machine.registered("v1", host, 0.0), **{"boot": "boot1", **changes})  # type: ignore[arg-type]


def waits(now: float = 10.0) -> VmRecord:
    return vm_machine.host_fenced(on(), "a", "a-f1", now)


def tried(record: VmRecord, host: str = "b", now: float = 11.0) -> VmRecord:
    return vm_machine.start_claimed(record, host, 1, "st0re", "bootb", now)[0]


def ended(record: VmRecord, result: StartResult, now: float = 12.0) -> VmRecord:
    return vm_machine.start_ended(record, record.starts, result, "said so", POLICY, now)[0]


def alerts(step: Step) -> list[str]:
    return [str(line.detail["alert"]) for line in step[1] if line.kind is LineKind.ALERT]


def steps(step: Step) -> list[str]:
    return [str(line.detail["step"]) for line in step[1] if line.kind is LineKind.VM]


def test_a_vm_of_a_fenced_host_waits_and_must_be_stopped_there_when_it_returns():
    record = waits()
    assert (record.phase, record.host, record.fence_id) == (VmPhase.WAITING, None, "a-f1")
    assert [(left.host, left.fence_id) for left in record.left] == [("a", "a-f1")]
    again = vm_machine.host_fenced(ended(tried(record), STARTED), "b", "b-f1", 20.0)
    assert [left.host for left in again.left] == ["a", "b"]
    assert again.left[1].key == "st0re/a-f1/v1"


def test_the_fence_of_another_host_changes_only_what_names_that_host():
    assert vm_machine.host_fenced(on(), "b", "b-f1", 5.0) == on()
    assert vm_machine.host_fenced(on(seen_on="b", wanted="b"), "b", "b-f1", 5.0) == on()
    assert vm_machine.host_fenced(on(seen_on="c", wanted="c"), "b", "b-f1", 5.0) == on(seen_on="c", wanted="c")


def test_a_vm_that_another_agent_lists_is_bound_there_when_its_host_is_fenced():
    record = vm_machine.host_fenced(on(seen_on="c"), "a", "a-f1", 5.0)
    assert (record.phase, record.host) == (VmPhase.RUNNING, "c")


def test_a_start_that_works_binds_the_vm_with_a_key_of_store_and_fence():
    claimed = tried(waits())
    assert (claimed.phase, claimed.host, claimed.key) == (VmPhase.STARTING, "b", "st0re/a-f1/v1")
    record = ended(claimed, STARTED)
    assert (record.phase, record.host, record.maybe_started) == (VmPhase.RUNNING, "b", False)


def test_a_lost_answer_followed_by_refusals_never_moves_the_vm():
    record = ended(tried(waits()), UNKNOWN)
    for number in range(5):
        key = record.key
        record = tried(record, now=100.0 * number)
        assert record.key == key
        record = ended(record, NOT_STARTED)
        assert (record.phase, record.host) == (VmPhase.STARTING, "b")
    fenced = vm_machine.host_fenced(record, "b", "b-f1", 999.0)
    assert (fenced.phase, fenced.host, fenced.maybe_started) == (VmPhase.WAITING, None, False)
    assert tried(fenced, "c").key == "st0re/b-f1/v1"


def test_a_start_that_certainly_did_nothing_frees_the_vm_at_once_and_the_pause_grows_by_round():
    first = ended(tried(waits()), NOT_STARTED, 12.0)
    assert (first.phase, first.host, first.refused, first.tries, first.retry_at) == (VmPhase.WAITING, None, ("b",), 1, 72.0)
    second = ended(tried(first, "c"), NOT_STARTED, 13.0)
    assert (second.refused, second.tries, second.retry_at) == (("b", "c"), 1, 72.0)
    later = ended(tried(second, "b", 80.0), NOT_STARTED, 80.0)
    assert (later.refused, later.tries, later.retry_at) == (("b",), 2, 200.0)


def test_a_refusal_of_the_wanted_host_opens_the_others():
    assert ended(tried(replace(waits(), wanted="b")), NOT_STARTED).wanted is None
    assert ended(tried(replace(waits(), wanted="c")), NOT_STARTED).wanted == "c"


@pytest.mark.parametrize("change", [{"starts": 9}, {"in_flight": False}, {"phase": VmPhase.RUNNING}])
def test_the_answer_of_an_older_try_changes_nothing(change):
    record = replace(tried(waits()), **change)
    assert vm_machine.start_ended(record, 1, STARTED, "", POLICY, 12.0) == (record, ())
    stopping = replace(vm_machine.stop_claimed(vm_machine.leave(on(), None), 1)[0], **change)
    assert vm_machine.stop_ended(stopping, 1, None, POLICY, 12.0) == (stopping, ())


def test_a_manager_that_lost_the_host_leaves_an_unknown_try_behind():
    record = vm_machine.owner_changed(tried(waits()))
    assert (record.in_flight, record.maybe_started) == (False, True)
    assert ended(tried(record), NOT_STARTED).host == "b"
    assert not vm_machine.owner_changed(vm_machine.stop_claimed(vm_machine.leave(on(), None), 1)[0]).maybe_started


def test_failures_are_said_once_and_again_after_the_digest():
    step = vm_machine.start_ended(tried(waits()), 1, UNKNOWN, "timed out", POLICY, 12.0)
    assert (alerts(step), steps(step)) == ([AlertName.VM_RESTART_FAILED], ["failed"])
    again = vm_machine.start_ended(tried(step[0]), 2, UNKNOWN, "timed out", POLICY, 13.0)
    assert alerts(again) == []
    assert alerts(vm_machine.start_ended(tried(again[0]), 3, UNKNOWN, "", POLICY, 1000.0)) == [AlertName.VM_RESTART_FAILED]


def test_the_reason_of_waiting_is_said_when_it_changes():
    step = vm_machine.cannot_place(waits(), "no host is Available", POLICY, 12.0)
    assert (alerts(step), steps(step)) == ([AlertName.VM_RESTART_FAILED], ["waiting"])
    assert vm_machine.cannot_place(step[0], "no host is Available", POLICY, 13.0)[1] == ()
    assert steps(vm_machine.cannot_place(step[0], "3 host(s) Available, none", POLICY, 13.0)) == ["waiting"]


def listed(record: VmRecord, host: str, boot: str = "boot1", at: float = 50.0) -> Step:
    return vm_machine.listed(record, host, boot, at, POLICY, at)


def absent(record: VmRecord, at: float, boot: str = "boot1", others: float | None = 1e9, host: str = "a") -> Step:
    return vm_machine.absent(record, host, boot, at, others, POLICY, at)


def test_an_agent_that_lists_a_waiting_vm_is_believed_unless_it_must_stop_it_or_the_list_is_old():
    step = listed(waits(), "c")
    assert (step[0].host, step[0].phase, steps(step)) == ("c", VmPhase.RUNNING, ["adopted"])
    assert listed(waits(), "a")[0].host is None, "a was fenced with it"
    assert listed(waits(), "c", at=10.0)[0].host is None, "asked before it began to wait"
    assert listed(vm_machine.removed(on()), "a")[1] == ()


def test_a_list_settles_a_start_of_which_nobody_knew():
    step = listed(ended(tried(waits()), UNKNOWN), "b")
    assert (step[0].phase, step[0].maybe_started, steps(step)) == (VmPhase.RUNNING, False, ["started"])
    assert listed(tried(waits()), "b")[0].phase is VmPhase.STARTING, "its own answer is still to come"


def test_a_list_keeps_the_boot_and_ends_a_search():
    assert listed(on(), "a")[0] == on()
    assert listed(on(missing_since=9.0), "a", "boot2")[0] == on(boot="boot2")


def test_a_vm_on_a_second_host_is_said_once_and_followed_when_its_own_host_lost_it():
    step = listed(on(), "b")
    assert (step[0].host, step[0].seen_on, alerts(step)) == ("a", "b", [AlertName.VM_SEEN_ELSEWHERE])
    assert listed(step[0], "b", at=60.0) == (step[0], ())
    moved = absent(step[0], 70.0)
    assert (moved[0].host, moved[0].phase, steps(moved)) == ("b", VmPhase.RUNNING, ["moved"])
    assert absent(step[0], 70.0, host="b")[0].seen_on is None


def test_a_missing_vm_that_another_agent_lists_afterwards_was_moved_and_an_operators_retry_starts_no_second():
    missing = absent(on(), 50.0)[0]
    moved = listed(missing, "b", at=51.0)
    assert (moved[0].host, moved[0].phase, steps(moved)) == ("b", VmPhase.RUNNING, ["moved"])
    before = listed(missing, "b", at=50.0)[0]
    assert (before.host, before.seen_on) == ("a", "b")
    assert vm_machine.retried(before, 60.0).phase is VmPhase.RUNNING


def test_a_host_that_booted_again_lost_its_vm_and_it_may_start_anywhere():
    missing, _ = absent(on(), 50.0, "boot2")
    assert (missing.host, missing.missing_since) == ("a", 50.0)
    lost = absent(missing, 54.0, "boot2")
    assert (lost[0].phase, lost[0].host, steps(lost)) == (VmPhase.WAITING, None, ["lost"])
    assert tried(lost[0]).key == "st0re/v1-m1/v1"
    assert tried(lost[0]).fence_id is None


def test_a_boot_ends_a_start_of_which_nobody_knew_because_every_try_named_the_boot_before():
    unknown = ended(tried(waits()), UNKNOWN)
    lost = absent(absent(unknown, 50.0, "other boot", host="b")[0], 54.0, "other boot", host="b")[0]
    assert (lost.phase, lost.host) == (VmPhase.WAITING, None)
    assert absent(unknown, 50.0, "bootb", host="b") == (unknown, ()), "in the same boot it may still arrive"
    unnamed = replace(unknown, boot=None)
    assert absent(unnamed, 50.0, "other boot", host="b") == (unnamed, ())


def test_a_vm_that_ended_is_started_on_its_own_host_first():
    lost = absent(absent(on(), 50.0)[0], 54.0)[0]
    assert (lost.phase, lost.wanted) == (VmPhase.WAITING, "a")


@pytest.mark.parametrize("others", [None, 49.0, 50.0])
def test_a_missing_vm_waits_until_every_other_host_was_asked_after_it(others):
    missing = absent(on(), 50.0, "boot2")[0]
    assert absent(missing, 54.0, "boot2", others)[0] == missing


def test_a_list_from_before_the_start_or_of_another_host_says_nothing():
    assert absent(on(since=50.0), 50.0) == (on(since=50.0), ())
    assert absent(on(), 50.0, host="b") == (on(), ())
    assert absent(tried(waits()), 50.0, host="b")[1] == ()
    missing = absent(on(), 50.0)[0]
    assert absent(missing, 50.0) == (missing, ()), "the same list twice is one list"


def test_a_vm_that_was_never_seen_where_the_file_says_is_started_only_on_an_operators_word():
    step = absent(on(boot=None), 50.0)
    assert alerts(step) == [AlertName.VM_MISSING]
    assert "fence-ha retry v1" in str(step[1][0].detail["text"])
    assert absent(step[0], 54.0)[0].phase is VmPhase.RUNNING
    retried = vm_machine.retried(step[0], 60.0)
    assert (retried.phase, retried.wanted) == (VmPhase.WAITING, "a")


def test_a_vm_that_ends_again_and_again_is_given_up_until_an_operator_retries():
    record = on(restarts=(100.0, 200.0, 300.0))
    step = absent(absent(record, 400.0)[0], 404.0)
    assert (step[0].given_up, alerts(step)) == (True, [AlertName.VM_GIVEN_UP])
    assert absent(step[0], 408.0) == (step[0], ())
    assert vm_machine.retried(step[0], 410.0).phase is VmPhase.WAITING
    hours_ago = absent(absent(record, 9000.0)[0], 9004.0)[0]
    assert (hours_ago.phase, hours_ago.restarts) == (VmPhase.WAITING, (9004.0,))


def test_a_drained_vm_starts_elsewhere_only_after_its_stop_is_confirmed():
    claimed, _ = vm_machine.stop_claimed(vm_machine.leave(on(), "c"), 1)
    failed = vm_machine.stop_ended(claimed, claimed.starts, "no answer", POLICY, 12.0)
    assert (failed[0].host, failed[0].phase, alerts(failed)) == ("a", VmPhase.STOPPING, [AlertName.VM_STOP_FAILED])
    assert failed[0].retry_at == 72.0
    again, _ = vm_machine.stop_claimed(failed[0], 1)
    done = vm_machine.stop_ended(again, again.starts, None, POLICY, 80.0)
    assert (done[0].phase, done[0].host, done[0].wanted, steps(done)) == (VmPhase.WAITING, None, "c", ["stopped"])


def test_a_stop_on_a_returned_host_is_repeated_until_it_is_confirmed():
    failed = vm_machine.left_stop_ended(waits(), "a", "a-f1", "no answer", POLICY, 20.0)
    assert alerts(failed) == [AlertName.VM_STOP_FAILED]
    assert (failed[0].left[0].tries, failed[0].left[0].retry_at) == (1, 80.0)
    assert vm_machine.retried(failed[0], 21.0).left[0].retry_at == 21.0
    done = vm_machine.left_stop_ended(failed[0], "a", "a-f1", None, POLICY, 90.0)
    assert (done[0].left, steps(done)) == ((), ["stopped"])
    assert vm_machine.left_stop_ended(done[0], "a", "a-f1", None, POLICY, 91.0) == (done[0], ())


def test_a_removed_vm_is_nobodys_and_is_still_stopped_where_it_was_left():
    record = vm_machine.removed(waits())
    assert (record.phase, record.host, len(record.left)) == (VmPhase.REMOVED, None, 1)
    assert vm_machine.retried(on(), 5.0).phase is VmPhase.RUNNING


def test_a_vm_whose_host_nobody_will_fence_is_alerted():
    step = vm_machine.unwatched(tried(waits()), "is Disabled", POLICY, 12.0)
    assert alerts(step) == [AlertName.VM_UNWATCHED]
    assert step[1][0].detail["text"] == "v1 belongs to b, which is Disabled: it is started nowhere else"


def test_the_end_of_a_fence_is_counted_when_all_its_vms_run():
    runs, other = ended(tried(waits()), STARTED), on()
    assert vm_machine.all_run("a-f1", [runs, other]) == 1
    assert vm_machine.all_run("a-f1", [runs, replace(waits(), vm="v2")]) is None
    assert vm_machine.all_run("a-f1", [runs, vm_machine.removed(replace(waits(), vm="v2"))]) == 1
    assert vm_machine.all_run("x-f1", [runs]) is None


def test_a_vm_added_without_a_host_waits_for_one():
    record = vm_machine.registered("v9", None, 5.0)
    assert (record.phase, tried(record).key) == (VmPhase.WAITING, "st0re/v9-m0/v9")


def test_a_vm_that_was_removed_is_added_again_where_it_runs_or_to_start_with_a_key_of_its_own():
    gone = vm_machine.removed(waits())
    spec = VmSpec(hosts=("c",))
    runs = vm_machine.added(gone, "v1", "b", spec, 20.0)
    assert (runs.phase, runs.host, runs.spec, len(runs.left)) == (VmPhase.RUNNING, "b", spec, 1)
    assert tried(vm_machine.added(gone, "v1", None, spec, 20.0)).key == "st0re/v1-m2/v1"
    assert vm_machine.added(None, "v9", "b", spec, 20.0) == vm_machine.registered("v9", "b", 20.0, spec)


def test_after_a_restore_a_vm_is_where_somebody_who_knows_says():
    assert vm_machine.counted(waits(), "c", 20.0).host == "c"


def test_a_host_that_is_back_stops_what_it_left_at_once_and_a_wanted_host_ends_the_pause():
    failed = vm_machine.left_stop_ended(waits(), "a", "a-f1", "no", POLICY, 20.0)[0]
    assert vm_machine.returned(failed, "a").left[0].retry_at == 0.0
    assert vm_machine.returned(failed, "b") == failed
    refused = ended(tried(waits()), NOT_STARTED)
    wanted = vm_machine.wanted_on(refused, "b")
    assert (wanted.wanted, wanted.refused, wanted.retry_at) == ("b", (), 0.0)


def test_the_pause_doubles_up_to_the_cap():
    assert [vm_machine.back_off(POLICY, tries) for tries in (0, 1, 3, 4, 99)] == [60.0, 120.0, 480.0, 600.0, 600.0]
