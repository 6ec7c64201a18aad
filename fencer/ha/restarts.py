"""Starts the VMs of a fenced host on other hosts, each exactly once.

`Manager` calls it in its loop's thread; the starts run in the worker threads of the pool "vm". Times are seconds.

Rules
  1. A start follows a claim that the store accepted: same fence id, same epoch, target Available.
  2. All starts of one VM after one fence have the same key and the same target, until it is certain that nothing was
     started. If a manager ends during a start, the start is repeated with that key, and no second VM runs.
  3. If no host has room, one alert is sent and the start is tried again later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from fencer.ha import placement
from fencer.ha.clock import SharedClock
from fencer.ha.config import Config
from fencer.ha.effects import AlertName, LineKind, TimelineLine
from fencer.ha.entries import LedgerRow, StartStatus
from fencer.ha.record import HostRecord
from fencer.ha.store import Store
from fencer.ha.vm_executors import StartFailed, VmExecutor

T = TypeVar("T")
Post = Callable[[Callable[[], None]], None]


class Submit(Protocol):
    def submit(self, pool: str, work: Callable[[], T], done: Callable[[T | None, BaseException | None], None]) -> None: ...


class Restarts:
    def __init__(self, config: Config, store: Store, clock: SharedClock, executor: VmExecutor | None, workers: Submit) -> None:
        self._config, self._store, self._clock, self._executor, self._workers = config, store, clock, executor, workers
        self._policy = config.policy
        self._vms = {vm.name: vm for vm in config.part.vms}
        self._starting: set[str] = set()

    def run_round(self, epochs: Mapping[str, int], records: Mapping[str, HostRecord], post: Post) -> None:
        """Claims and starts the VMs that are due, for the hosts in `epochs` (the hosts that this manager owns)."""
        for name, epoch in epochs.items():
            fence_id = records[name].released
            if fence_id is None or self._executor is None:
                continue
            now = self._clock.now()
            open_rows = [row for row in self._store.ledger(name, fence_id) if row.status in ("pending", "claimed")]
            due = [row for row in open_rows if row.retry_at <= now and (row.status == "pending" or row.epoch < epoch)]
            for row in placement.order(due, self._vms):
                if len(self._starting) >= self._policy.vm_starts_at_once:
                    return
                if row.key not in self._starting:
                    self._start(row, epoch, records, self._executor, post)

    def _start(self, row: LedgerRow, epoch: int, records: Mapping[str, HostRecord], executor: VmExecutor, post: Post) -> None:
        now = self._clock.now()
        target = placement.choose(row, self._vms.get(row.vm), self._config.part.hosts, records, self._store.placements())
        if target is None:
            if row.status == "pending":
                text = f"{row.vm} waits: no host that is Available has room for it"
                lines = [] if row.tries else [self._alert(AlertName.VM_RESTART_FAILED, row, text)]
                self._store.postpone_vm(row, now + self._policy.vm_retry_first, lines, now)
            return
        if not self._store.claim_vm(row, target, epoch, now):
            return
        claimed = replace(row, target=target, epoch=epoch, status=StartStatus.CLAIMED)
        self._starting.add(row.key)

        def done(_: None, error: BaseException | None) -> None:
            post(lambda: self._start_ended(claimed, error))

        self._workers.submit("vm", lambda: executor.start(row.vm, target, row.key, self._policy.vm_start_timeout), done)

    def _start_ended(self, row: LedgerRow, error: BaseException | None) -> None:
        now = self._clock.now()
        self._starting.discard(row.key)
        if error is None:
            events = [self._vm(row, "started", row.target)]
            others = [other for other in self._store.ledger(row.host, row.fence_id) if other.vm != row.vm]
            if all(other.status in ("done", "superseded") for other in others):
                count = sum(1 for other in others if other.status == "done") + 1
                events.append(self._alert(AlertName.VM_RESTART_DONE, row, f"{count} VM(s) of {row.host} run on other hosts"))
            self._store.finish_vm(row, row.epoch, events, now)
            return
        nothing_started = isinstance(error, StartFailed) and error.nothing_started
        wait = min(self._policy.vm_retry_first * 2.0 ** min(row.tries, 16), self._policy.vm_retry_cap)
        events = [self._vm(row, "failed", row.target, str(error))]
        if row.tries == 0:
            events.append(self._alert(AlertName.VM_RESTART_FAILED, row, f"{row.vm} was not started on {row.target}: {error}"))
        self._store.fail_vm(row, row.epoch, now + wait, nothing_started, events, now)

    def stop_released_vms(self, host: str, fence_id: str, post: Post) -> None:
        """A fenced host answers again: stops its released VMs that may still run there."""
        executor, placements = self._executor, self._store.placements()
        if executor is None:
            return
        for row in self._store.ledger(host, fence_id):
            if placements.get(row.vm) != host:
                self._stop(row, host, executor, post)

    def _stop(self, row: LedgerRow, host: str, executor: VmExecutor, post: Post) -> None:
        def done(_: None, error: BaseException | None) -> None:
            step, text = ("stop-failed", str(error)) if error else ("stopped", None)
            post(lambda: self._store.add_events(host, [self._vm(row, step, host, text)], self._clock.now()))

        self._workers.submit("vm", lambda: executor.stop(row.vm, host, row.key, self._policy.vm_start_timeout), done)

    def _vm(self, row: LedgerRow, step: str, target: str | None, text: str | None = None) -> TimelineLine:
        detail = {"vm": row.vm, "step": step, "target": target, "key": row.key, "fence_id": row.fence_id, "text": text}
        return TimelineLine(kind=LineKind.VM, detail=detail)

    def _alert(self, alert: AlertName, row: LedgerRow, text: str) -> TimelineLine:
        return TimelineLine(
            kind=LineKind.ALERT, detail={"alert": str(alert), "text": text, "fence_id": row.fence_id, "vm": row.vm}
        )
