"""The store in one SQLite file, for managers on one machine.

Rules
  1. One thread per instance. Each call ends within `patience` seconds, plus the time that the disk needs.
  2. Each `commit` is one transaction, and one fsync.
  3. The file is looked at before and after each transaction: if it is gone, or another file has its name, what was written is
     void. A file that is gone is not made anew: somebody may have unmounted the disk.

Theory
  `PRAGMA data_version` tells, without reading a table, whether another connection has written. So a turn in which nothing has
  changed costs a few microseconds, and after a change only the entries with a newer revision are read.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from fencer.ha import ledger, lock_holder, sqlite_file
from fencer.ha.clock import boot_id, since_boot, wall_offset
from fencer.ha.effects import LineKind
from fencer.ha.entries import Entry, HostLine, Key, Kind, Put, Remove, Snapshot, StoredEvent, Value, Write
from fencer.ha.entry_text import as_text, from_text
from fencer.ha.migration import migrate
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_file import check_version, meta, set_meta
from fencer.ha.store import KEEP_EVENTS, Store, StoreError, Trouble

T = TypeVar("T")
EventRow = tuple[float, str, str, str]

PATIENCE_S = 2.0
"""So long a call waits for a lock. Managers hold it for milliseconds."""

PAUSE_S = 0.01


class SqliteStore(Store):
    """Opens the file, or makes it. Raises StoreError if that cannot be done now."""

    def __init__(self, path: Path, *, patience: float = PATIENCE_S) -> None:
        self.path, self.patience = path, patience
        self._db: sqlite3.Connection | None = None
        self._file: sqlite_file.FileIdentity | None = None
        self._boot = boot_id()
        self._offset = wall_offset()
        self._clock_noted = 0.0
        self._snapshot = Snapshot("", self._boot)
        self._revision = 0
        self._data_version: int | None = None
        self._open(create=True)

    # -- the primitives

    def now(self) -> float:
        return since_boot() + self._offset

    def snapshot(self) -> Snapshot:
        return self._guarded(self._refresh)

    def commit(self, writes: Sequence[Write]) -> list[bool]:
        if not writes:
            return []
        return self._guarded(lambda db: self._commit(db, writes))

    def watch(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while True:
            if self._guarded(self._has_changed):
                return True
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(PAUSE_S, left))

    def timeline(self, host: str | None = None, after: int = 0) -> list[StoredEvent]:
        where, values = ("", (after,)) if host is None else (" AND host = ?", (after, host))
        return self._guarded(lambda db: _events(db, f"seq > ?{where} ORDER BY seq", values))

    def alerts(self, host: str, most: int) -> list[StoredEvent]:
        where = "host = ? AND kind = ? ORDER BY seq DESC LIMIT ?"
        return self._guarded(lambda db: _events(db, where, (host, LineKind.ALERT, most)))[::-1]

    def unprinted(self, after: int = 0, most: int = 500) -> list[StoredEvent]:
        return self._guarded(lambda db: _events(db, "printed = 0 AND seq > ? ORDER BY seq LIMIT ?", (after, most)))

    def mark_printed(self, seqs: Sequence[int]) -> None:
        if seqs:
            self._guarded(lambda db: self._in_transaction(db, lambda: _mark_printed(db, seqs)))

    def close(self) -> None:
        if self._db is None:
            return
        if sqlite_file.identity(self.path) == self._file:
            self._db.close()
        else:
            sqlite_file.abandon(self._db)
        self._db = None

    def restored_at(self) -> float | None:
        at = self._guarded(lambda db: meta(db, "restored_at"))
        return None if at is None else float(at)

    @property
    def store_id(self) -> str:
        return self._snapshot.store_id

    # -- reading

    def _has_changed(self, db: sqlite3.Connection) -> bool:
        return bool(db.execute("PRAGMA data_version").fetchone()[0] != self._data_version)

    def _refresh(self, db: sqlite3.Connection) -> Snapshot:
        version = db.execute("PRAGMA data_version").fetchone()[0]
        if version != self._data_version:
            check_version(db, self.path)
            self._read_newer(db)
            self._data_version = version
        return self._snapshot

    def _read_newer(self, db: sqlite3.Connection) -> None:
        rows = db.execute(
            "SELECT kind, name, version, revision, body FROM entries WHERE revision > ? ORDER BY revision", (self._revision,)
        )
        for kind, name, version, revision, body in rows:
            try:
                key = Kind(kind), name
                entry = None if body is None else Entry(version, from_text(key[0], body))
            except ValueError as error:
                text = f"{self.path}: the entry {kind}/{name} cannot be read: {str(error).splitlines()[0]}"
                raise StoreError(text, Trouble.UNREADABLE) from error
            self._snapshot.set(key, entry)
            self._revision = revision

    # -- writing

    def _commit(self, db: sqlite3.Connection, writes: Sequence[Write]) -> list[bool]:
        staged: dict[Key, Entry | None] = {}
        results: list[bool] = []
        lines: list[EventRow] = []

        def work() -> None:
            check_version(db, self.path)
            self._read_newer(db)
            for write in writes:
                results.append(self._stage(write, staged))
                if results[-1]:
                    lines.extend(_event_row(write.at, line) for line in write.lines)
            self._write(db, staged, lines)

        self._in_transaction(db, work)
        for key, entry in staged.items():
            self._snapshot.set(key, entry)
        if staged:
            self._revision += 1
        return results

    def _stage(self, write: Write, staged: dict[Key, Entry | None]) -> bool:
        def version(key: Key) -> int:
            if key not in staged:
                return self._snapshot.version(key)
            entry = staged[key]
            return entry.version if entry else 0

        if any(version(change.key) != change.version for change in write.changes):
            return False
        for change in write.changes:
            match change:
                case Put():
                    staged[change.key] = Entry(change.version + 1, _with_version(change.value, change.version + 1))
                case Remove():
                    staged[change.key] = None
        return True

    def _write(self, db: sqlite3.Connection, staged: dict[Key, Entry | None], lines: Sequence[EventRow]) -> None:
        rows = [
            (key[0], key[1], entry.version if entry else 0, self._revision + 1, as_text(entry.value) if entry else None)
            for key, entry in staged.items()
        ]
        db.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", rows)
        if lines:
            db.executemany("INSERT INTO events (t, host, kind, detail) VALUES (?, ?, ?, ?)", lines)
            db.execute("DELETE FROM events WHERE seq <= (SELECT MAX(seq) FROM events) - ?", (KEEP_EVENTS,))
        now = self.now()
        if now - self._clock_noted >= 1.0:
            set_meta(db, "last_now", repr(now))
            self._clock_noted = now

    def _in_transaction(self, db: sqlite3.Connection, work: Callable[[], None]) -> None:
        self._begin(db)
        try:
            work()
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        self._check_file()

    def _begin(self, db: sqlite3.Connection) -> None:
        started, holder = time.monotonic(), None
        while True:
            try:
                db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                waited = time.monotonic() - started
                if sqlite_file.store_error(self.path, error).trouble is not Trouble.LOCKED:
                    raise
                if waited >= self.patience / 2 and holder is None:
                    holder = lock_holder.lock_holder([self.path, self.path.with_name(f"{self.path.name}-shm")])
                    if holder is not None and self._ended_dead_weight(db, holder):
                        holder = None
                        continue
                if waited >= self.patience:
                    text = f"the state file {self.path} is locked by {holder or 'a process that cannot be seen'}"
                    raise StoreError(text, Trouble.LOCKED) from error
            time.sleep(PAUSE_S)

    def _ended_dead_weight(self, db: sqlite3.Connection, holder: lock_holder.Process) -> bool:
        """Kills a holder that must not hold anything any more. What is written can be read in spite of its lock."""
        with suppress(sqlite3.Error):  # there are no tables yet
            self._read_newer(db)
        leases = [lease for lease in self._snapshot.leases() if lease.pid == holder.pid and lease.boot == self._boot]
        ends = [lease.until for lease in leases if lease.process_started == holder.started]
        dead = lock_holder.is_dead_weight(holder, max(ends, default=None), self.now(), 5 * self.patience)
        return dead and lock_holder.kill(holder)

    # -- the file

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        if self._db is None:
            self._open(create=False)
        assert self._db is not None
        try:
            self._check_file()
            return work(self._db)
        except sqlite3.Error as error:
            trouble = sqlite_file.store_error(self.path, error)
            self._data_version = None
            if trouble.trouble not in (Trouble.LOCKED, Trouble.FULL):
                self._reopen_later()
            raise trouble from error
        except StoreError as error:
            self._data_version = None
            if error.trouble not in (Trouble.LOCKED, Trouble.FULL):
                self._reopen_later()
            raise

    def _check_file(self) -> None:
        now = sqlite_file.identity(self.path)
        if now is None:
            raise StoreError(f"the state file {self.path} is gone", Trouble.GONE)
        if now != self._file:
            raise StoreError(f"another file has taken the place of the state file {self.path}", Trouble.REPLACED)

    def _forget(self) -> None:
        self._snapshot = Snapshot("", self._boot)
        self._revision = 0
        self._data_version = None

    def _reopen_later(self) -> None:
        self.close()
        self._forget()

    def _open(self, *, create: bool) -> None:
        db = sqlite_file.connect(self.path, create=create)
        self._db, self._file = db, sqlite_file.identity(self.path)
        self._forget()
        try:
            self._patiently(lambda: db.execute("PRAGMA journal_mode=WAL"))
            db.execute("PRAGMA synchronous=FULL")
            self._prepare(db)
            self._offset = float(meta(db, f"offset/{self._boot}") or wall_offset())
            self._snapshot = Snapshot(meta(db, "store_id") or "", self._boot)
        except sqlite3.Error as error:
            self._reopen_later()
            raise sqlite_file.store_error(self.path, error) from error
        except StoreError:
            self._reopen_later()
            raise

    def _patiently(self, work: Callable[[], T]) -> T:
        end = time.monotonic() + self.patience
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                if sqlite_file.store_error(self.path, error).trouble is not Trouble.LOCKED or time.monotonic() >= end:
                    raise
            time.sleep(PAUSE_S)

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Makes or migrates the tables, and writes what this boot needs; a file that is ready is only read."""
        if self._is_ready(db):
            return
        self._in_transaction(db, lambda: self._make_ready(db))

    def _is_ready(self, db: sqlite3.Connection) -> bool:
        if "entries" not in sqlite_file.tables(db):
            return False
        check_version(db, self.path)
        return meta(db, f"offset/{self._boot}") is not None and not sqlite_file.is_copy(db, self.path)

    def _make_ready(self, db: sqlite3.Connection) -> None:
        there = sqlite_file.tables(db)
        if "entries" not in there:
            if there and not {"meta", "hosts", "ledger"} <= there:
                text = f"{self.path} is not a state file of fence-ha: it has other tables"
                raise StoreError(text, Trouble.UNREADABLE)
            old = meta(db, f"offset/{self._boot}") if there else None
            sqlite_file.create_tables(db)
            if there:
                migrate(db, self.path, self._boot, since_boot() + float(old) if old else None)
        check_version(db, self.path)
        if meta(db, f"offset/{self._boot}") is None:
            # The clock never goes back, even if the wall clock was set back over the boot.
            offset = max(wall_offset(), float(meta(db, "last_now") or 0.0) - since_boot())
            set_meta(db, f"offset/{self._boot}", repr(offset))
        self._offset = float(meta(db, f"offset/{self._boot}") or 0.0)
        if sqlite_file.is_copy(db, self.path):
            self._become_a_new_store(db)
        inode = sqlite_file.identity(self.path)
        set_meta(db, "inode", str(inode[1]) if inode else "")

    def _become_a_new_store(self, db: sqlite3.Connection) -> None:
        set_meta(db, "store_id", sqlite_file.new_store_id())
        set_meta(db, "restored_at", repr(self.now()))
        self._read_newer(db)
        staged: dict[Key, Entry | None] = {}
        self._stage(ledger.begin_reconciliation(self._snapshot, self.now()), staged)
        self._write(db, staged, [])
        self._forget()


def _with_version(value: Value, version: int) -> Value:
    return replace(value, version=version) if isinstance(value, HostRecord) else value


def _event_row(at: float, line: HostLine) -> EventRow:
    return at, line.host, line.line.kind, json.dumps(dict(line.line.detail))


def _events(db: sqlite3.Connection, where: str, values: Sequence[str | int]) -> list[StoredEvent]:
    rows = db.execute(f"SELECT seq, t, host, kind, detail FROM events WHERE {where}", values)
    return [StoredEvent(seq=r[0], t=r[1], host=r[2], kind=LineKind(r[3]), detail=json.loads(r[4])) for r in rows]


def _mark_printed(db: sqlite3.Connection, seqs: Sequence[int]) -> None:
    db.executemany("UPDATE events SET printed = 1 WHERE seq = ?", [(seq,) for seq in seqs])
