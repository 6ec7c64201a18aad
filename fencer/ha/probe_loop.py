"""Runs all probes of a manager in one thread, without waiting for any of them.

The manager's loop asks; `found` is called in the thread of this loop. Times are seconds of the monotonic clock.

Rules
  1. All probes of a round start at once and have the whole time-out each. One True ends the round.
  2. A probe that has not ended in its time is ended: its socket is closed, its command and everything that it started are
     killed, a look at a file on a dead share is given up. So hosts that accept and never answer delay no other host.
  3. At most `MAX_COMMANDS` commands run at once; the time of one that waits begins when it starts.
"""

from __future__ import annotations

import heapq
import ipaddress
import itertools
import os
import queue
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fencer.ha import probes
from fencer.ha.config import ExecProbe, FileProbe, HttpProbe, TcpProbe
from fencer.ha.file_looks import Looker, mount_of, mount_points
from fencer.ha.probes import AnyProbe, Coming, DescriptorWait, FileLook, Heartbeat, Lookup, ProbeAddress, ProbeFinding, ProbePause

Found = Callable[[ProbeFinding], None]

MAX_COMMANDS = 256
NAME_THREADS = 4
NAME_KEPT_S = 60.0
"""So long an address is used before its name is looked up again."""


@dataclass(eq=False, slots=True)
class Round:
    """The probes of one host that run. `began`: when they started, by the manager's clock."""

    found: Found
    began: float
    left: int
    unknown: bool = False
    tasks: list[ProbeTask] = field(default_factory=list)


@dataclass(eq=False, slots=True)
class ProbeTask:
    probe: AnyProbe
    round: Round
    timeout: float
    running: probes.Probing | None = None
    pause: ProbePause | None = None


class ProbeLoop:
    """`now`: the manager's clock, for `began`. `base`: where relative paths start; `scale`: of `max_age`."""

    def __init__(self, base: Path, scale: float, now: Callable[[], float]) -> None:
        self._base, self._scale, self._now = base, scale, now
        self._asked: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._walls: list[tuple[float, int, ProbeTask]] = []
        self._number = itertools.count()
        self._commands = 0
        self._commands_waiting: deque[ProbeTask] = deque()
        self._heartbeats: dict[str, Heartbeat] = {}
        self._names: dict[tuple[str, int], tuple[float, list[ProbeAddress]]] = {}
        self._lookups: dict[tuple[str, int], list[ProbeTask]] = {}
        self._name_jobs: queue.SimpleQueue[tuple[str, int]] = queue.SimpleQueue()
        self._name_threads = 0
        self._lookers: dict[str, Looker] = {}
        self._mounts: tuple[float, list[str]] = (0.0, [])
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="probes", daemon=True)
        self._thread.start()

    def ask(self, wanted: Sequence[AnyProbe], timeout: float, found: Found) -> None:
        """Runs one round; any thread may call it. Calls `found` once, in the thread of this loop."""
        self._post(lambda: self._begin(list(wanted), timeout, found))

    def close(self) -> None:
        """Ends all probes. Does not wait for what cannot be killed."""
        self._post(self._end)
        self._thread.join(1.0)

    def _post(self, work: Callable[[], None]) -> None:
        self._asked.put(work)
        with suppress(OSError):  # full: it wakes up anyway
            os.write(self._wake_write, b"x")

    # -- the loop

    def _run(self) -> None:
        while not self._closed:
            wait = None
            if self._walls:
                wait = max(self._walls[0][0] - time.monotonic(), 0.0)
            for key, _ in self._selector.select(wait):
                self._ready(key)
            self._hear()
            self._end_late()

    def _ready(self, key: selectors.SelectorKey) -> None:
        if key.data is None:
            os.read(self._wake_read, 65536)
        elif isinstance(key.data, Looker):
            key.data.read()
            if key.data.killed:
                self._selector.unregister(key.fd)
        elif isinstance(key.data, ProbeTask) and key.data.running is not None:
            self._selector.unregister(key.fd)
            key.data.pause = None
            self._go_on(key.data, None)

    def _hear(self) -> None:
        while True:
            try:
                work = self._asked.get_nowait()
            except queue.Empty:
                return
            work()

    def _end_late(self) -> None:
        now = time.monotonic()
        while self._walls and self._walls[0][0] <= now:
            task = heapq.heappop(self._walls)[2]
            if task.running is not None:
                if isinstance(task.pause, FileLook):
                    self._looker_of(task.pause.path, give_up=True)
                if task.running is not None:
                    self._stop(task)
                    self._ended(task, probes.late_answer(task.probe))

    def _end(self) -> None:
        self._closed = True
        for _, _, task in self._walls:
            if task.running is not None:
                self._stop(task)
        for looker in self._lookers.values():
            looker.close()
        self._selector.close()

    # -- rounds

    def _begin(self, wanted: list[AnyProbe], timeout: float, found: Found) -> None:
        began = self._now()
        if not wanted:
            found(ProbeFinding(began=began, answer=None))
            return
        one = Round(found, began, len(wanted))
        one.tasks = [ProbeTask(probe, one, timeout) for probe in wanted]
        for task in one.tasks:
            if one.left == 0:
                return
            if isinstance(task.probe, ExecProbe) and self._commands >= MAX_COMMANDS:
                self._commands_waiting.append(task)
            else:
                self._start(task)

    def _start(self, task: ProbeTask) -> None:
        match task.probe:
            case TcpProbe(host=host, port=port):
                task.running = probes.tcp(host, port)
            case HttpProbe():
                task.running = probes.http(task.probe)
            case FileProbe(path=path, max_age=max_age):
                task.running = probes.file(self._base / path, max_age * self._scale, self._heartbeats, time.monotonic())
            case ExecProbe():
                self._commands += 1
                task.running = probes.command(task.probe, self._base)
        heapq.heappush(self._walls, (time.monotonic() + task.timeout, next(self._number), task))
        self._go_on(task, None)

    def _go_on(self, task: ProbeTask, coming: Coming) -> None:
        """Lets the probe run up to its next pause, or its end."""
        while task.running is not None:
            try:
                pause = task.running.send(coming)
            except StopIteration as end:
                self._over(task)
                self._ended(task, end.value)
                return
            except (OSError, ValueError):  # this machine's trouble, or a probe that cannot be asked
                self._over(task)
                self._ended(task, None)
                return
            task.pause = pause
            match pause:
                case DescriptorWait(descriptor=descriptor, write=write):
                    self._selector.register(descriptor, selectors.EVENT_WRITE if write else selectors.EVENT_READ, task)
                    return
                case Lookup(host=host, port=port):
                    addresses = self._addresses(task, host, port)
                    if addresses is None:
                        return
                    coming = addresses
                case FileLook(path=path):
                    looker = self._looker_of(path)
                    if looker is not None:
                        looker.ask(path, lambda said: self._looked(task, said))
                        return
                    coming = None

    def _looked(self, task: ProbeTask, said: str | None) -> None:
        if task.running is not None:
            task.pause = None
            self._go_on(task, said)

    def _stop(self, task: ProbeTask) -> None:
        """Ends a probe that runs: it closes or kills what it holds."""
        if isinstance(task.pause, DescriptorWait):
            self._selector.unregister(task.pause.descriptor)
        running = task.running
        self._over(task)
        if running is not None:
            running.close()

    def _over(self, task: ProbeTask) -> None:
        task.running, task.pause = None, None
        if isinstance(task.probe, ExecProbe):
            self._commands -= 1
            while self._commands_waiting and self._commands < MAX_COMMANDS:
                waiting = self._commands_waiting.popleft()
                if waiting.round.left:
                    self._start(waiting)

    def _ended(self, task: ProbeTask, answer: bool | None) -> None:
        one = task.round
        if one.left == 0:
            return
        one.left -= 1
        one.unknown = one.unknown or answer is None
        if answer:
            one.left = 0
            for other in one.tasks:
                if other.running is not None:
                    self._stop(other)
        if one.left == 0:
            changed_at = self._changed_at(task.probe) if answer else None
            final = True if answer else None if one.unknown else False
            one.found(ProbeFinding(began=one.began, answer=final, changed_at=changed_at))

    def _changed_at(self, probe: AnyProbe) -> float | None:
        """When the heartbeat was last seen to change, by the manager's clock."""
        if not isinstance(probe, FileProbe):
            return None
        return self._now() - (time.monotonic() - self._heartbeats[str(self._base / probe.path)].since)

    # -- names

    def _addresses(self, task: ProbeTask, host: str, port: int) -> list[ProbeAddress] | None:
        """The addresses, if they are known now; else the task goes on when they are."""
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            known = self._names.get((host, port))
            if known is not None and time.monotonic() - known[0] < NAME_KEPT_S:
                return known[1]
            self._lookups.setdefault((host, port), []).append(task)
            if len(self._lookups[host, port]) == 1:
                self._name_jobs.put((host, port))
                if self._name_threads < NAME_THREADS:
                    self._name_threads += 1
                    threading.Thread(target=self._look_up_names, name="names", daemon=True).start()
            return None
        return [(socket.AF_INET if address.version == 4 else socket.AF_INET6, host, port)]

    def _look_up_names(self) -> None:
        """In a thread of its own: the C library's resolver may hang."""
        while True:
            host, port = self._name_jobs.get()
            try:
                got = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
                addresses = [(int(family), str(at[0]), int(at[1])) for family, _, _, _, at in got]
            except (OSError, UnicodeError, ValueError):
                addresses = []
            self._post(lambda found=addresses, name=(host, port): self._named(name, found))  # type: ignore[misc]

    def _named(self, name: tuple[str, int], addresses: list[ProbeAddress]) -> None:
        if addresses:
            self._names[name] = (time.monotonic(), addresses)
        for task in self._lookups.pop(name, []):
            if task.running is not None:
                task.pause = None
                self._go_on(task, addresses)

    # -- files

    def _looker_of(self, path: str, *, give_up: bool = False) -> Looker | None:
        """The process that looks at files of this mount point; None: the share is dead, as far as is known."""
        now = time.monotonic()
        if now - self._mounts[0] > NAME_KEPT_S:
            self._mounts = (now, mount_points())
        mount = mount_of(path, self._mounts[1])
        looker = self._lookers.get(mount)
        if give_up:
            if looker is not None and not looker.killed:
                self._selector.unregister(looker.descriptor)
                looker.give_up()
            return None
        if looker is not None and looker.killed:
            if not looker.has_ended:
                return None
            looker.close()
            looker = None
        if looker is None:
            try:
                looker = Looker()
            except OSError:
                return None
            self._lookers[mount] = looker
            self._selector.register(looker.descriptor, selectors.EVENT_READ, looker)
        return looker
