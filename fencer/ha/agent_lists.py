"""Asks the agents of all hosts which VMs run there, and hands what they say to the rules of `vm_machine`.

`Restarts` calls it in the loop's thread; the calls run in the worker threads of the pool "agent". Times are seconds.

Rules
  1. Every manager asks all hosts that answer their health checks. Only the owner of a host acts on its list.
  2. A list counts from the moment at which it was asked for. Nobody knows what runs on a host that cannot be asked.
  3. A host that is proved off runs nothing, whatever a list says that was asked for before. A host out of HA that does not
     answer is its operator's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from fencer.ha import vm_machine
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState
from fencer.ha.vm_executors import AgentReport, VmExecutor
from fencer.ha.vm_turn import Fact, VmTurn
from fencer.ha.workers import Workers


@dataclass(frozen=True, slots=True)
class AgentList:
    asked_at: float
    report: AgentReport


class AgentLists:
    def __init__(self, config: Config, clock: SharedClock, executor: VmExecutor, workers: Workers) -> None:
        self._config, self._clock, self._executor, self._workers = config, clock, executor, workers
        self._next: dict[str, float] = {}
        self._asking: set[str] = set()
        self._lists: dict[str, AgentList] = {}
        self._owned: Collection[str] = ()
        self._records: Mapping[str, HostRecord] = {}

    def boot(self, host: str) -> str | None:
        """The boot of the host that its agent named last."""
        known = self._lists.get(host)
        return known.report.boot if known and self._executor.names_boot else None

    def vms_since(self, host: str, moment: float) -> frozenset[str] | None:
        """What runs on the host by a list that was asked for after `moment`; None if there is none."""
        known = self._lists.get(host)
        return known.report.vms if known and known.asked_at > moment else None

    def ask(self, owned: Collection[str], records: Mapping[str, HostRecord], hear: Callable[[Fact], None]) -> None:
        """Asks every host that is due. `hear` is called in a worker's thread with each answer."""
        self._owned, self._records = owned, records
        if not self._executor.lists:
            return
        now = self._clock.now()
        for host in self._config.host_names:
            if records[host].healthy and host not in self._asking and now >= self._next.get(host, 0.0):
                self._ask(host, now, hear)

    def _ask(self, host: str, now: float, hear: Callable[[Fact], None]) -> None:
        self._asking.add(host)
        self._next[host] = now + self._config.policy.poll

        def done(answer: tuple[float, AgentReport] | None, _: BaseException | None) -> None:
            hear(lambda turn: self._arrived(turn, host, answer))

        def work() -> tuple[float, AgentReport]:
            asked_at = self._clock.now()
            return asked_at, self._executor.running(host, self._config.policy.request_timeout)

        self._workers.submit("agent", work, done)

    def _arrived(self, turn: VmTurn, host: str, answer: tuple[float, AgentReport] | None) -> None:
        self._asking.discard(host)
        if answer is None:
            return
        asked_at, report = answer
        record = self._records[host]
        if record.state is HAState.FENCED and asked_at <= record.since:
            return  # the host was proved off meanwhile: what ran there runs no more
        known = self._lists.get(host)
        if known is None or known.asked_at <= asked_at:
            self._lists[host] = AgentList(asked_at, report)
        if host in self._owned:
            self._apply(turn, host, asked_at, report)

    def _apply(self, turn: VmTurn, host: str, asked_at: float, report: AgentReport) -> None:
        policy = self._config.policy
        for vm in sorted(report.vms):
            record = turn.record(vm)
            if record is not None:
                turn.take(vm_machine.listed(record, host, report.boot, asked_at, policy, turn.now))
            elif self._config.part.adopt_vms and self._records[host].state is not HAState.FENCED:
                found = replace(vm_machine.registered(vm, host, turn.now), boot=report.boot)
                turn.take((found, (vm_machine.line(found, "adopted", host, "its agent lists it"),)))
        others = self._others_asked_since(host)
        for record in {old.vm: old for group in ("on", "seen on") for old in turn.records(group, host)}.values():
            if record.vm not in report.vms:
                turn.take(vm_machine.absent(record, host, report.boot, asked_at, others, policy, turn.now))

    def _others_asked_since(self, host: str) -> float | None:
        """The time since which every other host that may run has been asked; None: not all have been."""
        since = self._clock.now()
        for other in self._config.host_names:
            record = self._records[other]
            out_of_ha = record.state is HAState.DISABLED and not record.healthy
            if other == host or record.state is HAState.FENCED or out_of_ha:
                continue
            known = self._lists.get(other)
            if known is None:
                return None
            since = min(since, known.asked_at)
        return since
