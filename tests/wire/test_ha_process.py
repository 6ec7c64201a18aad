"""Real `fence-ha run` processes that something holds up: a reader, the store, a BMC, a VM. They work on, and end when told to."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fencer.ha.effects import LineKind, TimelineLine
from fencer.ha.entries import HostLine, Write
from fencer.ha.lock_holder import lock_holder, process
from fencer.ha.record import HostRecord
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.stopping import STOP_WITHIN_S
from fencer.ha.store import Store, StoreError
from tests.wire.test_ha_run import Bmc, Lab

pytestmark = pytest.mark.long

HUNG_S = 60.0
"""A manager that is told to stop ends within `STOP_WITHIN_S`. A busy machine makes that longer; a hang is for ever."""


@pytest.fixture
def bmc() -> Iterator[Bmc]:
    with closing(Bmc()) as made:
        yield made


@pytest.fixture
def lab(tmp_path: Path, bmc: Bmc) -> Iterator[Lab]:
    with closing(Bmc()) as other, closing(Lab(tmp_path, bmc, other)) as made:
        yield made


@pytest.fixture
def store(lab: Lab) -> Iterator[SqliteStore]:
    with closing(SqliteStore(lab.path / "fence-ha.db")) as made:
        yield made


def wait_until_down(store: Store, host: str = "a") -> None:
    """The test's time-out ends a wait that is in vain."""
    while host not in store.hosts() or store.load(host).state is not HAState.FENCED:
        store.watch(1.0)


def ends(manager: subprocess.Popen[str]) -> int:
    manager.send_signal(signal.SIGTERM)
    return manager.wait(timeout=HUNG_S)


def fill_with_lines(store: SqliteStore) -> None:
    """More lines than a pipe and the manager's own memory hold."""
    detail = {"vm": "x" * 1000, "step": "started", "target": "b"}
    lines = tuple(HostLine(host="a", line=TimelineLine(kind=LineKind.VM, detail=detail)) for _ in range(2000))
    store.register(HostRecord(host="a", state=HAState.AVAILABLE), ["v1", "v2"])
    store.commit([Write(changes=(), lines=lines, at=store.now())])


def test_a_manager_whose_lines_nobody_reads_works_on_and_ends(lab: Lab, store: SqliteStore) -> None:
    fill_with_lines(store)
    manager = lab.start()
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    wait_until_down(store)
    assert ends(manager) == 0
    assert store.unprinted(), "they wait for a reader"


def test_a_manager_whose_reader_is_gone_works_on_and_ends(lab: Lab, store: SqliteStore) -> None:
    manager = lab.start()
    assert manager.stdout is not None
    manager.stdout.close()
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    wait_until_down(store)
    assert ends(manager) == 0


def test_a_manager_ends_while_a_bmc_does_not_answer(lab: Lab) -> None:
    (lab.path / "a.heartbeat").unlink()
    lab.bmc.server.shutdown()  # accepts, never answers
    manager = lab.start()
    lab.lines(manager, "FENCE_STARTED")
    assert ends(manager) == 0


def test_a_manager_ends_while_a_vm_takes_long_to_start(lab: Lab) -> None:
    (lab.path / "vm").write_text("#!/bin/sh\nexec sleep 300\n")
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    manager = lab.start()
    lab.lines(manager, '"starting"')
    assert ends(manager) == 0


def test_a_manager_ends_while_its_store_is_locked(lab: Lab, store: SqliteStore) -> None:
    manager = lab.start()
    while not store.load("a").owner if store.hosts() else True:
        store.watch(1.0)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert "locked" in str(lab.lines(manager, "STORE_LOST")[-1]["text"])
        assert ends(manager) == 0
        other.execute("ROLLBACK")


def test_a_main_thread_that_never_comes_back_does_not_keep_the_process(tmp_path: Path) -> None:
    """As with a disk that stands still: the main thread is in a call that returns for no signal."""
    code = (
        "import signal, threading, fencer.ha.stopping as s\n"
        "with s.stop_signals(0.05):\n"
        "    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
        "    print('up', flush=True)\n"
        "    threading.Thread(target=signal.pthread_sigmask, args=(signal.SIG_UNBLOCK, [signal.SIGTERM])).start()\n"
        "    while True:\n"
        "        try:\n"
        "            threading.Event().wait()\n"
        "        except BaseException: pass\n"
    )
    stuck = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert stuck.stdout is not None
    with stuck, stuck.stdout:
        assert stuck.stdout.readline() == "up\n"
        assert ends(stuck) == 0
    assert STOP_WITHIN_S < 5


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    code = (
        "import threading, fencer.ha.stopping as s\n"
        "with s.stop_signals(3600.0) as seen:\n"
        "    print('up', flush=True)\n"
        "    while not seen: threading.Event().wait(0.01)\n"
        "    print('first', flush=True)\n"
        "    threading.Event().wait()\n"
    )
    stuck = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert stuck.stdout is not None
    with stuck, stuck.stdout:
        assert stuck.stdout.readline() == "up\n"
        stuck.send_signal(signal.SIGINT)
        assert stuck.stdout.readline() == "first\n"
        assert ends(stuck) == 0


HOLDER = """
import os, signal, sys
from fencer.ha.entries import ManagerLease
from fencer.ha.lock_holder import process
from fencer.ha.sqlite_store import SqliteStore
path, lease_s, is_manager, stops = sys.argv[1], float(sys.argv[2]), sys.argv[3] == "manager", sys.argv[4] == "stops"
from pathlib import Path
store = SqliteStore(Path(path))
if is_manager:
    me = process(os.getpid())
    until, boot = store.now() + lease_s, store.snapshot().boot
    lease = ManagerLease(owner="still", until=until, boot=boot, pid=me.pid, process_started=me.started)
    assert store.renew(lease, store.now())
store._db.execute("BEGIN IMMEDIATE")
print("holds", flush=True)
if stops:
    os.kill(os.getpid(), signal.SIGSTOP)
sys.stdin.read()
"""


@pytest.fixture
def holders() -> Iterator[list[subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    yield started
    for one in started:
        one.kill()
        one.communicate()


def hold(holders: list[subprocess.Popen[str]], store: SqliteStore, *words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    one = subprocess.Popen([sys.executable, "-c", HOLDER, str(store.path), *words], stdin=pipe, stdout=pipe, text=True)
    holders.append(one)
    assert one.stdout is not None
    assert one.stdout.readline() == "holds\n"
    if words[-1] == "stops":
        wait_until_stopped(one)
    return one


def wait_until_stopped(child: subprocess.Popen[str]) -> None:
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)


@pytest.mark.parametrize("stands_still", ["stops", "waits"])
def test_a_manager_that_stands_still_inside_a_transaction_stops_nobody(
    store: SqliteStore, holders: list[subprocess.Popen[str]], stands_still: str
) -> None:
    store.patience = 0.2
    still = hold(holders, store, "0.1", "manager", stands_still)
    while True:
        try:
            store.add_request("a", "enable", {}, 1.0)
            break
        except StoreError:
            pass
    assert still.wait(timeout=HUNG_S) == -signal.SIGKILL, "its lease had ended: it must do nothing any more"


def test_who_has_a_lease_or_is_no_manager_is_named_and_not_killed(
    store: SqliteStore, holders: list[subprocess.Popen[str]]
) -> None:
    store.patience = 0.2
    for words in (("3600", "manager", "stops"), ("0", "stranger", "waits"), ("0", "stranger", "stops")):
        holder = hold(holders, store, *words)
        with pytest.raises(StoreError) as caught:
            store.add_request("a", "enable", {}, 1.0)
        assert f"locked by process {holder.pid} (" in str(caught.value)
        assert ("stopped" in str(caught.value)) == (words[-1] == "stops")
        assert holder.poll() is None
        holder.kill()
        holder.wait()
    assert store.add_request("a", "enable", {}, 1.0) == 1


def test_a_command_of_fence_ha_that_is_stopped_inside_a_transaction_is_ended(
    store: SqliteStore, holders: list[subprocess.Popen[str]], tmp_path: Path
) -> None:
    script = tmp_path / "fence-ha"
    script.write_text(HOLDER)
    pipe = subprocess.PIPE
    words = [sys.executable, str(script), str(store.path), "0", "command", "stops"]
    one = subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True, env={**os.environ, "PYTHONPATH": os.getcwd()})
    holders.append(one)
    assert one.stdout is not None
    assert one.stdout.readline() == "holds\n"
    wait_until_stopped(one)
    assert store.add_request("a", "enable", {}, 1.0) == 1
    assert one.wait(timeout=HUNG_S) == -signal.SIGKILL


def test_nobody_holds_a_lock_that_nobody_has_taken(store: SqliteStore, tmp_path: Path) -> None:
    assert lock_holder([store.path, tmp_path / "nothing"]) is None
    assert process(2**22 + 1) is None


def test_a_full_disk_stops_the_decisions_and_not_the_manager(lab: Lab, store: SqliteStore) -> None:
    manager = lab.start()
    while not store.load("a").owner if store.hosts() else True:
        store.watch(1.0)
    unlimited = resource.prlimit(manager.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(manager.pid, resource.RLIMIT_FSIZE, (0, unlimited[1]))
    lost = lab.lines(manager, "STORE_LOST")[-1]
    assert "fence-ha.db" in str(lost["text"])
    lab.bmc.power = "Off"
    (lab.path / "a.heartbeat").unlink()
    resource.prlimit(manager.pid, resource.RLIMIT_FSIZE, unlimited)
    seen = [str(line.get("alert")) for line in lab.lines(manager, "VM_RESTART_DONE") if line["kind"] == "alert"]
    assert seen == ["STORE_BACK", "HEALTH_LOST", "FENCE_STARTED", "FENCED", "VM_RESTART_DONE"]
    assert lab.bmc.posts == []
    assert ends(manager) == 0
