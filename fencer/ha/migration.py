"""Brings a state file of version 1 (tables hosts, vms, ledger, requests) to version 2 (one table of entries).

`SqliteStore` calls it inside the transaction that creates the new tables. The timeline stays where it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fencer.ha.entries import Kind, LedgerRow, ManagerLease, OperatorRequest, Placement, StartStatus, Value, key_of
from fencer.ha.entry_text import as_text, from_text
from fencer.ha.record import HostRecord
from fencer.ha.store import StoreError, Trouble


def migrate(db: sqlite3.Connection, path: Path, boot: str, now: float | None) -> None:
    """`now`: the time of the old file's clock; None if nobody has used it since the last boot.

    Raises StoreError if a manager of the old version still has a lease: it could not go on with the new tables.
    """
    newest = db.execute("SELECT MAX(lease_until) FROM hosts").fetchone()[0]
    if now is not None and newest is not None and newest > now:
        text = f"a fence-ha of an older version uses the state file {path}: stop it first, or wait until its lease has ended"
        raise StoreError(text, Trouble.VERSION)
    for version, value in _values(db, boot):
        kind, name = key_of(value)
        db.execute("INSERT INTO entries VALUES (?, ?, ?, 1, ?)", (kind, name, version, as_text(value)))
    for table in ("hosts", "vms", "ledger", "requests"):
        db.execute(f"DROP TABLE {table}")


def _values(db: sqlite3.Connection, boot: str) -> Iterator[tuple[int, Value]]:
    owners: dict[str, float] = {}
    for body, version, owner, epoch, until in db.execute("SELECT body, version, owner, epoch, lease_until FROM hosts"):
        record = from_text(Kind.HOST, body)
        assert isinstance(record, HostRecord)
        yield max(version, 1), replace(record, version=max(version, 1), owner=owner, epoch=epoch)
        if owner is not None:
            owners[owner] = max(until, owners.get(owner, 0.0))
    for owner, until in owners.items():
        yield 1, ManagerLease(owner=owner, until=until, boot=boot)
    for vm, host in db.execute("SELECT vm, host FROM vms"):
        yield 1, Placement(vm=vm, host=host)
    ledger = db.execute("SELECT fence_id, vm, host, status, epoch, target, tries, retry_at FROM ledger")
    for fence_id, vm, host, status, epoch, target, tries, retry_at in ledger:
        yield 1, LedgerRow(
            fence_id=fence_id, vm=vm, host=host, status=StartStatus(status), epoch=epoch, target=target, tries=tries,
            retry_at=retry_at,
        )  # fmt: skip
    for number, at, host, what, detail, ok, answer in db.execute("SELECT id, t, host, what, detail, ok, answer FROM requests"):
        yield (
            1,
            OperatorRequest(
                id=number,
                host=host,
                what=what,
                detail=json.loads(detail),
                ok=None if ok is None else bool(ok),
                answer=answer,
                at=at,
            ),
        )
