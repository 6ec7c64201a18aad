"""The tasks of one BMC: what runs, what it came to, and who has been properties.

Rules
  1. A task is news about an operation and never the operation: what the machine does is the power table's business.
  2. Time comes from the rack's timers. A task that has ended stays ended.
  3. The oldest ended task makes room; one that runs is never thrown out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from emulator.core.clock import Instant

TASK_BEGINS: Final = ("New", "Pending", "Starting", "Running", "Service")
TASK_ENDS: Final = ("Completed", "Exception", "Cancelled", "Killed")
"""States of Task.TaskState (DSP0268) in which a profile may let a task begin and end."""

RUNNING: Final = "Running"
CANCELLED: Final = "Cancelled"
MOST: Final = 100
"""Tasks that a BMC remembers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """`id` with registry and version, as it goes out."""

    id: str
    text: str | None
    args: tuple[str, ...] = ()
    severity: str = "OK"
    resolution: str | None = None


@dataclass(slots=True, kw_only=True)
class Task:
    id: str
    number: int
    name: str
    state: str
    begun: Instant
    cause: int
    ended: Instant | None = None
    messages: list[TaskMessage] = field(default_factory=list)
    verdict: TaskMessage | None = None  # the profile's own word on how it ended, which a monitor tells
    end_reported: bool = False  # the monitor has properties the end once

    @property
    def running(self) -> bool:
        return self.ended is None


class Clockwork(Protocol):
    """What a book needs of the rack."""

    @property
    def now(self) -> Instant: ...
    def after(self, seconds: float, do: Callable[[], None]) -> object: ...


class TaskBook:
    """`changed(task, what)` is called after every change: started, ended, removed."""

    def __init__(self, clockwork: Clockwork, name_of: Callable[[int], str], changed: Callable[[Task, str], None]) -> None:
        self._clockwork = clockwork
        self._name_of = name_of
        self._changed = changed
        self._tasks: dict[str, Task] = {}
        self._next = 1

    def __iter__(self) -> Iterator[Task]:
        return iter(tuple(self._tasks.values()))

    def get(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def numbered(self, number: str) -> Task | None:
        """The task behind a monitor's number."""
        return next((task for task in self._tasks.values() if str(task.number) == number), None)

    def begin(
        self,
        name: str,
        *,
        cause: int,
        state: str = "New",
        end: str = "Completed",
        after_s: float = 0.0,
        verdict: TaskMessage | None = None,
        then: Callable[[], None] | None = None,
    ) -> Task:
        """A task that runs after a moment and ends `after_s` seconds from now; `then` is called when it completes."""
        task = Task(
            id=self._name_of(self._next), number=self._next, name=name, state=state, begun=self._clockwork.now, cause=cause
        )
        self._next += 1
        self._make_room()
        self._tasks[task.id] = task
        self._changed(task, "started")
        if after_s > 0:
            self._clockwork.after(after_s / 2, lambda: self._run(task))

        def finish() -> None:
            self._end(task, end, verdict)
            if then is not None and task.state == "Completed":
                then()

        self._clockwork.after(after_s, finish)
        return task

    def remove(self, task: Task) -> None:
        """A task that still runs is cancelled first."""
        self._end(task, CANCELLED, None)
        if self._tasks.pop(task.id, None) is not None:
            self._changed(task, "removed")

    def forget(self) -> None:
        """The BMC has booted: nothing is left, and nobody is properties."""
        for task in self._tasks.values():
            task.ended = self._clockwork.now
        self._tasks.clear()

    def _run(self, task: Task) -> None:
        if task.running and task.state != RUNNING:
            task.state = RUNNING
            self._changed(task, "running")

    def _end(self, task: Task, state: str, verdict: TaskMessage | None) -> None:
        if not task.running:
            return
        task.state, task.ended, task.verdict = state, self._clockwork.now, verdict
        if verdict is not None:
            task.messages.append(verdict)
        self._changed(task, "ended")

    def _make_room(self) -> None:
        for task in tuple(self._tasks.values()):
            if len(self._tasks) < MOST:
                return
            if not task.running:
                del self._tasks[task.id]


STATUS_OF_END: Final[Mapping[str, str]] = {
    "Completed": "OK",
    "Cancelled": "Warning",
    "Exception": "Critical",
    "Killed": "Critical",
}
"""Task.TaskStatus beside a final state."""
