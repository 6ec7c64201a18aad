"""The tasks of one BMC: which tasks run, how they ended, and their messages.

`service.bmc` makes one TaskBook per BMC; `power.tasks` starts tasks and shows them. All of it runs in the emulator's thread.

Rules
  1. A task only reports an operation. The power table decides what happens to the machine, and a task has no effect on it.
  2. Time comes from the rack's timers. A task that has ended never changes again.
  3. When the book is full, the oldest ended task is dropped. A running task is never dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from emulator.core.clock import Instant
from profiles.model import Profile

TASK_BEGINS: Final = ("New", "Pending", "Starting", "Running", "Service")
TASK_ENDS: Final = ("Completed", "Exception", "Cancelled", "Killed")
"""States of Task.TaskState (DSP0268) in which a profile may let a task begin and end."""

RUNNING: Final = "Running"
CANCELLED: Final = "Cancelled"
MAX_TASKS: Final = 100
"""How many tasks a BMC keeps."""


def task_style(profile: Profile) -> str:
    """`tasks.style` of a profile: none, tasks or jobs."""
    return str(profile.tasks.get("style", "none"))


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskMessage:
    """A message of a task. `id` is the MessageId with registry and version, as clients get it."""

    id: str
    text: str | None
    args: tuple[str, ...] = ()
    severity: str = "OK"
    resolution: str | None = None


@dataclass(slots=True, kw_only=True)
class Task:
    """One task. `number` counts from 1 per BMC; `cause` is the sequence number of the request in the journal."""

    id: str
    number: int
    name: str
    state: str
    begun: Instant
    cause: int
    ended: Instant | None = None
    messages: list[TaskMessage] = field(default_factory=list)
    result: TaskMessage | None = None  # the profile's own message on how the task ended; its monitor answers with it
    end_reported: bool = False  # the monitor has answered with the end once

    @property
    def running(self) -> bool:
        return self.ended is None


class TaskTimers(Protocol):
    """The clock and the timers that a TaskBook needs; times in seconds."""

    @property
    def now(self) -> Instant: ...
    def after(self, seconds: float, do: Callable[[], None]) -> object: ...


class TaskBook:
    """The tasks of one BMC. Calls `changed(task, what)` after every change; `what` is started, running, ended or removed."""

    def __init__(self, timers: TaskTimers, name_of: Callable[[int], str], changed: Callable[[Task, str], None]) -> None:
        self._timers = timers
        self._name_of = name_of
        self._changed = changed
        self._tasks: dict[str, Task] = {}
        self._next = 1

    def __iter__(self) -> Iterator[Task]:
        return iter(tuple(self._tasks.values()))

    def get(self, task_id: str) -> Task | None:
        return self._tasks.get(task_id)

    def by_number(self, number: str) -> Task | None:
        """The task with this number, which a monitor path may hold."""
        return next((task for task in self._tasks.values() if str(task.number) == number), None)

    def begin(
        self,
        name: str,
        *,
        cause: int,
        state: str = "New",
        end: str = "Completed",
        after_s: float = 0.0,
        result: TaskMessage | None = None,
        then: Callable[[], None] | None = None,
    ) -> Task:
        """Starts a task that ends `after_s` seconds from now in the state `end`. Calls `then` if it ends as Completed."""
        task = Task(id=self._name_of(self._next), number=self._next, name=name, state=state, begun=self._timers.now, cause=cause)
        self._next += 1
        self._make_room()
        self._tasks[task.id] = task
        self._changed(task, "started")
        if after_s > 0:
            self._timers.after(after_s / 2, lambda: self._run(task))

        def finish() -> None:
            self._end(task, end, result)
            if then is not None and task.state == "Completed":
                then()

        self._timers.after(after_s, finish)
        return task

    def remove(self, task: Task) -> None:
        """Removes a task; cancels it first if it still runs."""
        self._end(task, CANCELLED, None)
        if self._tasks.pop(task.id, None) is not None:
            self._changed(task, "removed")

    def forget(self) -> None:
        """Drops all tasks without a message, because the BMC has booted."""
        for task in self._tasks.values():
            task.ended = self._timers.now
        self._tasks.clear()

    def _run(self, task: Task) -> None:
        if task.running and task.state != RUNNING:
            task.state = RUNNING
            self._changed(task, "running")

    def _end(self, task: Task, state: str, result: TaskMessage | None) -> None:
        if not task.running:
            return
        task.state, task.ended, task.result = state, self._timers.now, result
        if result is not None:
            task.messages.append(result)
        self._changed(task, "ended")

    def _make_room(self) -> None:
        for task in tuple(self._tasks.values()):
            if len(self._tasks) < MAX_TASKS:
                return
            if not task.running:
                del self._tasks[task.id]


STATUS_OF_END: Final[Mapping[str, str]] = {
    "Completed": "OK",
    "Cancelled": "Warning",
    "Exception": "Critical",
    "Killed": "Critical",
}
"""Task.TaskStatus for each final TaskState."""
