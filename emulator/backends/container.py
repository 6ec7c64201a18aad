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
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from emulator.backends.report_news import ReportNews
from emulator.core.truth.host import News, Order

LABEL = "org.fencelab.host"
PROJECT_LABEL = "com.docker.compose.project"
INSPECT_EVERY_S = 1.0
"""Seconds between two inspections of a container without events: an engine can also stop sending events."""
ENGINE_TIMEOUT_S = 5
"""Seconds to wait for one answer of the engine, which answers SIGKILL only when the container has ended."""

_log = logging.getLogger("fencelab.docker")


class OutOfSight(Exception):
    """The engine cannot be reached, or does not know the container. The state of the host is unknown."""


class NotOurs(Exception):
    """The container exists, but lacks the lab's label. The author of the rack must label it, or name another container."""


class OrderRefused(Exception):
    """The engine answered with an error. The next inspection shows the state of the container."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DockerHost:
    """The container with `org.fencelab.host=<label>`. It must also have the name `container` and belong to the compose project
    `project`, where they are given."""

    label: str
    container: str | None = None
    project: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerState:
    """A container at the time of one inspection. `life` is different after every start."""

    id: str
    running: bool
    paused: bool = False
    life: str = ""


class Engine(Protocol):
    """One connection to an engine. Every method may raise OutOfSight; those that change something also OrderRefused."""

    def find(self, host: DockerHost) -> ContainerState:
        """Inspects the host's container. Raises NotOurs too."""
        ...

    def start(self, container: str) -> None: ...
    def kill(self, container: str) -> None: ...
    def ask_down(self, container: str) -> None: ...
    def crash(self, container: str) -> None: ...
    def pause(self, container: str) -> None: ...
    def unpause(self, container: str) -> None: ...

    def changes(self) -> Iterator[str]:
        """Yields the label of each container that changes. Blocks; ends when the engine goes away or `close` is called."""
        ...

    def close(self) -> None: ...


class LabAction(StrEnum):
    """What the lab can do to a host, and a BMC cannot."""

    HANG = "hang"
    RECOVER = "recover"


class ContainerHosts:
    """A `HostDriver` for containers. Keys are (BMC, system id)."""

    def __init__(
        self,
        hosts: Mapping[tuple[str, str], DockerHost],
        report: ReportNews,
        connect: Callable[[], Engine],
        inspect_every_s: float = INSPECT_EVERY_S,
    ) -> None:
        """Starts the workers. Raises NotOurs for a container without the lab's label. The engine may become reachable later."""
        _check_labels(connect(), hosts.values())
        self._workers = {key: _EngineWorker(key, host, report, connect(), inspect_every_s) for key, host in hosts.items()}
        self._follower = _EventFollower(self._workers.values(), connect(), inspect_every_s) if hosts else None

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        self._workers[unit, system].orders.put((order, cause))

    def lab(self, unit: str, system: str, action: LabAction) -> None:
        """Pauses or unpauses the host. Returns at once; news follow when it is done."""
        self._workers[unit, system].orders.put((action, None))

    def close(self) -> None:
        """Joins the threads and leaves the containers as they are. No news are reported any more."""
        if self._follower is not None:
            self._follower.close()
        for worker in self._workers.values():
            worker.close()


def _check_labels(engine: Engine, hosts: Iterable[DockerHost]) -> None:
    try:
        for host in hosts:
            engine.find(host)
    except OutOfSight as error:
        _log.warning("%s", error)
    finally:
        engine.close()


class _EngineWorker:
    """One host: its orders and inspections, one after the other, so that news come in the order in which things happened."""

    def __init__(
        self, key: tuple[str, str], host: DockerHost, report: ReportNews, engine: Engine, inspect_every_s: float
    ) -> None:
        self.host = host
        self.orders: queue.Queue[tuple[Order | LabAction | None, int | None] | None] = queue.Queue()
        self._key = key
        self._report_news = report
        self._engine = engine
        self._inspect_every_s = inspect_every_s
        self._known: ContainerState | None = None
        self._reboot_requested = False
        self._last_problem = ""
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"container of {host.label}", daemon=True)
        self._thread.start()
        self.inspect()

    def inspect(self) -> None:
        self.orders.put((None, None))

    def close(self) -> None:
        self._closed = True
        self.orders.put(None)
        self._thread.join(2 * ENGINE_TIMEOUT_S)

    def _work(self) -> None:
        while True:
            try:
                item = self.orders.get(timeout=self._inspect_every_s)
            except queue.Empty:
                item = (None, None)
            if item is None or self._closed:
                break
            self._handle(*item)
        self._engine.close()

    def _handle(self, order: Order | LabAction | None, cause: int | None) -> None:
        before = self._known
        try:
            seen = self._engine.find(self.host)
            if order is not None:
                self._carry_out(order, seen)
                seen = self._engine.find(self.host)
            booted = self._boot_again(before, seen)
            seen = booted or seen
        except (OutOfSight, NotOurs) as error:
            self._log_problem(str(error))
            if before is not None or order is not None:
                self._report(News.OUT_OF_SIGHT, cause)
            self._known = None
            return
        self._last_problem = ""
        self._known = seen
        for news in _news(order, before, seen, booted is not None):
            self._report(news, cause)

    def _carry_out(self, order: Order | LabAction, seen: ContainerState) -> None:
        """Carries out an order. If the engine refuses it, the inspection that follows shows the state."""
        if order is not Order.ASK_REBOOT:
            self._reboot_requested = False
        try:
            self._ask(order, seen)
        except OrderRefused as error:
            _log.warning("%s of %s: %s", order, self.host.label, error)

    def _ask(self, order: Order | LabAction, seen: ContainerState) -> None:
        engine = self._engine
        match order:
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
        """Starts a host that went down because it was asked to reboot. None: nothing was started."""
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

    def _report(self, news: News, cause: int | None) -> None:
        if not self._closed:
            self._report_news(*self._key, news, cause)

    def _log_problem(self, sentence: str) -> None:
        """Logs a problem once, not at every inspection."""
        if sentence != self._last_problem:
            self._last_problem = sentence
            _log.warning("%s", sentence)


def _news(order: Order | LabAction | None, before: ContainerState | None, seen: ContainerState, booted: bool) -> Iterator[News]:
    """The news that follow from an inspection. CUT and ENERGISE always give news, also where nothing had to change."""
    was_up = before is not None and before.running
    if not seen.running:
        if before is None or was_up or order is Order.CUT:
            yield News.WENT_DOWN
        return
    new_life = before is not None and was_up and before.life != seen.life
    if new_life:
        frozen = before is not None and before.paused
        yield News.OS_BOOTED if booted and not frozen else News.WAS_RESET
    elif not was_up or order is Order.ENERGISE:
        yield News.CAME_UP
    was_frozen = before is not None and was_up and not new_life and before.paused
    if seen.paused != was_frozen:
        yield News.OS_HUNG if seen.paused else News.OS_RECOVERED


class _EventFollower:
    """Follows the engine's events in a thread of its own, and makes the worker of a changed container inspect it.

    All workers inspect theirs when the engine goes away or comes back.
    """

    def __init__(self, workers: Iterable[_EngineWorker], engine: Engine, retry_every_s: float) -> None:
        self._workers = list(workers)
        self._engine = engine
        self._ended = threading.Event()
        self._retry_every_s = retry_every_s
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
                pass  # each worker notices this too, and reports it
            self._wake(None)
            self._ended.wait(self._retry_every_s)

    def _wake(self, label: str | None) -> None:
        for worker in self._workers:
            if label is None or worker.host.label == label:
                worker.inspect()
