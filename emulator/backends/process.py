"""The driver of hosts that are local process groups. The leader stands for the operating system, its children for what
runs on it.

`Rack.order` calls `ProcessHosts.perform` in the emulator's thread; it only queues the order. A worker thread per host carries it
out and reports the news by `report`, which is called in the worker's threads and must be safe from any thread.

ENERGISE starts the leader in a session of its own. CUT kills the whole group with SIGKILL. A graceful request is SIGTERM to the
leader, which may ignore it. If the leader ends by itself, the host went down, and the rest of its group is killed. WENT_DOWN is
reported only when no live process of the group is left.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emulator.backends.news import ReportNews
from emulator.backends.worker import HostWorker
from emulator.core.truth.host import News, Order

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessHost:
    """The command that is the host's operating system. `log` takes its output (default: nowhere)."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    log: Path | None = None


def live_members(group: int) -> list[int]:
    """Processes of a group that still run. Zombies do not: they can write nothing, whoever reaps them."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue  # gone between the listing and the look
        state, _parent, pgrp = stat.rpartition(")")[2].split()[:3]
        if int(pgrp) == group and state not in "ZX":
            members.append(int(entry))
    return members


class ProcessHosts:
    """Holds hosts that are local process groups."""

    def __init__(self, hosts: Mapping[tuple[str, str], ProcessHost], report: ReportNews) -> None:
        self._workers = {key: _ProcessWorker(key, host, report) for key, host in hosts.items()}

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        self._workers[unit, system].put(order, cause)

    def switch_on(self, unit: str, system: str) -> None:
        """Starts a host that the rack already believes to be on; tells nothing if that works."""
        self._workers[unit, system].start_quietly()

    def close(self) -> None:
        """Kills every group and joins the workers. Nothing is told any more."""
        for worker in self._workers.values():
            worker.close()


class _ProcessWorker(HostWorker[Order]):
    """One process group, and its unexpected end."""

    def __init__(self, key: tuple[str, str], host: ProcessHost, report: ReportNews) -> None:
        super().__init__(key, report, thread_name=f"host {key[0]}/{key[1]}")
        self._host = host
        self._leader: subprocess.Popen[bytes] | None = None
        self._reboots: subprocess.Popen[bytes] | None = None  # the leader that was asked to boot again
        self._lock = threading.Lock()
        self._thread.start()

    def start_quietly(self) -> None:
        with self._lock:
            self._start()

    def close(self, timeout_s: float | None = None) -> None:
        self._closed = True  # before the group is killed: nothing may start it again
        with self._lock:
            self._kill_group()
        super().close(timeout_s)

    def carry_out(self, want: Order, cause: int | None) -> None:
        with self._lock:
            news = self._news_of(want)
        if news is not None:
            self.tell(news, cause)

    def _news_of(self, order: Order) -> News | None:
        running = self._leader is not None
        match order:
            case Order.CUT:
                self._kill_group()
                return News.WENT_DOWN
            case Order.ENERGISE:
                return News.CAME_UP if running or self._started() else News.WENT_DOWN
            case Order.RESET if running:
                self._kill_group()
                return News.WAS_RESET if self._started() else News.WENT_DOWN
            case Order.CRASH if running:
                self._signal(signal.SIGQUIT)
            case Order.ASK_SHUTDOWN if running:
                self._signal(signal.SIGTERM)
            case Order.ASK_REBOOT if running:
                self._reboots = self._leader
                self._signal(signal.SIGHUP)
        return None

    def _started(self) -> bool:
        """False where the host's command cannot be run: then the host is down, and the log says why."""
        if self._closed:
            return False
        try:
            self._start()
        except OSError as error:
            _log.error("host %s does not start: %s: %s", self._key[0], self._host.argv[0], error.strerror)
            return False
        return True

    def _start(self) -> None:
        out = open(self._host.log, "ab") if self._host.log else None  # noqa: SIM115 - handed to the child, closed below
        try:
            self._leader = subprocess.Popen(
                list(self._host.argv),
                env={**os.environ, **self._host.env},
                cwd=self._host.cwd,
                stdin=subprocess.DEVNULL,
                stdout=out or subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            if out:
                out.close()
        threading.Thread(target=self._await_end, args=(self._leader,), daemon=True, name=f"end of {self._key[0]}").start()

    def _await_end(self, leader: subprocess.Popen[bytes]) -> None:
        # WNOWAIT leaves the zombie, so that the group id cannot be given to anybody else before the group has been killed.
        try:
            os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return  # an order has reaped it already, and tells its own news
        with self._lock:
            if self._leader is not leader:
                return  # it was us: the order tells its own news
            self._kill_group()
            booted = leader is self._reboots and self._started()
        self.tell(News.OS_BOOTED if booted else News.WENT_DOWN, None)

    def _signal(self, number: signal.Signals) -> None:
        if self._leader is not None:
            os.kill(self._leader.pid, number)

    def _kill_group(self) -> None:
        """Returns when nothing of the group runs any more."""
        leader, self._leader = self._leader, None
        if leader is None:
            return
        while members := live_members(leader.pid):
            for pid in members:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
        leader.wait()
