"""Managers over one SQLite store and what operators order; and two managers that may cut the power of one host between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest

from fencer.ha.entries import Snapshot, Write
from fencer.ha.manager import Manager
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from tests.ha_doubles import Bench
from tests.unit.test_ha_manager import Cluster, _probing, run

WORD = {"who": "alice", "why": "saw it"}


@pytest.fixture
def cluster(memory_path: Path) -> Iterator[Cluster]:
    yield from _cluster(memory_path, "")


@pytest.fixture
def lenient(memory_path: Path) -> Iterator[Cluster]:
    """Only `max_fenced` holds here: of three hosts, the power of one may be cut."""
    yield from _cluster(memory_path, ", min_healthy: 0.3, brake_min: 9")


def _cluster(path: Path, policy: str) -> Iterator[Cluster]:
    made = Cluster(path, policy)
    made.probes = _probing(made)  # type: ignore[method-assign]
    yield made
    for store in made.stores:
        store.close()


def until_a_command_waits(cluster: Cluster, manager: Manager, bench: Bench) -> None:
    """Plays until a power-off has been written and waits in the pool of the workers."""
    for _ in range(400):
        manager.run_round()
        flight = cluster.store.load("a").inflight
        if flight is not None and flight.cuts_power:
            return
        bench.run()
        manager.wait(0.0)
        cluster.clock.time += 0.25
    raise AssertionError("no command came")


def test_a_cancel_withdraws_a_power_off_that_has_not_left_and_none_follows(cluster: Cluster) -> None:
    one, bench = cluster.manager("one")
    run(cluster, 70, (one, bench))
    cluster.dead.add("a")
    until_a_command_waits(cluster, one, bench)
    request = cluster.store.add_request("a", "cancel", {**WORD, "fence_id": "a-f1"}, cluster.clock.now())
    one.run_round()
    asked = cluster.store.operator_request(request)
    assert (asked.ok, "no power-off of it was sent" in str(asked.answer)) == (True, True)
    run(cluster, 300, (one, bench))
    assert cluster.bmcs["a"].commands == 0
    assert cluster.state() is HAState.FENCING, "it is read on"
    cluster.store.add_request("a", "fence", WORD, cluster.clock.now())
    run(cluster, 60, (one, bench), until=lambda: cluster.state() is HAState.FENCED)
    assert (cluster.bmcs["a"].commands, cluster.state()) == (1, HAState.FENCED)


def test_another_manager_keeps_to_a_cancel(cluster: Cluster) -> None:
    one = cluster.manager("one")
    run(cluster, 70, one)
    cluster.dead.add("a")
    run(cluster, 30, one, until=lambda: cluster.state() is HAState.FENCING)
    cluster.store.add_request("a", "cancel", {**WORD, "fence_id": ""}, cluster.clock.now())
    one[0].run_round()
    two = cluster.manager("two")
    run(cluster, 300, two)
    assert cluster.bmcs["a"].commands == 0


@pytest.mark.parametrize("what", ["override", "fence"])
def test_what_was_withdrawn_while_it_was_granted_is_not_granted(cluster: Cluster, what: str) -> None:
    one = cluster.manager("one")
    run(cluster, 70, one)
    cluster.dead |= {"a", "b"}
    run(cluster, 20, one, until=lambda: cluster.state() is HAState.FENCING)
    request = cluster.store.add_request("a", what, WORD, cluster.clock.now())
    with closing(SqliteStore(cluster.config.state_file)) as operator:
        between = cluster.store.commit

        def commit(writes: Sequence[Write | None]) -> list[bool]:
            operator.withdraw_request(request)
            return between(writes)

        cluster.store.commit = commit  # type: ignore[method-assign]
        one[0].run_round()
        cluster.store.commit = between  # type: ignore[method-assign]
    run(cluster, 30, one)
    record = cluster.store.load("a")
    assert cluster.store.operator_request(request).answer == "withdrawn by the operator"
    assert (record.override, record.ordered, cluster.bmcs["a"].commands) == (None, None, 0)


# -- two managers, one host a day


def owns(store: SqliteStore, *hosts: str) -> None:
    """Lets the manager of this store claim these hosts only."""
    claim = store.claim
    store.claim = lambda names, owner, now: claim([n for n in names if n in hosts], owner, now)  # type: ignore[method-assign]


def two_managers(cluster: Cluster) -> list[tuple[Manager, Bench]]:
    """One owns `a`, the other `b`, and a third one `c`, which is well. Both `a` and `b` fall silent and stay On."""
    managers = [cluster.manager(name) for name in ("one", "two", "three")]
    for store, host in zip(cluster.stores, "abc", strict=True):
        owns(store, host)
    run(cluster, 70, *managers)
    assert [cluster.store.load(host).owner for host in "abc"] == ["one", "two", "three"]
    cluster.dead |= {"a", "b"}
    return managers


def cuts(cluster: Cluster) -> int:
    return sum(bmc.commands for bmc in cluster.bmcs.values())


def between_decision_and_write(cluster: Cluster, one: Manager, two: tuple[Manager, Bench]) -> None:
    """A whole round of the second manager fits between what the first one decides and what it writes."""
    commit, played = cluster.stores[0].commit, [0.0]

    def hooked(writes: Sequence[Write | None]) -> list[bool]:
        if played[0] != cluster.clock.time:  # the first commit of a round is about hosts, another one about VMs
            played[0] = cluster.clock.time
            two[0].run_round()
        return commit(writes)

    cluster.stores[0].commit = hooked  # type: ignore[method-assign]


def both_written_before_either_asks_again(cluster: Cluster, one: Manager, two: tuple[Manager, Bench]) -> None:
    """The second manager decides before the first one writes, and asks the limits again after that."""
    commit, snapshot, played = cluster.stores[0].commit, cluster.stores[1].snapshot, [0.0]
    waiting: list[Callable[[], None]] = []

    def asks() -> Snapshot:
        if len(waiting) == 1 and looks[0] > 0:  # the snapshot in which it decides is not the one in which it asks again
            waiting.pop()()
        looks[0] += 1
        return snapshot()

    looks = [0]

    def hooked(writes: Sequence[Write | None]) -> list[bool]:
        if played[0] == cluster.clock.time:
            return commit(writes)
        played[0] = cluster.clock.time
        written: list[list[bool]] = []
        waiting[:] = [lambda: written.append(commit(writes))]
        looks[0] = 0
        two[0].run_round()
        if waiting:
            waiting.pop()()
        return written[0]

    cluster.stores[0].commit = hooked  # type: ignore[method-assign]
    cluster.stores[1].snapshot = asks  # type: ignore[method-assign]


INTERLEAVED = {"a round between": between_decision_and_write, "both written": both_written_before_either_asks_again}


def play(cluster: Cluster, managers: list[tuple[Manager, Bench]], seconds: float) -> None:
    """The second manager's rounds are within the first one's."""
    end = cluster.clock.time + seconds
    while cluster.clock.time < end:
        for manager in (managers[0][0], managers[2][0]):
            manager.run_round()
        for manager, bench in managers:
            bench.run()
            manager.wait(0.0)
        cluster.clock.time += 0.25


@pytest.mark.parametrize("how", INTERLEAVED)
def test_two_managers_together_cut_no_more_hosts_than_max_fenced(lenient: Cluster, how: str) -> None:
    managers = two_managers(lenient)
    INTERLEAVED[how](lenient, managers[0][0], managers[1])
    play(lenient, managers, 60)
    assert cuts(lenient) <= 1
    lenient.stores[0].commit = SqliteStore.commit.__get__(lenient.stores[0])  # type: ignore[method-assign]
    lenient.stores[1].snapshot = SqliteStore.snapshot.__get__(lenient.stores[1])  # type: ignore[method-assign]
    run(lenient, 120, *managers)
    assert cuts(lenient) == 1, "one of the two may be cut, and is"
    assert [lenient.state(host) for host in "ab"].count(HAState.FENCED) == 1


@pytest.mark.parametrize("how", INTERLEAVED)
def test_without_the_second_question_two_managers_cut_too_many(
    lenient: Cluster, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Manager, "_is_held", lambda self, name: False)
    managers = two_managers(lenient)
    INTERLEAVED[how](lenient, managers[0][0], managers[1])
    play(lenient, managers, 60)
    assert cuts(lenient) == 2
