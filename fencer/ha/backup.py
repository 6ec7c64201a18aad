"""Back-up and restore of the state file. `fence-ha backup` and `fence-ha restore` call it. Raises StoreError.

Rules
  1. A back-up is one moment of the store, taken while managers work. The file appears whole or not at all, mode 0600.
  2. A restored file is a new store (`sqlite_file`, rule 3): what happened after the back-up is unknown, so no VM is started
     before the VMs of every host were counted.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from fencer.ha import sqlite_file
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.store import StoreError, Trouble


def back_up(state_file: Path, to: Path) -> None:
    """Writes a copy of the store to `to`, which must not exist."""
    if to.exists():
        raise StoreError(f"{to} exists already", Trouble.IO)
    _copy(state_file, to)


def _connected(path: Path) -> sqlite3.Connection:
    _existing(path)
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)


def restore(copy: Path, state_file: Path) -> None:
    """Puts a back-up in the place of the state file. Refused while a manager has a lease there."""
    _check_readable(copy)
    if state_file.exists():
        with closing(SqliteStore(state_file)) as store:
            snapshot = store.snapshot()
            for lease in snapshot.leases():
                if snapshot.lease_until(lease.owner) > store.now():
                    text = f"manager {lease.owner} uses the state file {state_file}: stop it, or wait until its lease has ended"
                    raise StoreError(text, Trouble.LOCKED)
    _copy(copy, state_file)


def _check_readable(copy: Path) -> None:
    try:
        with closing(_connected(copy)) as db:
            if "meta" not in sqlite_file.tables(db):
                raise StoreError(f"{copy} is not a state file of fence-ha", Trouble.UNREADABLE)
            sqlite_file.check_version(db, copy)
    except sqlite3.Error as error:
        raise sqlite_file.store_error(copy, error) from error


def _existing(path: Path) -> Path:
    if not path.exists():
        raise StoreError(f"{path} is gone, or was never there", Trouble.GONE)
    return path


def _copy(source: Path, to: Path) -> None:
    try:
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=f".{to.name}.") as folder:
            part = Path(folder) / to.name
            os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            with closing(_connected(source)) as old, closing(sqlite3.connect(part)) as new:
                old.backup(new)
                sqlite_file.set_meta(new, "inode", "a back-up")
                new.commit()
                new.execute("PRAGMA journal_mode = DELETE")
            with part.open("rb") as file:
                os.fsync(file.fileno())
            for suffix in ("-wal", "-shm"):
                # They belong to the file that is replaced. Nobody has it open: there is no lease.
                Path(f"{to}{suffix}").unlink(missing_ok=True)
            os.replace(part, to)
    except OSError as error:
        raise StoreError(f"{to} cannot be written: {error.strerror}", Trouble.IO) from error
    except sqlite3.Error as error:
        raise sqlite_file.store_error(source, error) from error
