"""What operators want of VMs: each request is answered with one sentence, and what it changes is written with the answer."""

from __future__ import annotations

import pytest

from fencer.ha import vm_requests
from fencer.ha.entries import OperatorRequest
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.vm_machine import host_fenced, leave, removed
from fencer.ha.vm_record import VmPhase, VmRecord
from fencer.ha.vm_turn import CLUSTER, VmTurn
from tests.ha_memory_store import MemoryStore, SharedMemory

HOSTS = ("a", "b", "c")


class Operator:
    def __init__(self) -> None:
        self.store = MemoryStore(SharedMemory())
        for host in HOSTS:
            self.store.register(HostRecord(host=host, state=HAState.AVAILABLE), ["v1"] if host == "a" else [])

    def asks(self, what: str, about: str = CLUSTER, **detail: str) -> OperatorRequest:
        number = self.store.add_request(about, what, detail, 1.0)
        turn = VmTurn(self.store.snapshot(), 1.0, HOSTS)
        vm_requests.apply(turn, HOSTS, HOSTS)
        turn.write(self.store)
        return self.store.operator_request(number)

    def vm(self, name: str = "v1") -> VmRecord:
        record = self.store.snapshot().vm(name)
        assert record is not None
        return record

    def put(self, record: VmRecord) -> None:
        turn = VmTurn(self.store.snapshot(), 1.0, HOSTS)
        turn.take((record, ()))
        turn.write(self.store)


@pytest.fixture
def operator() -> Operator:
    return Operator()


def test_a_vm_is_added_where_it_runs_or_to_be_started(operator: Operator) -> None:
    assert operator.asks("vm-add", vm="v2", host="b").answer == "v2 is under HA; it runs on b"
    assert (operator.vm("v2").phase, operator.vm("v2").host) == (VmPhase.RUNNING, "b")
    operator.asks("vm-add", vm="v3", hosts="b,c", priority="5", system="true", apart="web")
    spec = operator.vm("v3").spec
    assert spec is not None
    assert (spec.hosts, spec.priority, spec.system, spec.apart) == (("b", "c"), 5, True, "web")
    assert operator.vm("v3").phase is VmPhase.WAITING
    assert operator.store.timeline()[-1].host == CLUSTER, "it belongs to no host yet"


@pytest.mark.parametrize(
    ("what", "detail", "answer"),
    [
        ("vm-add", {"vm": "v1"}, "v1 is under HA already, on a"),
        ("vm-add", {"vm": "v2", "host": "x"}, "no host is called x; there are a, b, c"),
        ("vm-add", {"vm": "v2", "hosts": "a,y"}, "no host is called y; there are a, b, c"),
        ("vm-move", {"vm": "v1", "to": "z"}, "no host is called z; there are a, b, c"),
        ("vm-move", {"vm": "v1", "to": "a"}, "v1 belongs to a already"),
        ("vm-remove", {"vm": "nobody"}, "no VM is called nobody; fence-ha vms lists them"),
        ("vm-sing", {"vm": "v1"}, "unknown request vm-sing"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_reason(
    operator: Operator, what: str, detail: dict[str, str], answer: str
) -> None:
    before = operator.vm()
    got = operator.asks(what, **detail)
    assert (got.ok, got.answer, operator.vm()) == (False, answer, before)


def test_a_vm_that_was_removed_comes_back_with_a_new_key_and_never_to_a_host_that_must_still_stop_it(operator: Operator) -> None:
    operator.put(removed(host_fenced(operator.vm(), "a", "a-f1", 1.0)))
    assert operator.asks("vm-retry", vm="v1").ok is False
    assert operator.asks("vm-add", vm="v1", host="a").answer == "a was fenced with v1 and has not confirmed that it stopped it"
    assert operator.asks("vm-add", vm="v1").ok
    assert (operator.vm().phase, operator.vm().origin, len(operator.vm().left)) == (VmPhase.WAITING, "v1-m2", 1)


def test_a_move_stops_what_runs_and_directs_what_waits(operator: Operator) -> None:
    assert operator.asks("vm-move", vm="v1", to="b").answer == "v1 is stopped on a and started on b"
    assert (operator.vm().phase, operator.vm().wanted) == (VmPhase.STOPPING, "b")
    assert operator.asks("vm-move", vm="v1", to="c").answer == "v1 is stopping on a; try again when that has ended"
    operator.put(host_fenced(leave(operator.vm(), None), "a", "a-f1", 1.0))
    assert operator.asks("vm-move", vm="v1", to="c").ok
    assert operator.vm().wanted == "c"


def test_a_drain_is_kept_in_the_store_and_can_be_asked_for_twice(operator: Operator) -> None:
    assert operator.asks("drain", "a").answer == "a takes no VMs any more; 1 VM(s) move; fence-ha enable ends it"
    assert operator.asks("drain", "a").ok
    assert operator.store.snapshot().drains == ["a"]


def test_a_fact_whose_write_another_manager_overtook_is_heard_again(operator: Operator) -> None:
    turn = VmTurn(operator.store.snapshot(), 1.0, HOSTS)
    turn.hear(lambda turn: turn.take((leave(operator.vm(), "b"), ())))
    other = MemoryStore(operator.store.shared)
    overtaking = VmTurn(other.snapshot(), 1.0, HOSTS)
    overtaking.take((leave(operator.vm(), "c"), ()))
    # Versions are read when the write is made, so the overtaking commit comes between.
    commit = operator.store.commit
    operator.store.commit = lambda writes: (overtaking.write(other), commit(writes))[1]  # type: ignore[method-assign]
    assert len(turn.write(operator.store)) == 1
    assert operator.vm().wanted == "c"
