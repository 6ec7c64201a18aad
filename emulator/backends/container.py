"""A host that is a container: its engine says whether it runs, and only what the engine says becomes the truth.

Rules
  1. On is start, a cut is SIGKILL, a polite request is the container's stop signal and nothing after it: an operating system that
     ignores it stays up. A frozen (paused) one hears nothing, so nothing is sent to it. A hang is a pause.
  2. The truth is what an inspection saw, never what an event or an answer said: events only tell when to look. So a late event of
     an old life cannot switch off a new one.
  3. An engine that is slow, gone, or does not know the container makes the host out of sight: unknown, never Off.
  4. Only containers that carry the lab's label are touched; that is looked at again before every call.
  5. Nothing here blocks its caller: each host has a worker thread and a connection of its own.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from emulator.backends.tell import Tell
from emulator.core.truth.host import News, Order

LABEL = "org.fencelab.host"
PROJECT_LABEL = "com.docker.compose.project"
LOOK_EVERY = 1.0
"""Seconds between two looks at a container of which no event speaks: an engine can also fall silent."""
PATIENCE = 5
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
        tell: Tell,
        connect: Callable[[], Engine],
        look_every: float = LOOK_EVERY,
    ) -> None:
        """Raises NotOurs where a container is there without the lab's label. An engine that is not there yet is waited for."""
        _insist_on_ours(connect(), hosts.values())
        self._workers = {key: _EngineWorker(key, host, tell, connect(), look_every) for key, host in hosts.items()}
        self._watch = _Watch(self._workers.values(), connect(), look_every) if hosts else None

    def perform(self, unit: str, system: str, order: Order, cause: int) -> None:
        self._workers[unit, system].wants.put((order, cause))

    def lab(self, unit: str, system: str, action: LabAction) -> None:
        """Freezes or thaws the host. Returns at once; the truth follows."""
        self._workers[unit, system].wants.put((action, None))

    def close(self) -> None:
        """Leaves the containers as they are and joins the threads. Nothing is told any more."""
        if self._watch is not None:
            self._watch.close()
        for worker in self._workers.values():
            worker.close()


def _insist_on_ours(engine: Engine, hosts: Iterable[DockerHost]) -> None:
    try:
        for host in hosts:
            engine.find(host)
    except OutOfSight as error:
        _log.warning("%s", error)
    finally:
        engine.close()


class _EngineWorker:
    """One host: its orders and looks, one after the other, so that the news are in the order of what happened."""

    def __init__(self, key: tuple[str, str], host: DockerHost, tell: Tell, engine: Engine, look_every: float) -> None:
        self.host = host
        self.wants: queue.Queue[tuple[Order | LabAction | None, int | None] | None] = queue.Queue()
        self._key = key
        self._tell_anybody = tell
        self._engine = engine
        self._look_every = look_every
        self._known: ContainerState | None = None
        self._shall_boot = False
        self._complaint = ""
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=f"container of {host.label}", daemon=True)
        self._thread.start()
        self.look()

    def look(self) -> None:
        self.wants.put((None, None))

    def close(self) -> None:
        self._closed = True
        self.wants.put(None)
        self._thread.join(2 * PATIENCE)

    def _work(self) -> None:
        while True:
            try:
                want = self.wants.get(timeout=self._look_every)
            except queue.Empty:
                want = (None, None)
            if want is None or self._closed:
                break
            self._turn(*want)
        self._engine.close()

    def _turn(self, want: Order | LabAction | None, cause: int | None) -> None:
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
                self._tell(News.OUT_OF_SIGHT, cause)
            self._known = None
            return
        self._complaint = ""
        self._known = seen
        for news in _news(want, before, seen, booted is not None):
            self._tell(news, cause)

    def _do(self, want: Order | LabAction, seen: ContainerState) -> None:
        """Carries an order out. Where the engine says no, the look that follows shows what holds."""
        if want is not Order.ASK_REBOOT:
            self._shall_boot = False
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
                self._shall_boot = True
                engine.ask_down(seen.id)
            case LabAction.HANG if not seen.paused:
                engine.pause(seen.id)
            case LabAction.RECOVER if seen.paused:
                engine.unpause(seen.id)

    def _boot_again(self, before: ContainerState | None, seen: ContainerState) -> ContainerState | None:
        """A host that went down because it was asked to boot again is started. None: there was nothing to start."""
        if not self._shall_boot or seen.running or before is None or not before.running:
            return None
        self._shall_boot = False
        try:
            self._engine.start(seen.id)
        except OrderRefused as error:
            _log.warning("booting %s again: %s", self.host.label, error)
            return None
        again = self._engine.find(self.host)
        return again if again.running else None

    def _tell(self, news: News, cause: int | None) -> None:
        if not self._closed:
            self._tell_anybody(*self._key, news, cause)

    def _complain(self, sentence: str) -> None:
        """Says a thing once, not every second."""
        if sentence != self._complaint:
            self._complaint = sentence
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


class _Watch:
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
        self._thread.join(PATIENCE)

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
                worker.look()
