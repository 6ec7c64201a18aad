"""What every store must do. A store that is added later adds a factory to `STORES`, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fencer.ha import store as store_module
from fencer.ha.effects import LineKind, TimelineLine
from fencer.ha.entries import (
    THE_RECONCILIATION,
    Check,
    Drain,
    HostLine,
    Kind,
    ManagerLease,
    OperatorRequest,
    Put,
    Reconciliation,
    Remove,
    Value,
    Write,
    key_of,
)
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.store import Store
from fencer.ha.vm_record import LeftHost, VmPhase, VmRecord, VmSpec
from tests.ha_memory_store import MemoryStore, SharedMemory

Opener = Callable[[], Store]


def sqlite(path: Path) -> Opener:
    return lambda: SqliteStore(path / "store.db")


def memory(path: Path) -> Opener:
    shared = SharedMemory()
    return lambda: MemoryStore(shared)


STORES = {"sqlite": sqlite, "memory": memory}


@pytest.fixture(params=STORES)
def opened(request: pytest.FixtureRequest, memory_path: Path) -> Iterator[Opener]:
    """Opens the same store again and again, each time as another manager would."""
    opener, stores = STORES[request.param](memory_path), []

    def again() -> Store:
        stores.append(opener())
        return stores[-1]

    yield again
    for made in stores:
        made.close()


A = HostRecord(host="a", state=HAState.AVAILABLE)


def put(value: Value, version: int = 0) -> Write:
    return Write(changes=(Put(value, version),))


def line(host: str, step: str) -> HostLine:
    return HostLine(host=host, line=TimelineLine(kind=LineKind.VM, detail={"step": step}))


def test_a_write_needs_every_version_and_is_written_whole_or_not_at_all(opened: Opener) -> None:
    store = opened()
    both = Write(changes=(Put(VmRecord(vm="v", host="a"), 0), Put(A, 3)), lines=(line("a", "x"),))
    assert store.commit([both]) == [False]
    assert (store.placements(), store.hosts(), store.timeline()) == ({}, [], [])
    checked = Write(changes=(Put(A, 0), Check((Kind.VM, "v"), 1)))
    assert store.commit([checked]) == [False]
    assert store.commit([put(VmRecord(vm="v", host="a")), checked]) == [True, True], "the second sees the first"
    assert (store.placements(), store.hosts()) == ({"v": "a"}, ["a"])


def test_of_two_managers_with_the_same_knowledge_one_writes(opened: Opener) -> None:
    one, two = opened(), opened()
    one.commit([put(A)])
    old = two.load("a")
    assert (old.version, one.load("a")) == (1, old)
    assert one.commit([put(HostRecord(host="a", state=HAState.DISABLED), 1)]) == [True]
    assert two.commit([put(HostRecord(host="a", state=HAState.FENCED), 1)]) == [False]
    assert two.load("a").state is one.load("a").state is HAState.DISABLED
    assert two.load("a").version == 2


def test_of_two_writes_of_one_commit_to_the_same_entry_the_second_is_refused(opened: Opener) -> None:
    store = opened()
    first, second = put(VmRecord(vm="v", host="a")), put(VmRecord(vm="v", host="b"))
    assert store.commit([first, second]) == [True, False]
    assert store.placements() == {"v": "a"}


def test_what_is_removed_is_gone_for_everybody(opened: Opener) -> None:
    one, two = opened(), opened()
    one.commit([put(VmRecord(vm="v", host="a")), put(VmRecord(vm="w", host="a"))])
    assert two.snapshot().vms_on("a") == ["v", "w"]
    assert one.commit([Write(changes=(Remove((Kind.VM, "v"), 2),))]) == [False]
    assert one.commit([Write(changes=(Remove((Kind.VM, "v"), 1),))]) == [True]
    assert two.snapshot().vms_on("a") == one.snapshot().vms_on("a") == ["w"]
    assert opened().placements() == {"w": "a"}


EVERY_KIND = [
    HostRecord(
        host="a", state=HAState.FENCING, version=1, owner="m", epoch=4, lease_until=0.0, samples=(True, False),
        inflight=BmcRequest(id="4.1", ask=RequestKind.OFF, at=3.25),
    ),
    ManagerLease(owner="m", until=7.5, boot="b", pid=4711, process_started=99),
    VmRecord(
        vm="v", phase=VmPhase.STARTING, host="c", key="s/a-f1/v", left=(LeftHost(host="a", fence_id="a-f1", key="k"),),
        spec=VmSpec(hosts=("b", "c"), apart="web"),
    ),
    Drain(host="a", since=1.5),
    OperatorRequest(id=12, host="a", what="confirm", detail={"why": "cords, pulled \u2026"}, ok=False, answer="no", at=2.0),
    Reconciliation(hosts=("a", "b"), since=3.0),
]  # fmt: skip


def test_every_kind_of_entry_comes_back_as_it_was(opened: Opener) -> None:
    opened().commit([put(value) for value in EVERY_KIND])
    seen = opened().snapshot()
    assert [seen.version(key_of(value)) for value in EVERY_KIND] == [1] * len(EVERY_KIND)
    assert seen.record("a") == EVERY_KIND[0]
    assert [seen.lease("m"), seen.vm("v"), seen.request(12), seen.reconciliation] == [
        EVERY_KIND[1],
        EVERY_KIND[2],
        *EVERY_KIND[4:],
    ]
    assert seen.drains == ["a"]
    assert seen.version(THE_RECONCILIATION) == 1


def test_the_timeline_keeps_order_and_knows_what_was_printed(opened: Opener) -> None:
    one, two = opened(), opened()
    one.commit([Write(changes=(), lines=(line("a", "1"), line("b", "2")), at=5.0)])
    two.commit([Write(changes=(), lines=(line("a", "3"),), at=6.0)])
    lines = one.timeline()
    assert [(event.host, event.detail["step"], event.t) for event in lines] == [("a", "1", 5.0), ("b", "2", 5.0), ("a", "3", 6.0)]
    assert [event.detail["step"] for event in two.timeline("a")] == ["1", "3"]
    assert [event.detail["step"] for event in two.timeline(after=lines[0].seq)] == ["2", "3"]
    one.mark_printed([lines[0].seq, lines[2].seq])
    assert two.unprinted() == [lines[1]]
    assert two.unprinted(after=lines[1].seq) == []
    assert [event.seq for event in opened().timeline()] == sorted(event.seq for event in lines)


def test_the_timeline_has_an_end(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("fencer.ha.sqlite_store", "tests.ha_memory_store"):
        monkeypatch.setattr(f"{module}.KEEP_EVENTS", 3)
    assert store_module.KEEP_EVENTS > 3
    store = opened()
    for number in range(6):
        store.commit([Write(changes=(), lines=(line("a", str(number)),))])
    assert [event.detail["step"] for event in store.timeline()] == ["3", "4", "5"], "printed or not"


def test_watch_sees_what_others_write(opened: Opener) -> None:
    one, two = opened(), opened()
    one.snapshot()
    assert not one.watch(0.0)
    two.commit([put(A)])
    assert one.watch(60.0), "at once: the time-out of this test is shorter"
    one.snapshot()
    assert not one.watch(0.0)


def test_all_users_share_a_clock_that_does_not_go_back(opened: Opener) -> None:
    one, two = opened(), opened()
    times = [store.now() for store in (one, two, one, opened())]
    assert times == sorted(times)


def test_operators_requests_have_numbers_and_get_answers(opened: Opener) -> None:
    one, two = opened(), opened()
    numbers = [
        one.add_request("a", "enable", {}, 1.0),
        two.add_request("a", "disable", {}, 2.0),
        one.add_request("b", "x", {}, 3.0),
    ]
    assert numbers == [1, 2, 3]
    assert [request.what for request in two.open_requests("a")] == ["enable", "disable"]
    with pytest.raises(KeyError):
        one.operator_request(4)
