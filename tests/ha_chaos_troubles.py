"""What happens to managers and their store: each trouble begins at its first step and ends at its second."""

from __future__ import annotations

import os
import random
import resource
import signal
import sqlite3
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

WANTED = 3
PATIENCE_S = 60.0
ENDS = (0, -signal.SIGKILL, -signal.SIGTERM)
"""SIGTERM ends a manager with 0, and one that has not begun yet as it ends every program."""


class Managers:
    """The processes of managers over one store, and the trail of what was done to them."""

    def __init__(self, words: Sequence[str], store: Path, dice: random.Random) -> None:
        self.words, self.store, self.dice = list(words), store, dice
        self.running: list[subprocess.Popen[bytes]] = []
        self.trail: list[str] = []
        self._counts: Counter[str] = Counter()
        self._stopped: set[int] = set()  # for ever
        self._logs = 0

    @property
    def counts(self) -> str:
        return ", ".join(f"{count} x {name}" for name, count in self._counts.most_common())

    def note(self, what: str) -> None:
        self.trail.append(what)

    def count(self, trouble: str, what: str = "") -> None:
        self._counts[trouble] += 1
        self.note(f"{trouble} {what}".strip())

    def start(self) -> None:
        """Not while the store is not there: a new manager would make a new one, as for a new cluster."""
        if not self.store.exists():
            return
        self._logs += 1
        with (self.store.parent / f"manager-{self._logs}.log").open("ab") as log:
            self.running.append(subprocess.Popen(self.words, stdout=log, stderr=log))

    def any(self) -> subprocess.Popen[bytes]:
        return self.dice.choice(self.running)

    def signal(self, manager: subprocess.Popen[bytes], number: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(manager.pid, number)

    def stop_for_ever(self, manager: subprocess.Popen[bytes]) -> None:
        self._stopped.add(manager.pid)
        self.signal(manager, signal.SIGSTOP)

    def goes_on(self, manager: subprocess.Popen[bytes]) -> None:
        if manager.pid not in self._stopped:
            self.signal(manager, signal.SIGCONT)

    def have_opened_the_store(self) -> bool:
        return all(self._has_open(manager) for manager in self.running if manager.poll() is None)

    def _has_open(self, manager: subprocess.Popen[bytes]) -> bool:
        with suppress(OSError):
            return any(os.readlink(entry) == str(self.store) for entry in Path(f"/proc/{manager.pid}/fd").iterdir())
        return True  # it has ended

    def fill_up(self) -> list[int]:
        """Starts managers until three of them work. Returns how others than those that were killed have ended badly."""
        ended = [manager for manager in self.running if manager.poll() is not None]
        self.running = [manager for manager in self.running if manager not in ended]
        while sum(manager.pid not in self._stopped for manager in self.running) < WANTED:
            self.start()
        return [manager.returncode for manager in ended if manager.returncode not in ENDS]

    def end_stopped(self) -> None:
        """The round is over, and nobody has needed those that were stopped for ever."""
        for manager in [manager for manager in self.running if manager.pid in self._stopped]:
            manager.kill()
            manager.wait()
            self.running.remove(manager)
        self._stopped.clear()

    def close(self) -> None:
        for manager in self.running:
            manager.kill()
            manager.wait()


Trouble = Callable[[Managers], "Iterator[None]"]


def kill(managers: Managers) -> Iterator[None]:
    manager = managers.any()
    managers.count("kill", str(manager.pid))
    manager.kill()
    manager.wait()
    yield


def stop_for_a_while(managers: Managers) -> Iterator[None]:
    manager = managers.any()
    managers.count("stop", str(manager.pid))
    managers.signal(manager, signal.SIGSTOP)
    yield
    managers.goes_on(manager)


def stop_for_ever(managers: Managers) -> Iterator[None]:
    """It stays stopped until the round is over: the others must not need it."""
    manager = managers.any()
    managers.count("stop for ever", str(manager.pid))
    managers.stop_for_ever(manager)
    managers.start()
    yield


def terminate(managers: Managers) -> Iterator[None]:
    manager = managers.any()
    managers.count("terminate", str(manager.pid))
    managers.signal(manager, signal.SIGCONT)
    manager.terminate()
    yield
    managers.signal(manager, signal.SIGCONT)  # another trouble may have stopped it since
    manager.wait(timeout=PATIENCE_S)


def full_disk(managers: Managers) -> Iterator[None]:
    managers.count("full disk")
    limited = []
    for manager in managers.running:
        with suppress(ProcessLookupError):
            soft, hard = resource.prlimit(manager.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(manager.pid, resource.RLIMIT_FSIZE, (0, hard))
            limited.append((manager.pid, soft if soft else hard, hard))
    yield
    for pid, soft, hard in limited:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


def locked(managers: Managers) -> Iterator[None]:
    managers.count("locked store")
    try:
        db = sqlite3.connect(f"file:{managers.store}?mode=rw", uri=True, isolation_level=None, timeout=5.0)
    except sqlite3.Error:  # it is gone already
        yield
        return
    with suppress(sqlite3.Error):
        db.execute("BEGIN IMMEDIATE")
    yield
    if db.in_transaction:
        db.execute("ROLLBACK")
    db.close()


def gone(managers: Managers) -> Iterator[None]:
    """The files of the store are not there: somebody has unmounted them."""
    end = time.monotonic() + PATIENCE_S
    while not managers.have_opened_the_store() and time.monotonic() < end:
        time.sleep(0.02)  # a manager that has only begun would make a new store
    managers.count("store gone")
    moved = []
    for suffix in ("", "-wal", "-shm"):
        file = Path(f"{managers.store}{suffix}")
        with suppress(FileNotFoundError):
            moved.append((file.rename(f"{file}.aside"), file))
    yield
    for aside, file in moved:
        aside.rename(file)


ALL: tuple[Trouble, ...] = (
    kill, kill, stop_for_a_while, stop_for_a_while, stop_for_ever, terminate, full_disk, locked, gone,
)  # fmt: skip
