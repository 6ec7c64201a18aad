"""The rules of ownership, for any order of managers that are slow, and for writes that come late."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fencer.ha import ledger
from fencer.ha.effects import OperatorAnswer
from fencer.ha.entries import ManagerLease, Write
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.ha.states import HAState
from fencer.ha.store import Store
from tests.effort import examples
from tests.ha_memory_store import MemoryStore, SharedMemory

HOSTS, MANAGERS, LEASE_S = ("a", "b"), ("one", "two", "three"), 30.0


def store_with(*hosts: str) -> tuple[SharedMemory, MemoryStore]:
    shared = SharedMemory()
    store = MemoryStore(shared)
    store.register_all([(HostRecord(host=host, state=HAState.AVAILABLE), []) for host in hosts])
    return shared, store


def lease(owner: str, until: float) -> ManagerLease:
    return ManagerLease(owner=owner, until=until)


class AnyOrder(RuleBasedStateMachine):
    """A manager prepares a write with what it knows, and commits it at once or much later, as a frozen process does."""

    @initialize()
    def begin(self) -> None:
        self.shared, first = store_with(*HOSTS)
        self.now = self.shared.time
        self.stores: dict[str, Store] = {name: MemoryStore(self.shared) for name in MANAGERS}
        self.until = dict.fromkeys(MANAGERS, 0.0)  # what each manager believes
        self.epochs: dict[str, dict[str, int]] = {name: {} for name in MANAGERS}
        self.late: list[tuple[str, Write, Callable[[], None]]] = []
        self.truth = first
        self.seen = dict.fromkeys(HOSTS, (0, 0))

    def do(self, manager: str, write: Write | None, then: Callable[[], None], *, later: bool) -> None:
        if write is None:
            return
        if later:
            self.late.append((manager, write, then))
        elif self.stores[manager].commit([write])[0]:
            then()

    @rule(seconds=st.sampled_from([1.0, 10.0, 29.0, 31.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(manager=st.sampled_from(MANAGERS), later=st.booleans())
    def renews(self, manager: str, later: bool) -> None:
        if self.until[manager] and self.until[manager] <= self.now:
            self.until[manager], self.epochs[manager] = 0.0, {}  # its lease has ended, and it knows
            return
        until = self.now + LEASE_S

        def renewed() -> None:
            self.until[manager] = until

        self.do(manager, ledger.renew(self.stores[manager].snapshot(), lease(manager, until), self.now), renewed, later=later)

    @rule(manager=st.sampled_from(MANAGERS), host=st.sampled_from(HOSTS), later=st.booleans())
    def claims(self, manager: str, host: str, later: bool) -> None:
        snapshot = self.stores[manager].snapshot()
        epoch = snapshot.record(host).epoch + 1

        def claimed() -> None:
            self.epochs[manager][host] = epoch

        self.do(manager, ledger.claim(snapshot, host, manager, self.now), claimed, later=later)

    @rule(manager=st.sampled_from(MANAGERS), host=st.sampled_from(HOSTS), later=st.booleans(), busy=st.booleans())
    def saves(self, manager: str, host: str, later: bool, busy: bool) -> None:
        old = self.stores[manager].snapshot().record(host)
        if self.until[manager] <= self.now or self.epochs[manager].get(host) != old.epoch or old.owner != manager:
            return
        flight = BmcRequest(id=f"{old.epoch}.1", ask=RequestKind.OFF, at=self.now) if busy else None
        new = replace(old, inflight=flight, since=self.now)
        self.do(manager, ledger.save(self.stores[manager].snapshot(), old, new, (), self.now), lambda: None, later=later)

    @rule(manager=st.sampled_from(MANAGERS), ended=st.booleans(), later=st.booleans())
    def lets_go(self, manager: str, ended: bool, later: bool) -> None:
        self.epochs[manager].clear()
        self.until[manager] = 0.0
        write = ledger.let_go(self.stores[manager].snapshot(), manager, HOSTS, all_calls_ended=ended)
        self.do(manager, write, lambda: None, later=later)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def a_late_write_comes(self, data: st.DataObject) -> None:
        manager, write, then = self.late.pop(data.draw(st.integers(0, len(self.late) - 1)))
        if self.stores[manager].commit([write])[0]:
            then()

    @invariant()
    def one_manager_at_most_may_act_on_a_host(self) -> None:
        for host in HOSTS:
            record = self.truth.load(host)
            acting = [
                name
                for name in MANAGERS
                if self.until[name] > self.now and self.epochs[name].get(host) == record.epoch and record.owner == name
            ]
            assert len(acting) <= 1
            for name in acting:
                assert record.lease_until > self.now, f"{name} acts without a lease in the store"

    @invariant()
    def versions_grow_and_an_epoch_begins_only_when_nobody_has_a_lease(self) -> None:
        for host in HOSTS:
            record = self.truth.load(host)
            version, epoch = self.seen[host]
            assert record.version >= version
            assert record.epoch in (epoch, epoch + 1)
            self.seen[host] = (record.version, record.epoch)

    def teardown(self) -> None:
        """When every lease has ended, anybody can have every host, whatever comes late."""
        if not hasattr(self, "truth"):
            return
        self.now += 10 * LEASE_S
        assert self.truth.renew(lease("last", self.now + LEASE_S), self.now)
        assert self.truth.claim(HOSTS, "last", self.now) == list(HOSTS)
        for manager, write, _ in self.late:
            self.stores[manager].commit([write])
        assert {self.truth.load(host).owner for host in HOSTS} == {"last"}


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = settings(
    max_examples=examples(60), stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_lease_that_has_ended_is_not_renewed_and_is_cleared_away() -> None:
    _, store = store_with("a")
    assert store.renew(lease("one", 30.0), 0.0)
    assert store.renew(lease("one", 60.0), 29.0)
    assert not store.renew(lease("one", 100.0), 60.0)
    assert store.renew(lease("two", 100.0), 61.0)
    assert [one.owner for one in store.snapshot().leases()] == ["two"]


def test_a_host_with_a_request_in_flight_waits_for_the_end_of_the_lease() -> None:
    _, store = store_with("a", "b")
    store.renew(lease("one", 30.0), 0.0)
    assert store.claim(["a", "b"], "one", 0.0) == ["a", "b"]
    old = store.load("a")
    store.save(old, replace(old, inflight=BmcRequest(id="1.1", ask=RequestKind.READ, at=0.0)), (), 0.0)
    assert store.let_go("one", ["a", "b"])
    store.renew(lease("two", 60.0), 1.0)
    assert store.claim(["a", "b"], "two", 1.0) == ["b"]
    assert store.let_go("one", ["a", "b"], all_calls_ended=True)
    assert store.claim(["a", "b"], "two", 1.0) == ["a"]
    assert not store.let_go("one", ["a", "b"])


def test_an_answer_to_a_request_that_is_gone_changes_nothing_else() -> None:
    _, store = store_with("a")
    old = store.load("a")
    assert store.save(old, replace(old, since=5.0), (OperatorAnswer(request=77, ok=False, text="no"),), 5.0)
    assert store.load("a").since == 5.0


def test_of_answered_requests_the_last_thousand_are_kept() -> None:
    _, store = store_with("a")
    first = store.add_request("a", "enable", {}, 0.0)
    for number in range(ledger.KEEP_REQUESTS + 1):
        old = store.load("a")
        assert store.save(old, replace(old, since=1.0), (OperatorAnswer(request=first + number, ok=True, text=""),), 0.0)
        store.add_request("a", "enable", {}, 0.0)
    assert len(store.snapshot().answered_requests()) == ledger.KEEP_REQUESTS
    assert len(store.open_requests("a")) == 1


def test_a_request_can_be_withdrawn_until_it_has_an_answer() -> None:
    _, store = store_with("a")
    number = store.add_request("a", "confirm", {}, 0.0)
    withdrawn = ledger.withdraw_request(store.snapshot(), number)
    assert withdrawn is not None
    assert store.commit([ledger.answer_request(store.snapshot(), OperatorAnswer(request=number, ok=True, text="yes"), 1.0)]) == [
        True
    ]
    assert store.commit([withdrawn]) == [False], "the manager was faster"
    assert ledger.withdraw_request(store.snapshot(), number) is None
    assert store.operator_request(number).ok


def test_a_vm_action_needs_the_owners_lease_and_a_start_a_host_that_is_available() -> None:
    _, store = store_with("a")
    store.renew(lease("one", 30.0), 0.0)
    store.claim(["a"], "one", 0.0)
    assert ledger.may_act(store.snapshot(), "a", 1, 1.0, start=True) is not None
    assert ledger.may_act(store.snapshot(), "a", 2, 1.0, start=False) is None
    assert ledger.may_act(store.snapshot(), "a", 1, 30.0, start=False) is None
    old = store.load("a")
    store.save(old, replace(old, state=HAState.DISABLED), (), 1.0)
    assert ledger.may_act(store.snapshot(), "a", 1, 1.0, start=True) is None
    assert ledger.may_act(store.snapshot(), "a", 1, 1.0, start=False) is not None


def test_a_drain_begins_once_and_ends_once() -> None:
    _, store = store_with("a")
    for drain, drained in ((True, ["a"]), (True, ["a"]), (False, []), (False, [])):
        number = store.add_request("a", "drain", {}, 0.0)
        answer = OperatorAnswer(request=number, ok=True, text="")
        assert store.commit([ledger.set_drain(store.snapshot(), "a", drain=drain, answer=answer, now=1.0)]) == [True]
        assert (store.snapshot().drains, store.open_requests("a")) == (drained, [])
    store.commit([ledger.set_drain(store.snapshot(), "a", drain=True, answer=None, now=1.0)])
    assert store.snapshot().drains == ["a"]
