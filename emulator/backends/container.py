"""The driver of hosts that are containers. The truth about such a host is what the container engine says.

`Rack.order` calls `ContainerHosts.perform` in the emulator's thread; it only queues the order. Each host has a worker thread with
a connection of its own, which carries out orders, inspects the container, and reports news by `report`. `report` is called in the
worker's thread and must be safe from any thread.

Rules
  1. ENERGISE starts the container, CUT sends SIGKILL, a graceful request sends the container's stop signal and nothing after it:
     an OS that ignores it stays up. A paused container stands for a hung OS, and gets no signal.
  2. The truth is the result of an inspection, never of an event or of an answer: events only say when to inspect. So a late event
     of an earlier start cannot switch off a host that was started again.
  3. If the engine is slow, gone, or does not know the container, the host's rail is unknown, never Off.
  4. Only containers with the lab's label are touched. The label is checked again before every call.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from emulator.backends.news import ReportNews
from emulator.backends.worker import HostWorker
from emulator.core.truth.host import News, Order

LABEL = "org.fencelab.host"
PROJECT_LABEL = "com.docker.compose.project"
INSPECT_EVERY_S = 1.0
"""Seconds between two looks at a container of which no event speaks: an engine can also fall silent."""
ENGINE_TIMEOUT_S = 5
"""Seconds for one answer of the engine. SIGKILL is answered when the container has ended."""

_log = logging.getLogger("fencelab.docker")


class OutOfSight(Exception):
    """The engine cannot be asked, or does not know the container. Nothing is known about the host."""


class NotOurs(Exception):
    """The container is there, but it is not the lab's. Whoever wrote the rack has to give it the label, or another name."""


class OrderRefused(Exception):
    """The engine answered and said no; the next look says what holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHost:
    """The container with `org.fencelab.host=<label>`. `container` insists on a name, `project` on a compose project."""

    label: str
    container: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """A container at the time of one look. `life` changes with every start."""

    id: str
    running: bool
    paused: bool = False
    life: str = ""


class Engine(Protocol):
    """One connection to an engine. Every method raises OutOfSight; the calls that change something also OrderRefused."""

    def find(self, host: DockerHost) -> ContainerState:
        """Raises NotOurs too."""
        ...

    def start(self, container: str) -> None: ...
    def kill(self, container: str) -> None: ...
    def ask_down(self, container: str) -> None: ...
    def crash(self, container: str) -> None: ...
    def pause(self, container: str) -> None: ...
    def unpause(self, container: str) -> None: ...

    def changes(self) -> Iterator[str]:
        """The labels of containers to which something has happened, until the engine goes away or `close` is called."""
        ...

    def close(self) -> None: ...


class LabAction(StrEnum):
    """What no BMC can do to a host, but a lab can."""

    HANG = "hang"
    RECOVER = "recover"


class ContainerHosts:
    """Holds hosts that are containers."""

    def __init__(
        self,
        hosts: Mapping[tuple[str, str], DockerHost],
        report: ReportNews,
        connect: Callable[[], Engine],
        inspect_every_s: float = INSPECT_EVERY_S,
    ) -> None:
        """Raises NotOurs where a container is there without the lab's label. An engine that is not there yet is waited for."""
        _check_labels(connect(), hosts.values())
        self._workers = {key: _EngineWorker(key, host, report, connect(), inspect_every_s) for key, host in hosts.items()}
        self._follower = _EventFollower(self._workers.values(), connect(), inspect_every_s) if hosts else None

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        self._workers[unit, system].put(order, cause)

    def lab(self, unit: str, system: str, action: LabAction) -> None:
        """Freezes or thaws the host. Returns at once; the truth follows."""
        self._workers[unit, system].put(action, None)

    def close(self) -> None:
        """Leaves the containers as they are and joins the threads. Nothing is told any more."""
        if self._follower is not None:
            self._follower.close()
        for worker in self._workers.values():
            worker.close(2 * ENGINE_TIMEOUT_S)


def _check_labels(engine: Engine, hosts: Iterable[DockerHost]) -> None:
    try:
        for host in hosts:
            engine.find(host)
    except OutOfSight as error:
        _log.warning("%s", error)
    finally:
        engine.close()


class _EngineWorker(HostWorker[Order | LabAction | None]):
    """One container. An order of None is a look."""

    def __init__(
        self, key: tuple[str, str], host: DockerHost, report: ReportNews, engine: Engine, inspect_every_s: float
    ) -> None:
        super().__init__(key, report, thread_name=f"container of {host.label}", idle_s=inspect_every_s)
        self.host = host
        self._engine = engine
        self._known: ContainerState | None = None
        self._reboot_requested = False
        self._last_problem = ""
        self.wake()
        self._thread.start()

    def wake(self) -> None:
        """Something may have happened to the container. From any thread."""
        self.put(None, None)

    def look(self) -> None:
        self.carry_out(None, None)

    def at_end(self) -> None:
        self._engine.close()

    def carry_out(self, want: Order | LabAction | None, cause: int | None) -> None:
        before = self._known
        try:
            seen = self._engine.find(self.host)
            if want is not None:
                self._do(want, seen)
                seen = self._engine.find(self.host)
            booted = self._boot_again(before, seen)
            seen = booted or seen
        except (OutOfSight, NotOurs) as error:
            self._complain(str(error))
            if before is not None or want is not None:
                self.tell(News.OUT_OF_SIGHT, cause)
            self._known = None
            return
        self._last_problem = ""
        self._known = seen
        for news in _news(want, before, seen, booted is not None):
            self.tell(news, cause)

    def _do(self, want: Order | LabAction, seen: ContainerState) -> None:
        """Carries an order out. Where the engine says no, the look that follows shows what holds."""
        if want is not Order.ASK_REBOOT:
            self._reboot_requested = False
        try:
            self._ask(want, seen)
        except OrderRefused as error:
            _log.warning("%s of %s: %s", want, self.host.label, error)

    def _ask(self, want: Order | LabAction, seen: ContainerState) -> None:
        engine = self._engine
        match want:
            case Order.ENERGISE if not seen.running:
                engine.start(seen.id)
            case _ if not seen.running:
                return
            case Order.CUT:
                engine.kill(seen.id)
            case Order.RESET:
                engine.kill(seen.id)
                engine.start(seen.id)
            case Order.CRASH:
                engine.crash(seen.id)
            case Order.ASK_SHUTDOWN if not seen.paused:
                engine.ask_down(seen.id)
            case Order.ASK_REBOOT if not seen.paused:
                self._reboot_requested = True
                engine.ask_down(seen.id)
            case LabAction.HANG if not seen.paused:
                engine.pause(seen.id)
            case LabAction.RECOVER if seen.paused:
                engine.unpause(seen.id)

    def _boot_again(self, before: ContainerState | None, seen: ContainerState) -> ContainerState | None:
        """A host that went down because it was asked to boot again is started. None: there was nothing to start."""
        if not self._reboot_requested or seen.running or before is None or not before.running:
            return None
        self._reboot_requested = False
        try:
            self._engine.start(seen.id)
        except OrderRefused as error:
            _log.warning("booting %s again: %s", self.host.label, error)
            return None
        again = self._engine.find(self.host)
        return again if again.running else None

    def _complain(self, sentence: str) -> None:
        """Says a thing once, not every second."""
        if sentence != self._last_problem:
            self._last_problem = sentence
            _log.warning("%s", sentence)


def _news(want: Order | LabAction | None, before: ContainerState | None, seen: ContainerState, booted: bool) -> Iterator[News]:
    """What to tell of a look. An order is always answered, also where nothing had to change."""
    was_up = before is not None and before.running
    if not seen.running:
        if before is None or was_up or want is Order.CUT:
            yield News.WENT_DOWN
        return
    new_life = before is not None and was_up and before.life != seen.life
    if new_life:
        frozen = before is not None and before.paused
        yield News.OS_BOOTED if booted and not frozen else News.WAS_RESET
    elif not was_up or want is Order.ENERGISE:
        yield News.CAME_UP
    was_frozen = before is not None and was_up and not new_life and before.paused
    if seen.paused != was_frozen:
        yield News.OS_HUNG if seen.paused else News.OS_RECOVERED


class _EventFollower:
    """Follows the engine's events and wakes the worker concerned; all of them when the engine has gone or come back."""

    def __init__(self, workers: Iterable[_EngineWorker], engine: Engine, retry_every: float) -> None:
        self._workers = list(workers)
        self._engine = engine
        self._ended = threading.Event()
        self._retry_every = retry_every
        self._thread = threading.Thread(target=self._follow, name="engine events", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._engine.close()
        self._thread.join(ENGINE_TIMEOUT_S)

    def _follow(self) -> None:
        while not self._ended.is_set():
            try:
                for label in self._engine.changes():
                    self._wake(label)
            except OutOfSight:
                pass  # each worker finds out for itself, and says so
            self._wake(None)
            self._ended.wait(self._retry_every)

    def _wake(self, label: str | None) -> None:
        for worker in self._workers:
            if label is None or worker.host.label == label:
                worker.wake()
