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
import queue
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from emulator.backends.report_news import ReportNews
from emulator.core.truth.host import News, Order

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessHost:
    """The command that stands for the host's operating system. `log` is a file for its output (None: discard it)."""

    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None
    log: Path | None = None


def live_members(group: int) -> list[int]:
    """The processes of a group that still run. Zombies do not count: they can write nothing."""
    members = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path("/proc", entry, "stat").read_text()
        except OSError:
            continue  # ended after the directory was listed
        state, _parent, pgrp = stat.rpartition(")")[2].split()[:3]
        if int(pgrp) == group and state not in "ZX":
            members.append(int(entry))
    return members


class ProcessHosts:
    """A `HostDriver` for local process groups. Keys are (BMC, system id)."""

    def __init__(self, hosts: Mapping[tuple[str, str], ProcessHost], report: ReportNews) -> None:
        self._workers = {key: _ProcessWorker(key, host, report) for key, host in hosts.items()}

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        self._workers[unit, system].orders.put((order, cause))

    def switch_on(self, unit: str, system: str) -> None:
        """Starts a host that is on in the rack from the beginning; reports no news. Raises OSError if the command cannot run."""
        self._workers[unit, system].start_quietly()

    def close(self) -> None:
        """Kills every group and joins the workers. No news are reported any more."""
        for worker in self._workers.values():
            worker.close()


class _ProcessWorker:
    """One host: carries out its orders one after the other, and notices when its leader ends by itself."""

    def __init__(self, key: tuple[str, str], host: ProcessHost, report: ReportNews) -> None:
        self.key = key
        self.orders: queue.Queue[tuple[Order, int] | None] = queue.Queue()
        self._host = host
        self._report_news = report
        self._leader: subprocess.Popen[bytes] | None = None
        self._reboots: subprocess.Popen[bytes] | None = None  # the leader that was asked to boot again
        self._closed = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name=f"host {key[0]}/{key[1]}", daemon=True)
        self._thread.start()

    def start_quietly(self) -> None:
        with self._lock:
            self._start()

    def close(self) -> None:
        self._closed = True
        with self._lock:
            self._kill_group()
        self.orders.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (item := self.orders.get()) is not None:
            order, cause = item
            with self._lock:
                news = self._carry_out(order)
            if news is not None:
                self._report(news, cause)

    def _report(self, news: News, cause: int | None) -> None:
        if not self._closed:
            self._report_news(*self.key, news, cause)

    def _carry_out(self, order: Order) -> News | None:
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
        """Starts the host. False where its command cannot be run: the host is down then, and the log says why."""
        if self._closed:
            return False
        try:
            self._start()
        except OSError as error:
            _log.error("host %s does not start: %s: %s", self.key[0], self._host.argv[0], error.strerror)
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
        threading.Thread(target=self._await_end, args=(self._leader,), daemon=True, name=f"end of {self.key[0]}").start()

    def _await_end(self, leader: subprocess.Popen[bytes]) -> None:
        # WNOWAIT leaves the zombie, so the kernel cannot use the group id again before the group has been killed.
        try:
            os.waitid(os.P_PID, leader.pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            return  # an order has killed it, and reports its own news
        with self._lock:
            if self._leader is not leader:
                return  # an order has killed it, and reports its own news
            self._kill_group()
            booted = leader is self._reboots and self._started()
        self._report(News.OS_BOOTED if booted else News.WENT_DOWN, None)

    def _signal(self, number: signal.Signals) -> None:
        if self._leader is not None:
            os.kill(self._leader.pid, number)

    def _kill_group(self) -> None:
        """Kills all processes of the group. Returns when none of them runs any more."""
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
