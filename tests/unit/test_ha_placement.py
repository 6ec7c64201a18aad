"""Where a VM may start, in which order, and what is said when no host fits."""

from __future__ import annotations

from dataclasses import replace

from fencer.ha import placement, vm_machine
from fencer.ha.placement import HostChoice, HostRoom
from fencer.ha.vm_record import VmRecord, VmSpec

WAITS = vm_machine.host_fenced(vm_machine.registered("v1", "a", 0.0), "a", "a-f1", 10.0)


def rooms(**changes: dict[str, object]) -> dict[str, HostRoom]:
    made = {name: HostRoom(name=name, available=name != "a") for name in "abcd"}
    for name, change in changes.items():
        for field, value in change.items():
            setattr(made[name], field, value)
    return made


ANY = VmSpec()


def choose(spec: VmSpec = ANY, record: VmRecord = WAITS, **changes: dict[str, object]) -> HostChoice:
    return placement.choose(record, spec, rooms(**changes), 20.0, 4)


def test_the_host_with_the_fewest_vms_takes_it_and_the_named_order_goes_first():
    assert choose(b={"load": 2}, c={"load": 1}, d={"load": 1}).host == "c"
    assert choose(VmSpec(hosts=("d", "c")), c={"load": 0}, d={"load": 9}).host == "d"


def test_a_wanted_host_goes_first_even_if_the_list_does_not_name_it_and_others_follow():
    record = replace(WAITS, wanted="b")
    assert choose(VmSpec(hosts=("d",)), record).host == "b"
    assert choose(VmSpec(hosts=("d",)), record, b={"available": False}).host == "d"


def test_each_reason_is_named():
    nobody = {name: {"available": False} for name in "bcd"}
    full = {name: {"capacity": 1, "load": 1} for name in "bcd"}
    together = {name: {"apart": {"web": 1}} for name in "bcd"}
    refused = replace(WAITS, refused=("b", "c", "d"), retry_at=30.0, last_error="exit 75")
    drained = {name: {"draining": True} for name in "bcd"}
    said = [
        choose(**nobody).why,
        choose(VmSpec(hosts=("a",))).why,
        choose(**drained).why,
        choose(**full).why,
        choose(VmSpec(apart="web"), **together).why,
        choose(record=refused).why,
        choose(VmSpec(hosts=("a",)), a={"available": True}).why,
    ]
    assert said == [
        "no host is Available",
        "3 host(s) Available, none of them is allowed (a)",
        "3 host(s) Available, those that are allowed are being drained",
        "3 host(s) Available, those that are allowed are full",
        "3 host(s) Available, each that has room runs a VM of web",
        "3 host(s) Available, each that fits has refused it: exit 75",
        "4 host(s) Available, those that are allowed have to stop their old v1 first",
    ]


def test_a_refusal_holds_until_the_pause_has_ended():
    refused = replace(WAITS, refused=("b", "c", "d"), retry_at=20.0)
    assert choose(record=refused).host == "b"


def test_vms_apart_share_no_host_and_others_do():
    assert choose(VmSpec(apart="web"), b={"apart": {"web": 1}}, c={"apart": {"web": 1}}).host == "d"
    assert choose(VmSpec(apart="db"), b={"apart": {"web": 1}}).host == "b"


def test_a_host_with_many_starts_under_way_is_passed_over_and_if_all_are_busy_nothing_is_said():
    assert choose(b={"starting": 4}).host == "c"
    assert choose(**{name: {"starting": 4} for name in "bcd"}) == HostChoice(busy=True)


def test_a_start_that_is_decided_takes_its_room():
    room = HostRoom(name="b", available=True)
    room.take(VmSpec(apart="web"))
    room.take(VmSpec())
    assert (room.load, room.starting, room.apart) == (2, 2, {"web": 1})


def test_system_vms_then_priority_then_name():
    records = [replace(WAITS, vm=name) for name in ("z", "low", "high", "router", "a")]
    specs = {"router": VmSpec(system=True), "high": VmSpec(priority=5), "low": VmSpec(priority=-1)}
    assert [record.vm for record in placement.order(records, specs)] == ["router", "high", "a", "z", "low"]
