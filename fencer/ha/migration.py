"""Brings a state file of version 1 (tables hosts, vms, ledger, requests) to version 2 (one table of entries).

`SqliteStore` calls it inside the transaction that creates the new tables. The timeline stays where it is.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fencer.ha import vm_machine
from fencer.ha.entries import Kind, ManagerLease, OperatorRequest, Value, key_of
from fencer.ha.entry_text import as_text, from_text
from fencer.ha.record import HostRecord
from fencer.ha.store import StoreError, Trouble
from fencer.ha.vm_record import VmPhase, VmRecord


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
    for vm, host in db.execute("SELECT vm, host FROM vms").fetchall():
        yield 1, _vm(db, vm, host)
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


def _vm(db: sqlite3.Connection, vm: str, host: str | None) -> VmRecord:
    """A start that was under way may have started the VM, so the VM keeps its target and its key."""
    row = db.execute(
        "SELECT fence_id, host, tries, retry_at FROM ledger WHERE vm = ? AND status IN ('pending', 'claimed')", (vm,)
    ).fetchone()
    if row is None:
        return vm_machine.registered(vm, host, 0.0)
    fence_id, from_host, tries, retry_at = row
    waiting = VmRecord(
        vm=vm, phase=VmPhase.WAITING, origin=fence_id, fence_id=fence_id, origin_host=from_host, tries=tries, retry_at=retry_at
    )
    if host is None:
        return waiting
    return replace(waiting, phase=VmPhase.STARTING, host=host, key=f"{fence_id}/{vm}", maybe_started=True)
