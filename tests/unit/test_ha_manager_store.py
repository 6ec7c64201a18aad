"""Managers whose store is in trouble: they let go, say so, command nothing, and go on when the store is back."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import pytest

from fencer.ha.backup import back_up
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from tests.unit.test_ha_manager import Cluster, _probing, run


@pytest.fixture
def cluster(memory_path: Path) -> Iterator[Cluster]:
    made = Cluster(memory_path)
    made.probes = _probing(made)  # type: ignore[method-assign]
    yield made
    for store in made.stores:
        store.close()


@contextmanager
def locked(cluster: Cluster) -> Iterator[None]:
    with closing(sqlite3.connect(cluster.config.state_file, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


@contextmanager
def gone(cluster: Cluster) -> Iterator[None]:
    file = cluster.config.state_file
    names = [file, *(Path(f"{file}{suffix}") for suffix in ("-wal", "-shm"))]
    for name in names:
        os.rename(name, f"{name}.aside")
    yield
    for name in names:
        os.rename(f"{name}.aside", name)


@contextmanager
def unknown_version(cluster: Cluster) -> Iterator[None]:
    def write(version: int) -> None:
        with closing(sqlite3.connect(cluster.config.state_file)) as db, db:
            db.execute("UPDATE meta SET value = ? WHERE key = 'schema_version'", (version,))

    write(9)
    yield
    write(2)


TROUBLES: dict[str, Callable[[Cluster], AbstractContextManager[None]]] = {
    "locked": locked, "gone": gone, "unknown version": unknown_version,
}  # fmt: skip


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_manager_without_its_store_lets_go_says_so_and_goes_on_afterwards(cluster: Cluster, trouble: str) -> None:
    one = cluster.manager("one")
    cluster.store.patience = 0.0
    run(cluster, 70, one)
    with TROUBLES[trouble](cluster):
        cluster.dead.add("a")
        run(cluster, 1000, one)
        assert cluster.alerts() == ["STORE_LOST", "STORE_LOST"], "at once, and again after a quarter of an hour"
        assert one[0].store_error is not None
        assert cluster.bmcs["a"].commands == 0
    assert run(cluster, 60, one, until=lambda: cluster.state() is HAState.FENCED) <= 30
    run(cluster, 5, one)
    assert cluster.bmcs["a"].commands == 1
    assert len(cluster.executor.calls) == 3
    assert cluster.alerts()[2:] == ["STORE_BACK", "HEALTH_LOST", "FENCE_STARTED", "FENCED", "VM_RESTART_DONE"]
    assert one[0].store_error is None


def test_a_command_that_waits_in_the_pool_is_withheld_once_the_store_is_lost(cluster: Cluster) -> None:
    one, bench = cluster.manager("one")
    cluster.store.patience = 0.0
    run(cluster, 70, (one, bench))
    cluster.dead.add("a")
    for _ in range(400):
        one.run_round()
        if cluster.store.load("a").inflight is not None and cluster.store.load("a").inflight.ask == "off":  # type: ignore[union-attr]
            break
        bench.run()
        one.wait(0.0)
        cluster.clock.time += 0.25
    assert [pool for pool, _ in bench.jobs if pool == "bmc"] == ["bmc"]
    with locked(cluster):
        cluster.store.patience = 0.0
        cluster.store._data_version = None
        cluster.clock.time += 11  # the lease must be renewed
        one.run_round()
        bench.run("bmc")
    assert cluster.bmcs["a"].commands == 0
    run(cluster, 60, (one, bench))
    assert cluster.bmcs["a"].commands == 1
    assert cluster.state() is HAState.FENCED


def test_while_a_bmc_call_of_its_own_is_under_way_a_manager_claims_nothing(cluster: Cluster) -> None:
    one, bench = cluster.manager("one")
    cluster.store.patience = 0.0
    cluster.dead.add("a")
    for _ in range(100):
        one.run_round()
        if any(pool == "bmc" for pool, _ in bench.jobs):
            break
        bench.run("probe")
        one.wait(0.0)
        cluster.clock.time += 0.25
    with locked(cluster):
        cluster.clock.time += 11
        one.run_round()
    assert one.store_error is not None
    epoch = cluster.store.load("a").epoch
    one.run_round()
    assert cluster.store.load("a").epoch == epoch, "its read is under way"
    bench.run("bmc")
    for _ in range(2):
        one.wait(0.0)
        one.run_round()
    record = cluster.store.load("a")
    assert (record.epoch, record.owner) == (epoch + 1, "one-2"), "at once, without waiting for the old lease"
    assert one.store_error is None


def test_a_restored_store_is_claimed_after_a_lease_and_starts_no_vm_before_they_are_counted(cluster: Cluster) -> None:
    one = cluster.manager("one")
    run(cluster, 70, one)
    file = cluster.config.state_file
    back_up(file, file.with_name("copy.db"))
    one[0].stop()
    cluster.stores.pop().close()
    os.replace(file.with_name("copy.db"), file)
    store = SqliteStore(file)
    cluster.clock.time = store.now()  # the store says when it was restored
    store.close()
    two = cluster.manager("two")
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    run(cluster, 28, two)
    assert cluster.store.load("a").owner is None, "a command of a manager of the old store may be under way"
    run(cluster, 60, two)
    assert cluster.state() is HAState.FENCED
    assert cluster.executor.calls == [], "one of its VMs may run on b or c since the back-up was made"
    assert cluster.store.count_vms("b", ["v1"], cluster.clock.now())
    run(cluster, 5, two)
    assert cluster.executor.calls == []
    assert cluster.store.count_vms("c", [], cluster.clock.now())
    run(cluster, 5, two)
    assert sorted(vm for vm, _, _ in cluster.executor.calls) == ["router", "v2"], "a was proved off, and v1 runs on b"
    assert not cluster.store.count_vms("c", ["v2"], cluster.clock.now()), "only while VMs are to be counted"


def test_a_reader_who_does_not_read_keeps_lines_in_the_store_and_nothing_waits(cluster: Cluster) -> None:
    taken: list[object] = []

    def sink(event: object) -> bool:
        if len(taken) < 2:
            taken.append(event)
            return True
        return False

    cluster.lines = type("Lines", (list,), {"append": staticmethod(sink)})()
    one = cluster.manager("one")
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    one[0].run_round()
    assert run(cluster, 60, one, until=lambda: cluster.state() is HAState.FENCED) <= 30
    assert len(taken) == 2
    waiting = [event.seq for event in cluster.store.unprinted()]
    assert waiting == [event.seq for event in cluster.store.timeline()][2:]


def test_the_next_owner_prints_what_the_last_one_did_not(cluster: Cluster) -> None:
    one, bench = cluster.manager("one")
    cluster.dead.add("a")
    cluster.bmcs["a"].word = "Off"
    run(cluster, 5, (one, bench))
    printed = len(cluster.lines)
    assert printed
    cluster.store.snapshot()
    two = cluster.manager("two")
    run(cluster, 5, two)
    assert len(cluster.lines) == printed, "they are not its own"
    run(cluster, 60, two)
    assert [line.seq for line in cluster.lines] == [event.seq for event in cluster.store.timeline()]
