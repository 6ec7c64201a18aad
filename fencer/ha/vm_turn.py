"""What one round of a manager decides about VMs: the changed records, and what is to be done once they are written.

`Restarts` makes one per round, in the loop's thread. Times are seconds of the store's clock.

Rules
  1. Several facts of one round about one VM are one write. Nothing is done before its write has succeeded.
  2. If the write is refused because another manager was faster, the facts are heard again in the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from fencer.ha import ledger
from fencer.ha.effects import OperatorAnswer, TimelineLine
from fencer.ha.entries import Check, HostLine, Snapshot, Write
from fencer.ha.store import Store
from fencer.ha.vm_machine import Step
from fencer.ha.vm_record import VmRecord

CLUSTER = "-"
"""Stands for a host in lines and requests that belong to no host of the file. No host can be called so."""

Fact = Callable[["VmTurn"], None]


@dataclass(slots=True)
class Staged:
    record: VmRecord
    lines: list[TimelineLine] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    answers: list[OperatorAnswer] = field(default_factory=list)
    actions: list[Callable[[], None]] = field(default_factory=list)
    facts: list[Fact] = field(default_factory=list)


class VmTurn:
    def __init__(self, snapshot: Snapshot, now: float, hosts: Collection[str]) -> None:
        self.snapshot, self.now = snapshot, now
        self._hosts = hosts
        self._staged: dict[str, Staged] = {}
        self._fact: Fact | None = None
        self.others: list[Write] = []
        self.new_starts = 0

    def hear(self, fact: Fact) -> None:
        """Applies a fact that came from a worker; what it changes is heard again if it cannot be written."""
        self._fact = fact
        fact(self)
        self._fact = None

    def record(self, vm: str) -> VmRecord | None:
        staged = self._staged.get(vm)
        return staged.record if staged else self.snapshot.vm(vm)

    def records(self, *group: str) -> list[VmRecord]:
        """The records of a group of the snapshot, as this round has left them."""
        return [record for old in self.snapshot.vms(*group) if (record := self.record(old.vm)) is not None]

    def take(
        self,
        step: Step,
        *,
        checks: Iterable[Check] = (),
        answer: OperatorAnswer | None = None,
        action: Callable[[], None] | None = None,
    ) -> None:
        record, lines = step
        if record == self.record(record.vm) and not lines and answer is None:
            return
        staged = self._staged.setdefault(record.vm, Staged(record))
        staged.record = record
        staged.lines += lines
        staged.checks += checks
        if answer is not None:
            staged.answers.append(answer)
        if action is not None:
            staged.actions.append(action)
        if self._fact is not None:
            staged.facts.append(self._fact)

    def write(self, store: Store) -> list[Fact]:
        """Writes everything, does what was written, and returns the facts that must be heard again. Raises StoreError."""
        staged = list(self._staged.values())
        writes = [
            ledger.save_vm(self.snapshot, one.record, self._lines(one), one.checks, one.answers, self.now) for one in staged
        ]
        results = store.commit([*writes, *self.others])
        again: list[Fact] = []
        for one, written in zip(staged, results, strict=False):
            for action in one.actions if written else ():
                action()
            again += () if written else one.facts
        return again

    def _lines(self, staged: Staged) -> Sequence[HostLine]:
        about = staged.record.origin_host or staged.record.host
        host = about if about in self._hosts else CLUSTER
        return [HostLine(host=host or CLUSTER, line=line) for line in staged.lines]
