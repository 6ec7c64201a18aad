"""The interface to the store that all managers share, and the operations that every store has.

A store implements five primitives: `now`, `snapshot`, `commit`, `watch` and the timeline. Everything else is decided by
`ledger`, which is pure, so that each store keeps the same rules. Times are seconds of the store's clock.

Managers and the commands of `fence-ha` use a store, each in one thread.

Rules
  1. A `Write` is written whole or not at all, and only if all its versions are current.
  2. When `commit` returns, what it has accepted survives a crash of this machine.
  3. Every primitive ends within the store's patience. What goes wrong is a StoreError; then nothing is known about the
     writes of that call, and the next `snapshot` tells. After an error a store can be used again; it repairs itself if it can.
  4. No credentials are stored.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from fencer.ha import ledger
from fencer.ha.effects import HaEffect, LineKind, TimelineLine
from fencer.ha.entries import HostLine, ManagerLease, OperatorRequest, Snapshot, StoredEvent, Write
from fencer.ha.record import HostRecord

KEEP_EVENTS = 20_000
"""So many lines of the timeline are kept."""


class Trouble(StrEnum):
    """Why a store cannot be used."""

    LOCKED = "locked"
    FULL = "full"
    READ_ONLY = "read-only"
    GONE = "gone"
    REPLACED = "replaced"
    UNREADABLE = "unreadable"  # not a store, or damaged
    VERSION = "version"  # of a version that this program does not know
    IO = "io"


PASSING = frozenset({Trouble.LOCKED, Trouble.FULL, Trouble.READ_ONLY, Trouble.IO, Trouble.REPLACED})
"""May pass by itself, so that it is worth to try again from the start."""


class StoreError(Exception):
    """The store cannot be used now. `trouble` says why; the text is one sentence for an operator."""

    def __init__(self, text: str, trouble: Trouble) -> None:
        super().__init__(text)
        self.trouble = trouble


class Store(ABC):
    """One thread per instance. Every method may raise StoreError, except `now`."""

    @abstractmethod
    def now(self) -> float:
        """The current time. All managers of one store share this clock, and it never goes back, also over a boot."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Brings the snapshot of this instance up to date and returns it. It costs little if nothing has changed."""

    @abstractmethod
    def commit(self, writes: Sequence[Write]) -> list[bool]:
        """Writes what is current, each write for itself, and says of each whether it was written. Durable when it returns."""

    @abstractmethod
    def watch(self, seconds: float) -> bool:
        """Waits until another user of the store has changed it, at most `seconds`. False: nothing has changed."""

    @abstractmethod
    def timeline(self, host: str | None = None, after: int = 0) -> list[StoredEvent]:
        """The lines that are kept, oldest first; only those of `host`, if given, and with a greater `seq` than `after`."""

    @abstractmethod
    def unprinted(self, after: int = 0, most: int = 500) -> list[StoredEvent]:
        """The oldest lines with a greater `seq` than `after` that no manager has printed."""

    @abstractmethod
    def mark_printed(self, seqs: Sequence[int]) -> None: ...

    @abstractmethod
    def close(self) -> None: ...

    def alerts(self, host: str, most: int) -> list[StoredEvent]:
        """The newest alerts about a host, oldest first."""
        return [event for event in self.timeline(host) if event.kind is LineKind.ALERT][-most:]

    def restored_at(self) -> float | None:
        """When this store began as a copy of another one; None if it did not."""
        return None

    # -- one write at a time

    def _one(self, write: Write | None) -> bool:
        return write is not None and self.commit([write])[0]

    def register(self, record: HostRecord, vms: Iterable[str]) -> None:
        self.register_all([(record, list(vms))])

    def register_all(self, hosts: Sequence[tuple[HostRecord, Sequence[str]]]) -> None:
        """Adds the hosts and VMs that are new. If another manager adds the same ones at the same time, that is as good."""
        snapshot = self.snapshot()
        writes = [write for record, vms in hosts if (write := ledger.register(snapshot, record, vms)) is not None]
        self.commit(writes)

    def renew(self, lease: ManagerLease, now: float) -> bool:
        """Writes the manager's lease. False if the one that it had has ended."""
        return self._one(ledger.renew(self.snapshot(), lease, now))

    def claim(self, hosts: Sequence[str], owner: str, now: float) -> list[str]:
        """Claims the hosts that nobody owns, and returns those that `owner` got."""
        snapshot = self.snapshot()
        writes = {host: write for host in hosts if (write := ledger.claim(snapshot, host, owner, now)) is not None}
        return [host for host, won in zip(writes, self.commit(list(writes.values())), strict=True) if won]

    def let_go(self, owner: str, hosts: Iterable[str], *, all_calls_ended: bool = False) -> bool:
        return self._one(ledger.let_go(self.snapshot(), owner, hosts, all_calls_ended=all_calls_ended))

    def save(self, old: HostRecord, new: HostRecord, effects: Sequence[HaEffect], now: float) -> bool:
        return self._one(ledger.save(self.snapshot(), old, new, effects, now))

    def load(self, host: str) -> HostRecord:
        return self.snapshot().record(host)

    def hosts(self) -> list[str]:
        return self.snapshot().hosts

    def placements(self) -> dict[str, str | None]:
        return self.snapshot().placements()

    def count_vms(self, host: str, running: Sequence[str], now: float) -> bool:
        return self._one(ledger.count_vms(self.snapshot(), host, running, now))

    def add_events(self, host: str, events: Sequence[TimelineLine], now: float) -> None:
        lines = tuple(HostLine(host=host, line=event) for event in events)
        self.commit([Write(changes=(), lines=lines, at=now)])

    def add_request(self, host: str, what: str, detail: dict[str, str], now: float) -> int:
        """Stores an operator's request and returns its number. The manager that owns the host answers it."""
        return self._until_written(lambda: ledger.add_request(self.snapshot(), host, what, detail, now))

    def _until_written(self, make: Callable[[], tuple[int, Write]]) -> int:
        while True:
            number, write = make()
            if self._one(write):
                return number

    def withdraw_request(self, request: int) -> bool:
        """Takes back a request that has no answer yet, so that it is never granted. False if it has been answered."""
        return self._one(ledger.withdraw_request(self.snapshot(), request))

    def open_requests(self, host: str) -> list[OperatorRequest]:
        return self.snapshot().open_requests(host)

    def operator_request(self, request: int) -> OperatorRequest:
        return self.snapshot().request(request)
