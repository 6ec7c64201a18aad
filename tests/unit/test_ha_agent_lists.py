"""Lists of agents that arrive late."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from fencer.ha import vm_machine
from fencer.ha.agent_lists import AgentLists
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.vm_executors import AgentReport


class LateWorker:
    """Keeps the call; `finish` runs it and hands over its answer."""

    def submit(self, pool, work, done):
        self.answer, self.done = work(), done

    def finish(self):
        self.done(self.answer, None)


@pytest.mark.parametrize(("fenced_at", "counts"), [(None, True), (4.0, True), (5.0, False), (9.0, False)])
def test_a_list_that_was_asked_for_before_its_host_was_fenced_says_nothing(fenced_at, counts):
    policy = SimpleNamespace(poll=1.0, request_timeout=1.0)
    config = SimpleNamespace(host_names=("b",), policy=policy, part=SimpleNamespace(adopt_vms=False))
    executor = SimpleNamespace(lists=True, names_boot=True, running=lambda host, timeout: AgentReport("b-1", frozenset({"v"})))
    worker, facts, taken = LateWorker(), [], []
    lists = AgentLists(config, SimpleNamespace(now=lambda: 5.0), executor, worker)
    record = HostRecord(host="b", state=HAState.AVAILABLE, healthy=True)
    lists.ask(["b"], {"b": record}, facts.append)
    if fenced_at is not None:
        lists.ask(["b"], {"b": replace(record, state=HAState.FENCED, since=fenced_at)}, facts.append)
    worker.finish()
    known = vm_machine.registered("v", "a", 0.0)
    turn = SimpleNamespace(now=6.0, record=lambda vm: known, records=lambda *group: [], take=taken.append)
    (fact,) = facts
    fact(turn)
    assert bool(taken) is counts
    assert (lists.boot("b") == "b-1") is counts
