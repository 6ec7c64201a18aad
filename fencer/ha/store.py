"""Stores host records, the timeline, VM assignments and operator requests: the interface, and SQLite as its implementation.

Managers and the commands of `fence-ha` use it, each in one thread. Times are seconds of the store's clock.

Rules
  1. A record is written only if its version and epoch are those that were read. Otherwise nothing is written.
  2. Everything durable of one step (record, timeline, VM ledger, answers) is written in one transaction.
  3. A VM is assigned to at most one host. One epoch claims a ledger row for one target. The row keeps that target until
     it is certain that the start failed, or until the target itself is fenced.
  4. No credentials are stored. Only the owner can read the files.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter

from fencer.ha.clock import BootClock, boot_id, wall_offset
from fencer.ha.effects import Detail, HaEffect, LineKind, OperatorAnswer, Release, TimelineLine
from fencer.ha.record import HostRecord
from fencer.ha.states import HAState

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS hosts (
  host TEXT PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT, epoch INTEGER NOT NULL,
  lease_until REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS vms (vm TEXT PRIMARY KEY, host TEXT);
CREATE TABLE IF NOT EXISTS ledger (
  fence_id TEXT NOT NULL, vm TEXT NOT NULL, host TEXT NOT NULL, status TEXT NOT NULL, epoch INTEGER NOT NULL DEFAULT 0,
  target TEXT, tries INTEGER NOT NULL DEFAULT 0, retry_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (fence_id, vm));
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, t REAL NOT NULL, host TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
  printed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT, t REAL NOT NULL, host TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,
  ok INTEGER, answer TEXT);
CREATE INDEX IF NOT EXISTS events_host ON events (host, seq);
CREATE INDEX IF NOT EXISTS ledger_host ON ledger (host, status);
"""

KEEP_EVENTS = 20_000

_RECORD: TypeAdapter[HostRecord] = TypeAdapter(HostRecord)


class StoreError(Exception):
    """The state file cannot be used."""


class _RequestWithdrawn(Exception):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One VM of a fenced host that must start elsewhere. `status`: pending, claimed, done, superseded."""

    fence_id: str
    vm: str
    host: str
    status: str
    epoch: int
    target: str | None
    tries: int
    retry_at: float

    @property
    def key(self) -> str:
        """The key of the start: an executor treats a second start with the same key as done."""
        return f"{self.fence_id}/{self.vm}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEvent:
    """One line of the timeline. `t`: seconds of the store's clock; `seq` increases with each line."""

    seq: int
    t: float
    host: str
    kind: LineKind
    detail: dict[str, Detail]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRequest:
    """A request of an operator. `ok` is None until a manager has answered it."""

    id: int
    host: str
    what: str
    detail: dict[str, str]
    ok: bool | None = None
    answer: str | None = None


class Store(Protocol):
    def register(self, record: HostRecord, vms: Iterable[str]) -> None: ...
    def load(self, host: str) -> HostRecord: ...
    def claim(self, host: str, owner: str, now: float, until: float) -> bool: ...
    def release(self, host: str, owner: str, epoch: int, now: float) -> None: ...
    def renew(self, host: str, owner: str, epoch: int, now: float, until: float) -> bool: ...
    def save(self, old: HostRecord, new: HostRecord, effects: Sequence[HaEffect], now: float) -> bool: ...
    def ledger(self, host: str, fence_id: str) -> list[LedgerRow]: ...
    def claim_vm(self, row: LedgerRow, target: str, epoch: int, now: float) -> bool: ...
    def finish_vm(self, row: LedgerRow, epoch: int, events: Sequence[TimelineLine], now: float) -> bool: ...
    def fail_vm(
        self, row: LedgerRow, epoch: int, retry_at: float, free_target: bool, events: Sequence[TimelineLine], now: float
    ) -> bool: ...
    def postpone_vm(self, row: LedgerRow, retry_at: float, events: Sequence[TimelineLine], now: float) -> None: ...
    def placements(self) -> dict[str, str | None]: ...
    def add_events(self, host: str, events: Sequence[TimelineLine], now: float) -> None: ...
    def unprinted(self, host: str) -> list[StoredEvent]: ...
    def mark_printed(self, seqs: Sequence[int]) -> None: ...
    def open_requests(self, host: str) -> list[OperatorRequest]: ...


class SqliteStore:
    """The store in one SQLite file. One thread per instance.

    Raises StoreError if the file cannot be opened or is not a state file of fence-ha.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            os.chmod(path, 0o600)
            self._db = sqlite3.connect(path, timeout=10.0, isolation_level=None)
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"the state file {path} cannot be opened: {error}") from error
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(SCHEMA)
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise StoreError(f"{path} is not a state file of fence-ha: {error}") from error

    def close(self) -> None:
        self._db.close()

    def clock(self) -> BootClock:
        """Returns the clock of this store. The first manager after each boot sets its offset."""
        with self._transaction():
            self._db.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (f"offset/{boot_id()}", repr(wall_offset())))
            row = self._db.execute("SELECT value FROM meta WHERE key = ?", (f"offset/{boot_id()}",)).fetchone()
        return BootClock(float(row[0]))

    # -- records

    def register(self, record: HostRecord, vms: Iterable[str]) -> None:
        """Adds the host's record if there is none, and assigns VMs that are not known yet to it."""
        with self._transaction():
            self._db.execute(
                "INSERT OR IGNORE INTO hosts VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    record.host,
                    record.state,
                    record.version,
                    record.owner,
                    record.epoch,
                    record.lease_until,
                    _dump(record),
                ),
            )
            for vm in vms:
                self._db.execute("INSERT OR IGNORE INTO vms VALUES (?, ?)", (vm, record.host))

    def load(self, host: str) -> HostRecord:
        """Returns the current record. Raises KeyError for a host that was never registered."""
        row = self._db.execute("SELECT body, version, owner, epoch, lease_until FROM hosts WHERE host = ?", (host,)).fetchone()
        if row is None:
            raise KeyError(host)
        record = _RECORD.validate_json(row[0])
        return replace(record, version=row[1], owner=row[2], epoch=row[3], lease_until=row[4])

    def hosts(self) -> list[str]:
        return [row[0] for row in self._db.execute("SELECT host FROM hosts ORDER BY host")]

    def claim(self, host: str, owner: str, now: float, until: float) -> bool:
        """Claims the host until `until` if no lease on it is valid. Each claim increments the epoch."""
        cursor = self._db.execute(
            "UPDATE hosts SET owner = ?, epoch = epoch + 1, lease_until = ?, version = version + 1"
            " WHERE host = ? AND lease_until <= ?",
            (owner, until, host, now),
        )
        return cursor.rowcount == 1

    def renew(self, host: str, owner: str, epoch: int, now: float, until: float) -> bool:
        cursor = self._db.execute(
            "UPDATE hosts SET lease_until = ? WHERE host = ? AND owner = ? AND epoch = ? AND lease_until > ?",
            (until, host, owner, epoch, now),
        )
        return cursor.rowcount == 1

    def release(self, host: str, owner: str, epoch: int, now: float) -> None:
        """Ends the lease of `owner` now, so that another manager can claim the host at once."""
        self._db.execute("UPDATE hosts SET lease_until = ? WHERE host = ? AND owner = ? AND epoch = ?", (now, host, owner, epoch))

    def save(self, old: HostRecord, new: HostRecord, effects: Sequence[HaEffect], now: float) -> bool:
        """Writes `new` and the durable `effects`.

        Returns False and writes nothing if `old` is not the current record, or if the operator has withdrawn a granted request.
        """
        with suppress(_RequestWithdrawn), self._transaction():
            cursor = self._db.execute(
                "UPDATE hosts SET state = ?, version = version + 1, body = ? WHERE host = ? AND version = ? AND epoch = ?",
                (new.state, _dump(new), old.host, old.version, old.epoch),
            )
            if cursor.rowcount != 1:
                return False
            for effect in effects:
                if isinstance(effect, TimelineLine):
                    self._add_event(old.host, effect, now)
                elif isinstance(effect, Release):
                    self._release_vms(old.host, effect.fence_id)
                elif isinstance(effect, OperatorAnswer):
                    statement = "UPDATE requests SET ok = ?, answer = ? WHERE id = ? AND ok IS NULL"
                    answered = self._db.execute(statement, (effect.ok, effect.text, effect.request))
                    if effect.ok and answered.rowcount != 1:
                        raise _RequestWithdrawn
            return True
        return False

    # -- VMs

    def _release_vms(self, host: str, fence_id: str) -> None:
        vms = [row[0] for row in self._db.execute("SELECT vm FROM vms WHERE host = ?", (host,))]
        for vm in vms:
            # An older fence may have a start of this VM on this host: that ledger row does not count any more.
            self._db.execute(
                "UPDATE ledger SET status = 'superseded' WHERE vm = ? AND target = ? AND status IN ('claimed', 'pending')",
                (vm, host),
            )
            self._db.execute(
                "INSERT OR IGNORE INTO ledger (fence_id, vm, host, status) VALUES (?, ?, ?, 'pending')",
                (fence_id, vm, host),
            )
        self._db.execute("UPDATE vms SET host = NULL WHERE host = ?", (host,))

    def ledger(self, host: str, fence_id: str) -> list[LedgerRow]:
        rows = self._db.execute(
            "SELECT fence_id, vm, host, status, epoch, target, tries, retry_at FROM ledger"
            " WHERE host = ? AND fence_id = ? ORDER BY vm",
            (host, fence_id),
        )
        return [
            LedgerRow(fence_id=r[0], vm=r[1], host=r[2], status=r[3], epoch=r[4], target=r[5], tries=r[6], retry_at=r[7])
            for r in rows
        ]

    def claim_vm(self, row: LedgerRow, target: str, epoch: int, now: float) -> bool:
        """Claims the start of one VM on `target`. False if `epoch` does not own the fenced host, or the fence is not its last."""
        with self._transaction():
            record = self.load(row.host)
            if record.epoch != epoch or record.released != row.fence_id or record.lease_until <= now:
                return False
            if self.load(target).state is not HAState.AVAILABLE:
                return False
            cursor = self._db.execute(
                "UPDATE ledger SET status = 'claimed', epoch = ?, target = ?, tries = tries + 1 WHERE fence_id = ? AND vm = ?"
                " AND (target IS NULL OR target = ?) AND (status = 'pending' OR (status = 'claimed' AND epoch < ?))",
                (epoch, target, row.fence_id, row.vm, target, epoch),
            )
            if cursor.rowcount != 1:
                return False
            self._db.execute("UPDATE vms SET host = ? WHERE vm = ?", (target, row.vm))
            detail: dict[str, Detail] = {"vm": row.vm, "step": "starting", "target": target, "key": row.key}
            line = TimelineLine(kind=LineKind.VM, detail={**detail, "fence_id": row.fence_id})
            self._add_event(row.host, line, now)
        return True

    def finish_vm(self, row: LedgerRow, epoch: int, events: Sequence[TimelineLine], now: float) -> bool:
        """Marks the row done: the VM runs on its target. False if another epoch has claimed the row."""
        return self._close_row("status = 'done'", (), row, epoch, events, now)

    def fail_vm(
        self, row: LedgerRow, epoch: int, retry_at: float, free_target: bool, events: Sequence[TimelineLine], now: float
    ) -> bool:
        """Marks the start failed, to be tried again at `retry_at`.

        `free_target`: it is certain that nothing was started, so another host may be tried.
        """
        with self._transaction():
            changed = self._close_row_in_transaction(
                f"status = 'pending', retry_at = ?{', target = NULL' if free_target else ''}",
                (retry_at,),
                row,
                epoch,
                events,
                now,
            )
            if changed and free_target:
                self._db.execute("UPDATE vms SET host = NULL WHERE vm = ? AND host = ?", (row.vm, row.target))
        return changed

    def postpone_vm(self, row: LedgerRow, retry_at: float, events: Sequence[TimelineLine], now: float) -> None:
        """No host has room for the VM: tries again at `retry_at`."""
        with self._transaction():
            self._db.execute(
                "UPDATE ledger SET retry_at = ?, tries = tries + 1 WHERE fence_id = ? AND vm = ? AND status = 'pending'",
                (retry_at, row.fence_id, row.vm),
            )
            for event in events:
                self._add_event(row.host, event, now)

    def _close_row(
        self, change: str, values: tuple[float, ...], row: LedgerRow, epoch: int, events: Sequence[TimelineLine], now: float
    ) -> bool:
        with self._transaction():
            return self._close_row_in_transaction(change, values, row, epoch, events, now)

    def _close_row_in_transaction(
        self, change: str, values: tuple[float, ...], row: LedgerRow, epoch: int, events: Sequence[TimelineLine], now: float
    ) -> bool:
        cursor = self._db.execute(
            f"UPDATE ledger SET {change} WHERE fence_id = ? AND vm = ? AND status = 'claimed' AND epoch = ?",
            (*values, row.fence_id, row.vm, epoch),
        )
        if cursor.rowcount == 1:
            for event in events:
                self._add_event(row.host, event, now)
        return cursor.rowcount == 1

    def placements(self) -> dict[str, str | None]:
        """Returns the host of each VM; None if it waits for one."""
        return dict(self._db.execute("SELECT vm, host FROM vms ORDER BY vm").fetchall())

    # -- timeline

    def add_events(self, host: str, events: Sequence[TimelineLine], now: float) -> None:
        with self._transaction():
            for event in events:
                self._add_event(host, event, now)

    def _add_event(self, host: str, line: TimelineLine, now: float) -> None:
        self._db.execute(
            "INSERT INTO events (t, host, kind, detail) VALUES (?, ?, ?, ?)",
            (now, host, line.kind, json.dumps(dict(line.detail))),
        )

    def unprinted(self, host: str) -> list[StoredEvent]:
        return self._events("WHERE host = ? AND printed = 0 ORDER BY seq", (host,))

    def timeline(self, host: str | None = None, after: int = 0) -> list[StoredEvent]:
        if host is None:
            return self._events("WHERE seq > ? ORDER BY seq", (after,))
        return self._events("WHERE seq > ? AND host = ? ORDER BY seq", (after, host))

    def _events(self, where: str, values: tuple[str | int, ...]) -> list[StoredEvent]:
        rows = self._db.execute(f"SELECT seq, t, host, kind, detail FROM events {where}", values)
        return [StoredEvent(seq=r[0], t=r[1], host=r[2], kind=LineKind(r[3]), detail=json.loads(r[4])) for r in rows]

    def mark_printed(self, seqs: Sequence[int]) -> None:
        with self._transaction():
            self._db.executemany("UPDATE events SET printed = 1 WHERE seq = ?", [(seq,) for seq in seqs])
            newest = max(seqs, default=0)
            self._db.execute("DELETE FROM events WHERE printed = 1 AND seq <= ?", (newest - KEEP_EVENTS,))

    # -- operators

    def add_request(self, host: str, what: str, detail: dict[str, str], now: float) -> int:
        """Stores an operator's request and returns its id. The manager that owns the host answers it."""
        cursor = self._db.execute(
            "INSERT INTO requests (t, host, what, detail) VALUES (?, ?, ?, ?)", (now, host, what, json.dumps(detail))
        )
        return int(cursor.lastrowid or 0)

    def open_requests(self, host: str) -> list[OperatorRequest]:
        """Returns the requests without an answer, oldest first."""
        rows = self._db.execute("SELECT id, host, what, detail FROM requests WHERE host = ? AND ok IS NULL ORDER BY id", (host,))
        return [OperatorRequest(id=r[0], host=r[1], what=r[2], detail=json.loads(r[3])) for r in rows]

    def withdraw_request(self, request: int) -> bool:
        """Takes a request back that has no answer yet: it will not be granted. False if it has been answered."""
        statement = "UPDATE requests SET ok = 0, answer = 'withdrawn by the operator' WHERE id = ? AND ok IS NULL"
        return self._db.execute(statement, (request,)).rowcount == 1

    def operator_request(self, request: int) -> OperatorRequest:
        r = self._db.execute("SELECT id, host, what, detail, ok, answer FROM requests WHERE id = ?", (request,)).fetchone()
        return OperatorRequest(
            id=r[0], host=r[1], what=r[2], detail=json.loads(r[3]), ok=None if r[4] is None else bool(r[4]), answer=r[5]
        )

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")


def _dump(record: HostRecord) -> str:
    return _RECORD.dump_json(record).decode()
