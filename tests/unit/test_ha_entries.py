"""The snapshot of a store answers from its groups, and a group follows every change of an entry."""

from __future__ import annotations

from fencer.ha.entries import Entry, Kind, Snapshot
from fencer.ha.vm_record import VmPhase, VmRecord


def vm(**facts: object) -> VmRecord:
    return VmRecord(vm="v", **facts)  # type: ignore[arg-type]


def names(snapshot: Snapshot, *group: str) -> list[str]:
    return [record.vm for record in snapshot.vms(*group)]


def test_a_vm_is_found_by_all_that_is_known_of_its_place_and_no_more_after_a_change() -> None:
    snapshot = Snapshot("id")
    record = vm(phase=VmPhase.RUNNING, host="a", seen_on="b", wanted="c", fence_id="x-f1")
    snapshot.set((Kind.VM, "v"), Entry(1, record))
    groups = (("on", "a"), ("seen on", "b"), ("wanted on", "c"), ("of fence", "x-f1"))
    assert [names(snapshot, *group) for group in groups] == [["v"]] * 4
    assert names(snapshot, "open") == []
    snapshot.set((Kind.VM, "v"), Entry(2, vm(phase=VmPhase.WAITING, host=None)))
    assert [names(snapshot, *group) for group in groups] == [[]] * 4
    assert (names(snapshot, "open"), snapshot.vms_on(None)) == (["v"], ["v"])
    snapshot.set((Kind.VM, "v"), None)
    assert (names(snapshot), snapshot.hosts_with_vms) == ([], [])
