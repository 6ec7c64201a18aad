"""The state file: how it is opened, what its tables are, which version it has, whether it is a copy, what went wrong with it.

`SqliteStore` calls it, in its own thread. Every function raises StoreError.

Rules
  1. Only the owner can read the file. It holds no credentials.
  2. A file of a version that this program does not know is not touched.
  3. The file knows its own inode. If it has another one, it is a copy (somebody restored a back-up): it becomes a new store
     with an id of its own, and VMs must be counted (`ledger`, rule 5).
"""

from __future__ import annotations

import ctypes
import os
import secrets
import sqlite3
from pathlib import Path

from fencer.ha.store import StoreError, Trouble

SCHEMA_VERSION = 2

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE entries (
  kind TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, revision INTEGER NOT NULL, body TEXT,
  PRIMARY KEY (kind, name)) WITHOUT ROWID;
CREATE INDEX entries_revision ON entries (revision);
CREATE TABLE IF NOT EXISTS events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, t REAL NOT NULL, host TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
  printed INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS events_host ON events (host, seq);
CREATE INDEX IF NOT EXISTS events_unprinted ON events (seq) WHERE printed = 0;
"""
"""`entries.body` is the value as JSON; NULL: the entry was removed. `revision` increases with each commit, over all entries."""

FileIdentity = tuple[int, int]
"""Device and inode."""


def identity(path: Path) -> FileIdentity | None:
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    try:
        if create and not path.exists():
            # An existing file is never opened and closed here: that would end this process's other locks on it.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass  # another manager was faster
    except OSError as error:
        raise StoreError(f"the state file {path} cannot be opened: {error.strerror}", _trouble_of(error)) from error
    if not path.exists():
        raise StoreError(f"the state file {path} is gone", Trouble.GONE)
    try:
        os.chmod(path, 0o600)
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=0.0, isolation_level=None)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"the state file {path} cannot be opened: {error}", Trouble.IO) from error
    return db


def _trouble_of(error: OSError) -> Trouble:
    return Trouble.GONE if isinstance(error, FileNotFoundError | NotADirectoryError) else Trouble.IO


def abandon(db: sqlite3.Connection) -> None:
    """Never closes a connection whose file was removed or replaced.

    SQLite deletes the write-ahead log *by name* when the last connection of a file is closed; by now that name may belong to
    the log of the file that took its place. Costs three descriptors, each time that a file is replaced.
    """
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(db))


_TROUBLES = {
    sqlite3.SQLITE_BUSY: Trouble.LOCKED,
    sqlite3.SQLITE_LOCKED: Trouble.LOCKED,
    sqlite3.SQLITE_FULL: Trouble.FULL,
    sqlite3.SQLITE_READONLY: Trouble.READ_ONLY,
    sqlite3.SQLITE_NOTADB: Trouble.UNREADABLE,
    sqlite3.SQLITE_CORRUPT: Trouble.UNREADABLE,
    sqlite3.SQLITE_ERROR: Trouble.UNREADABLE,
}

_SENTENCES = {
    Trouble.LOCKED: "the state file {path} is locked",
    Trouble.FULL: "the disk is full: the state file {path} cannot grow",
    Trouble.READ_ONLY: "the state file {path} is read-only",
    Trouble.UNREADABLE: "{path} is not a state file of fence-ha, or it is damaged: {error}",
    Trouble.IO: "the state file {path} cannot be read or written: {error}",
}


def store_error(path: Path, error: sqlite3.Error) -> StoreError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_IOERR) & 0xFF
    trouble = _TROUBLES.get(code, Trouble.IO)
    return StoreError(_SENTENCES[trouble].format(path=path, error=error), trouble)


def tables(db: sqlite3.Connection) -> set[str]:
    return {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")}


def meta(db: sqlite3.Connection, key: str) -> str | None:
    row = db.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else str(row[0])


def set_meta(db: sqlite3.Connection, key: str, value: str) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def check_version(db: sqlite3.Connection, path: Path) -> None:
    version = meta(db, "schema_version")
    if version != str(SCHEMA_VERSION):
        raise StoreError(
            f"the state file {path} has version {version}, and this fence-ha knows version {SCHEMA_VERSION}", Trouble.VERSION
        )


def create_tables(db: sqlite3.Connection) -> None:
    """In the caller's transaction."""
    for statement in SCHEMA.split(";"):
        db.execute(statement)
    set_meta(db, "schema_version", str(SCHEMA_VERSION))
    set_meta(db, "store_id", new_store_id())


def new_store_id() -> str:
    return secrets.token_hex(4)


def is_copy(db: sqlite3.Connection, path: Path) -> bool:
    """Rule 3. A file without an inode in it is new."""
    known, now = meta(db, "inode"), identity(path)
    return known is not None and now is not None and known != str(now[1])
