"""The state file in trouble: locked, full, read-only, gone, replaced, copied, of another boot, of another version."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from fencer.ha import clock, sqlite_store
from fencer.ha.backup import back_up, restore
from fencer.ha.entries import ManagerLease, Put, Write
from fencer.ha.record import BmcRequest, HostRecord, RequestKind
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.store import StoreError, Trouble
from fencer.ha.vm_record import VmPhase, VmRecord

A = HostRecord(host="a", state=HAState.AVAILABLE)


@pytest.fixture
def file(memory_path: Path) -> Path:
    return memory_path / "ha.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(file, patience=0.02)) as made:
        yield made


def database(store: SqliteStore) -> sqlite3.Connection:
    assert store._db is not None
    return store._db


def fails(store: SqliteStore, trouble: Trouble, *words: str) -> None:
    """A write is refused for that reason; the sentence has the file and `words`."""
    with pytest.raises(StoreError) as caught:
        store.add_request("a", "enable", {}, 1.0)
    assert caught.value.trouble is trouble, caught.value
    for word in (store.path.name, *words):
        assert word in str(caught.value)


def test_a_store_that_another_holds_is_locked_and_works_afterwards(store: SqliteStore, file: Path) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        fails(store, Trouble.LOCKED)
        assert store.snapshot().hosts == [], "what is written can be read all the time"
        other.execute("ROLLBACK")
    assert store.add_request("a", "enable", {}, 1.0) == 1


def test_a_full_disk_is_an_error_and_leaves_what_was_there(store: SqliteStore) -> None:
    store.register(A, ["v"])
    database(store).execute(f"PRAGMA max_page_count = {database(store).execute('PRAGMA page_count').fetchone()[0]}")
    big = {"why": "x" * 100_000}
    with pytest.raises(StoreError) as caught:
        store.add_request("a", "confirm", big, 1.0)
    assert (caught.value.trouble, "full" in str(caught.value)) == (Trouble.FULL, True)
    assert (store.load("a").state, store.open_requests("a")) == (HAState.AVAILABLE, [])
    database(store).execute("PRAGMA max_page_count = 100000")
    assert store.add_request("a", "confirm", big, 1.0) == 1
    assert len(store.open_requests("a")) == 1


def test_a_read_only_store_is_an_error_and_is_opened_anew(store: SqliteStore) -> None:
    database(store).execute("PRAGMA query_only = 1")
    fails(store, Trouble.READ_ONLY, "read-only")
    assert store.add_request("a", "enable", {}, 1.0) == 1


def test_a_file_that_is_gone_is_not_made_anew_and_is_found_when_it_is_back(store: SqliteStore, file: Path) -> None:
    store.register(A, [])
    aside = file.with_name("aside")
    for suffix in ("", "-wal", "-shm"):
        os.rename(f"{file}{suffix}", f"{aside}{suffix}")
    fails(store, Trouble.GONE, "gone")
    fails(store, Trouble.GONE, "gone")
    assert not file.exists()
    for suffix in ("", "-wal", "-shm"):
        os.rename(f"{aside}{suffix}", f"{file}{suffix}")
    before = store.store_id
    assert store.load("a").host == "a"
    assert store.store_id != before == "", "it is the same store"


def test_another_file_in_its_place_is_another_store_and_keeps_its_log(store: SqliteStore, file: Path) -> None:
    store.register(A, [])
    old = store.store_id
    for suffix in ("", "-wal", "-shm"):
        os.unlink(f"{file}{suffix}")
    with closing(SqliteStore(file)) as other:
        other.register(HostRecord(host="b", state=HAState.AVAILABLE), [])
        fails(store, Trouble.REPLACED, "another file")
        assert Path(f"{file}-wal").exists(), "the log belongs to the new file, by name"
        assert store.hosts() == ["b"]
        assert store.store_id == other.store_id != old


def test_a_file_that_is_no_database_or_another_one_is_refused(tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.db"
    text.write_text("no database\n" * 100)
    with closing(sqlite3.connect(other)) as db:
        db.execute("CREATE TABLE songs (name TEXT)")
    for path in (text, other):
        with pytest.raises(StoreError, match="not a state file") as caught:
            SqliteStore(path)
        assert caught.value.trouble is Trouble.UNREADABLE
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        SqliteStore(tmp_path / "no" / "folder")
    assert caught.value.trouble is Trouble.GONE


def test_an_entry_that_nobody_can_read_is_named(store: SqliteStore, file: Path) -> None:
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("INSERT INTO entries VALUES ('host', 'z', 1, 1, '{}')")
    with pytest.raises(StoreError, match="host/z cannot be read") as caught:
        store.snapshot()
    assert caught.value.trouble is Trouble.UNREADABLE


def test_a_file_of_a_later_version_is_not_touched_even_under_its_feet(store: SqliteStore, file: Path) -> None:
    store.register(A, [])
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE meta SET value = '3' WHERE key = 'schema_version'")
    fails(store, Trouble.VERSION, "version 3", "version 2")
    with pytest.raises(StoreError, match="version 3"):
        SqliteStore(file)
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("UPDATE meta SET value = '2' WHERE key = 'schema_version'")
    assert store.load("a").host == "a"


def test_only_the_owner_can_read_the_file(store: SqliteStore, file: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.glob("ha.db*")} == {0o600}


def test_a_boot_ends_every_lease_and_the_clock_does_not_go_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SqliteStore(file)) as store:
        store.register(A, [])
        lease = ManagerLease(owner="one", until=store.now() + 1e6, boot=store.snapshot().boot)
        assert store.renew(lease, store.now())
        assert store.claim(["a"], "one", store.now()) == ["a"]
        last = store.now()
        assert store.claim(["a"], "two", last) == [], "the lease is valid"
    monkeypatch.setattr(sqlite_store, "boot_id", lambda: "another")
    monkeypatch.setattr(sqlite_store, "since_boot", lambda: 3.0)
    monkeypatch.setattr(sqlite_store, "wall_offset", lambda: 0.0)  # a battery that is empty: 1970
    with closing(SqliteStore(file)) as store:
        assert last - 1.0 <= store.now() <= last + 1.0
        assert store.renew(ManagerLease(owner="two", until=store.now() + 30, boot="another"), store.now())
        assert store.claim(["a"], "two", store.now()) == ["a"]
        assert store.load("a").epoch == 2
    assert clock.boot_id() != "another"


def in_use(file: Path) -> None:
    """A store with one host that a manager owns and calls, and a VM."""
    with closing(SqliteStore(file)) as store:
        store.register(A, ["v"])
        now = store.now()
        assert store.renew(ManagerLease(owner="one", until=now + 1e6, boot=store.snapshot().boot), now)
        assert store.claim(["a"], "one", now) == ["a"]
        old = store.load("a")
        busy = replace(old, inflight=BmcRequest(id="1.1", ask=RequestKind.OFF, at=now))
        assert store.save(old, busy, (), now)


@pytest.mark.parametrize("how", ["cp", "back_up"])
def test_a_copy_is_a_new_store_in_which_nobody_owns_anything_and_vms_must_be_counted(file: Path, how: str) -> None:
    in_use(file)
    copy = file.with_name("copy.db")
    if how == "cp":
        shutil.copy(file, copy)
    else:
        back_up(file, copy)
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with closing(SqliteStore(file)) as store, closing(SqliteStore(copy)) as copied:
        assert copied.store_id != store.store_id
        assert (store.restored_at(), store.snapshot().reconciliation) == (None, None)
        assert copied.restored_at() is not None
        assert (copied.load("a").owner, copied.load("a").inflight, copied.snapshot().leases()) == (None, None, [])
        assert copied.snapshot().reconciliation.hosts == ("a",)  # type: ignore[union-attr]
        new = copied.store_id
    with closing(SqliteStore(copy)) as again:
        assert again.store_id == new, "only once"


def test_a_store_that_is_moved_is_the_same_store(file: Path) -> None:
    with closing(SqliteStore(file)) as store:
        known = store.store_id
    moved = file.with_name("moved.db")
    os.rename(file, moved)
    with closing(SqliteStore(moved)) as store:
        assert (store.store_id, store.restored_at()) == (known, None)


def test_restore_brings_back_what_was_and_refuses_while_a_manager_works(file: Path) -> None:
    in_use(file)
    copy = file.with_name("copy.db")
    back_up(file, copy)
    with pytest.raises(StoreError, match="manager one uses"):
        restore(copy, file)
    with closing(SqliteStore(file)) as store:
        assert store.let_go("one", ["a"], all_calls_ended=True)
        store.commit([Write(changes=(Put(VmRecord(vm="later", host="a"), 0),))])
    restore(copy, file)
    with closing(SqliteStore(file)) as store:
        assert store.placements() == {"v": "a"}
        assert store.snapshot().reconciliation is not None
    with pytest.raises(StoreError, match="is not a state file"):
        restore(Path(__file__), file)
    os.unlink(file)
    restore(copy, file)
    with closing(SqliteStore(file)) as store:
        assert store.hosts() == ["a"]


def test_a_back_up_never_overwrites_and_is_whole_or_not_there(file: Path, tmp_path: Path) -> None:
    in_use(file)
    with pytest.raises(StoreError, match="exists"):
        back_up(file, file)
    with pytest.raises(StoreError, match="cannot be written"):
        back_up(file, tmp_path / "no" / "folder")
    with pytest.raises(StoreError, match="is gone"):
        back_up(tmp_path / "nothing.db", tmp_path / "copy.db")
    assert list(tmp_path.iterdir()) == []


OLD_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE hosts (
  host TEXT PRIMARY KEY, state TEXT NOT NULL, version INTEGER NOT NULL, owner TEXT, epoch INTEGER NOT NULL,
  lease_until REAL NOT NULL, body TEXT NOT NULL);
CREATE TABLE vms (vm TEXT PRIMARY KEY, host TEXT);
CREATE TABLE ledger (
  fence_id TEXT NOT NULL, vm TEXT NOT NULL, host TEXT NOT NULL, status TEXT NOT NULL, epoch INTEGER NOT NULL DEFAULT 0,
  target TEXT, tries INTEGER NOT NULL DEFAULT 0, retry_at REAL NOT NULL DEFAULT 0, PRIMARY KEY (fence_id, vm));
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, t REAL NOT NULL, host TEXT NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL,
  printed INTEGER NOT NULL DEFAULT 0);
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT, t REAL NOT NULL, host TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,
  ok INTEGER, answer TEXT);
CREATE INDEX events_host ON events (host, seq);
CREATE INDEX ledger_host ON ledger (host, status);
"""


def old_file(file: Path, lease_until: float) -> None:
    body = json.dumps({"host": "a", "state": "Fenced", "released": "a-f2", "fences": 2})
    with closing(sqlite3.connect(file)) as db, db:
        db.executescript(OLD_SCHEMA)
        db.execute("INSERT INTO meta VALUES (?, ?)", (f"offset/{clock.boot_id()}", repr(clock.wall_offset())))
        db.execute("INSERT INTO hosts VALUES ('a', 'Fenced', 7, 'old', 3, ?, ?)", (lease_until, body))
        db.execute(
            "INSERT INTO hosts VALUES ('b', 'Available', 0, NULL, 0, 0, ?)", (json.dumps({"host": "b", "state": "Available"}),)
        )
        db.execute("INSERT INTO vms VALUES ('v', 'b'), ('w', NULL)")
        db.execute("INSERT INTO ledger VALUES ('a-f2', 'v', 'a', 'claimed', 3, 'b', 1, 5.0)")
        db.execute("INSERT INTO ledger VALUES ('a-f2', 'w', 'a', 'pending', 0, NULL, 0, 0)")
        db.execute("INSERT INTO events (t, host, kind, detail) VALUES (1.0, 'a', 'vm', '{\"vm\": \"v\"}')")
        db.execute("INSERT INTO requests (t, host, what, detail) VALUES (1.0, 'a', 'enable', '{}')")


def test_a_file_of_the_first_version_is_brought_up_to_date(file: Path) -> None:
    old_file(file, 0.0)
    with closing(SqliteStore(file)) as store:
        record = store.load("a")
        assert (record.state, record.version, record.epoch, record.released, record.lease_until) == (
            HAState.FENCED,
            7,
            3,
            "a-f2",
            0.0,
        )
        assert store.load("b").version == 1
        assert store.placements() == {"v": "b", "w": None}
        v, w = store.snapshot().vms()
        assert (v.phase, v.host, v.tries, v.maybe_started, v.fence_id) == (VmPhase.STARTING, "b", 1, True, "a-f2")
        assert v.key == "a-f2/v", "the key of a start that may be under way does not change"
        assert (w.phase, w.host, w.origin) == (VmPhase.WAITING, None, "a-f2")
        assert [event.detail for event in store.timeline()] == [{"vm": "v"}]
        assert [request.what for request in store.open_requests("a")] == ["enable"]
        assert store.add_request("a", "disable", {}, 1.0) == 2
        assert store.claim(["b"], "new", store.now()) == [], "no lease, no claim"


def test_a_file_that_an_older_manager_uses_is_left_alone(file: Path) -> None:
    old_file(file, 1e12)
    with pytest.raises(StoreError, match="older version uses") as caught:
        SqliteStore(file)
    assert caught.value.trouble is Trouble.VERSION
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT COUNT(*) FROM ledger").fetchone() == (2,)
