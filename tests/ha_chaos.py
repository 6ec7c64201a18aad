"""Three `fence-ha run` processes over one store, hosts that die, and a machine that is kind to nobody.

A round: hosts die, and meanwhile managers are killed, stopped and told to end, the disk is full, the store is locked or gone.
Then the trouble ends, and within the bound every dead host is Down and every VM runs, once. All the time a VM that is started
twice, a Down host that has power, and a power command that the limits forbid are counted (`tests/ha_cluster_truth.py`).
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path

from fencer.ha.policy import Policy
from fencer.ha.sqlite_store import SqliteStore
from fencer.ha.states import HAState
from fencer.ha.store import StoreError
from tests.ha_cluster_truth import Cluster, Host

HOSTS = ("a", "b", "c", "d", "e", "f")
VMS = tuple(f"v{number}" for number in range(9))
SCALE = 0.05
POLICY = {
    "start_quiet": 0.0, "activity_samples": 1, "recovery_attempts": 0, "request_timeout": 20.0, "health_timeout": 20.0,
    "lease": 60.0, "lease_renew": 20.0, "vm_retry_first": 10.0, "vm_retry_cap": 20.0, "max_fenced": 1.0, "settle": 20.0,
}  # fmt: skip
"""Seconds before scaling. Longer than usual where a process may stand still because this machine is busy."""

BOUND_S = 60.0
"""From the end of the trouble: the lease (3 s), the proof (26 s x scale), starts that are repeated; and a busy machine."""

Trouble = Callable[["Chaos"], "Iterator[None]"]


class Chaos:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.dice = folder, random.Random(seed)
        self.cluster = Cluster(HOSTS, VMS, seed)
        self.config = folder / "ha.yaml"
        self.config.write_text(json.dumps(self._configuration()))  # JSON is YAML
        self.store = SqliteStore(folder / "fence-ha.db")
        self.managers: list[subprocess.Popen[bytes]] = []
        self.trail: list[str] = []
        for _ in range(3):
            self.start_manager()

    def _configuration(self) -> dict[str, object]:
        known = {field.name for field in fields(Policy)}
        url = self.cluster.url
        placed = {vm: host.name for host in self.cluster.hosts.values() for vm in host.vms}
        return {
            "scale": SCALE,
            "policy": {name: value for name, value in POLICY.items() if name in known},
            "hosts": [
                {"name": name, "bmc": {"url": url(name), "username": "u", "password": "p"}, "agent": url(name),
                 "health": [{"kind": "http", "url": f"{url(name)}/alive"}]}
                for name in HOSTS
            ],
            "vms": [{"name": vm, "host": placed[vm]} for vm in VMS],
            "executor": {"kind": "http"},
        }  # fmt: skip

    def start_manager(self) -> None:
        log = (self.folder / f"manager-{len(self.trail)}-{len(self.managers)}.log").open("ab")
        words = [sys.executable, "-m", "fencer.ha.cli", "run", str(self.config), "--json"]
        with log:
            self.managers.append(subprocess.Popen(words, stdout=log, stderr=log))

    def close(self) -> None:
        for manager in self.managers:
            manager.kill()
            manager.wait()
        self.store.close()
        self.cluster.close()

    # -- one round

    def play(self, dies: int, troubles: int, hung: float = 0.5) -> None:
        """`dies`: how many hosts. `hung`: the share of them that keep their power. Raises AssertionError with the trail."""
        self.wait_until("all hosts are Available", lambda: all(self.state(name) is HAState.AVAILABLE for name in HOSTS))
        dead = self.dice.sample(list(self.cluster.hosts.values()), dies)
        running = [self.dice.choice(TROUBLES)(self) for _ in range(troubles)]
        for number, trouble in enumerate(running):
            with suppress(StopIteration):
                next(trouble)
            for host in dead[number::troubles]:
                self._die(host, hung)
            time.sleep(self.dice.uniform(0.1, 1.5))
        for trouble in running:
            with suppress(StopIteration):
                next(trouble)
        for manager in list(self.managers):
            if manager.poll() is not None:
                self._promise(manager.returncode in (0, -signal.SIGKILL), f"a manager ended with {manager.returncode}")
                self.managers.remove(manager)
        while len(self.managers) < 3:
            self.start_manager()
        names = [host.name for host in dead]
        self.wait_until(f"{names} are Down", lambda: all(self._is_down(host) for host in dead))
        self.wait_until("every VM runs once", self.cluster.all_vms_run)
        self._repair(dead)

    def _die(self, host: Host, hung: float) -> None:
        how = self.cluster.hang if self.dice.random() < hung else self.cluster.power_off
        self.trail.append(f"{how.__name__} {host.name}")
        how(host)

    def _is_down(self, host: Host) -> bool:
        if self.state(host.name) is not HAState.FENCED:
            return False
        self._promise(host.power == "Off", f"{host.name} is Down and has power")
        return True

    def _repair(self, dead: list[Host]) -> None:
        for host in dead:
            self.trail.append(f"repair {host.name}")
            self.cluster.repair(host)
        for host in dead:
            self.wait_until(f"{host.name} is let in again", lambda name=host.name: self._let_in(name))  # type: ignore[misc]

    def _let_in(self, name: str) -> bool:
        if self.state(name) is HAState.AVAILABLE:
            return True
        with suppress(StoreError):
            if not self.store.open_requests(name):
                self.store.add_request(name, "enable", {}, self.store.now())
        return False

    def lose_contact(self, seconds: float) -> None:
        """A switch hides all hosts for a while. They run, and nobody may touch them."""
        before = sum(host.commands for host in self.cluster.hosts.values())
        self.trail.append("a switch hides all hosts")
        for host in self.cluster.hosts.values():
            host.reachable = False
        time.sleep(seconds)
        for host in self.dice.sample(list(self.cluster.hosts.values()), len(HOSTS)):
            host.reachable = True
            time.sleep(0.2)  # they come back one by one
        self.wait_until("all hosts are Available", lambda: all(self.state(name) is HAState.AVAILABLE for name in HOSTS))
        sent = sum(host.commands for host in self.cluster.hosts.values()) - before
        self._promise(sent == 0, f"{sent} power commands to hosts that a switch had hidden")

    # -- what is asked of the store

    def state(self, name: str) -> HAState | None:
        try:
            return self.store.load(name).state
        except (StoreError, KeyError):
            return None

    def wait_until(self, what: str, holds: Callable[[], bool]) -> None:
        end = time.monotonic() + BOUND_S
        while not holds():
            self._promise(not self.cluster.wrong, "; ".join(self.cluster.wrong))
            if time.monotonic() > end:
                records = [self.store.load(name) for name in HOSTS]
                seen = [f"{record.host} {record.state} {record.owner} {record.last_error}" for record in records]
                self._promise(False, f"after {BOUND_S:g} s not: {what}\n{seen}\n{self.store.placements()}")
            time.sleep(0.02)

    def _promise(self, kept: bool, text: str) -> None:
        assert kept, f"{text}\n" + " > ".join(self.trail[-40:])


# -- trouble: each begins at its first step and ends at its second


def _kill(chaos: Chaos) -> Iterator[None]:
    manager = chaos.dice.choice(chaos.managers)
    chaos.trail.append(f"kill {manager.pid}")
    manager.kill()
    manager.wait()
    yield


def _stop_for_a_while(chaos: Chaos) -> Iterator[None]:
    manager = chaos.dice.choice(chaos.managers)
    chaos.trail.append(f"stop {manager.pid}")
    with suppress(ProcessLookupError):
        os.kill(manager.pid, signal.SIGSTOP)
    yield
    with suppress(ProcessLookupError):
        os.kill(manager.pid, signal.SIGCONT)


def _stop_for_ever(chaos: Chaos) -> Iterator[None]:
    """It stays stopped until the round is over: the others must not need it."""
    manager = chaos.dice.choice(chaos.managers)
    chaos.trail.append(f"stop {manager.pid} for ever")
    with suppress(ProcessLookupError):
        os.kill(manager.pid, signal.SIGSTOP)
    chaos.start_manager()
    yield


def _terminate(chaos: Chaos) -> Iterator[None]:
    manager = chaos.dice.choice(chaos.managers)
    chaos.trail.append(f"terminate {manager.pid}")
    with suppress(ProcessLookupError):
        os.kill(manager.pid, signal.SIGCONT)
    manager.terminate()
    yield
    manager.wait(timeout=BOUND_S)


def _full_disk(chaos: Chaos) -> Iterator[None]:
    chaos.trail.append("the disk is full")
    limited = []
    for manager in chaos.managers:
        with suppress(ProcessLookupError):
            _, hard = resource.prlimit(manager.pid, resource.RLIMIT_FSIZE)
            resource.prlimit(manager.pid, resource.RLIMIT_FSIZE, (0, hard))
            limited.append((manager.pid, hard))
    yield
    for pid, hard in limited:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def _locked(chaos: Chaos) -> Iterator[None]:
    chaos.trail.append("the store is locked")
    db = sqlite3.connect(chaos.store.path, isolation_level=None, timeout=5.0)
    with suppress(sqlite3.Error):
        db.execute("BEGIN IMMEDIATE")
    yield
    if db.in_transaction:
        db.execute("ROLLBACK")
    db.close()


@contextmanager
def _renamed(path: Path) -> Iterator[None]:
    aside = path.with_name(f"{path.name}.aside")
    with suppress(FileNotFoundError):
        path.rename(aside)
    yield
    with suppress(FileNotFoundError):
        aside.rename(path)


def _gone(chaos: Chaos) -> Iterator[None]:
    """The folder of the store is not there: somebody has unmounted it."""
    chaos.trail.append("the store is gone")
    with _renamed(chaos.store.path):
        yield


TROUBLES = (_kill, _kill, _stop_for_a_while, _stop_for_a_while, _stop_for_ever, _terminate, _full_disk, _locked)
